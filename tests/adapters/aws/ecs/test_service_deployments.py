"""Deployments of services as operations."""

from __future__ import annotations

from typing import Any

import pytest

from kaizen_tasks.adapters.aws.ecs.revisions import Revisions
from kaizen_tasks.adapters.aws.ecs.service_deployments import ServiceDeployments
from kaizen_tasks.domain.service import Operation, OperationKind, OperationState
from kaizen_tasks.errors import ClusterMissing, NotFound, Refused
from tests.adapters.aws.ecs import answers
from tests.adapters.aws.ecs.answers import NEW_IMAGE, at, deployment, deployment_arn, detail, revision_arn
from tests.adapters.aws.ecs.scripted_ecs import ScriptedAws, ScriptedEcs, cluster, error


@pytest.fixture
def aws() -> ScriptedAws:
    return ScriptedAws()


@pytest.fixture
def ecs(aws: ScriptedAws) -> ScriptedEcs:
    aws.client.answer(
        "DescribeServiceRevisions", answers.revisions(answers.revision(1), answers.revision(2, NEW_IMAGE))
    )
    return aws.client


@pytest.fixture
def deployments(aws: ScriptedAws, ecs: ScriptedEcs) -> ServiceDeployments:  # noqa: ARG001 - it answers
    return ServiceDeployments(Revisions(cluster(aws)))


def described(ecs: ScriptedEcs, deployments: ServiceDeployments, status: str, **members: Any) -> Operation:
    """Return the operation of a deployment, after a first one that succeeded."""
    ended_after = members.pop("ended_after", 60)
    ecs.answer(
        "ListServiceDeployments",
        answers.deployments(deployment(2, status, ended_after=ended_after), deployment(1)),
    )
    ecs.answer("DescribeServiceDeployments", answers.details(detail(2, status, ended_after=ended_after, **members)))
    return deployments.operations("web")[0]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("PENDING", OperationState.PENDING),
        ("IN_PROGRESS", OperationState.IN_PROGRESS),
        ("STOP_REQUESTED", OperationState.IN_PROGRESS),
        ("ROLLBACK_REQUESTED", OperationState.IN_PROGRESS),
        ("ROLLBACK_IN_PROGRESS", OperationState.IN_PROGRESS),
        ("SUCCESSFUL", OperationState.SUCCEEDED),
        ("STOPPED", OperationState.STOPPED),
        ("ROLLBACK_SUCCESSFUL", OperationState.ROLLED_BACK),
        ("ROLLBACK_FAILED", OperationState.FAILED),
    ],
)
def test_every_state_of_the_model_has_a_neutral_one(
    ecs: ScriptedEcs, deployments: ServiceDeployments, status: str, state: OperationState
) -> None:
    operation = described(ecs, deployments, status)

    assert (operation.state, operation.native_state) == (state, status)
    assert (operation.id, operation.kind) == (revision_arn(2), OperationKind.DEPLOYMENT)
    assert (operation.started_at, operation.finished_at) == (at(200), at(260))


def test_running_deployment_shows_its_stage(ecs: ScriptedEcs, deployments: ServiceDeployments) -> None:
    operation = described(ecs, deployments, "IN_PROGRESS", lifecycleStage="BAKE_TIME", ended_after=None)

    assert operation.native_state == "IN_PROGRESS (BAKE_TIME)"
    assert operation.finished_at is None


def test_digest_is_that_of_the_revision(ecs: ScriptedEcs, deployments: ServiceDeployments) -> None:
    assert described(ecs, deployments, "SUCCESSFUL").digest == f"sha256:{'b' * 64}"


def test_reason_names_rollback_alarms_and_circuit_breaker(ecs: ScriptedEcs, deployments: ServiceDeployments) -> None:
    operation = described(
        ecs,
        deployments,
        "ROLLBACK_SUCCESSFUL",
        statusReason="Service deployment rolled back because the circuit breaker threshold was exceeded.",
        rollback={"reason": "Circuit breaker", "serviceRevisionArn": revision_arn(1)},
        alarms={"status": "TRIGGERED", "alarmNames": ["a", "b"], "triggeredAlarmNames": ["web-5xx"]},
        deploymentCircuitBreaker={"status": "TRIGGERED", "failureCount": 3, "threshold": 3},
    )

    assert operation.reason == (
        "Service deployment rolled back because the circuit breaker threshold was exceeded; Circuit breaker;"
        " alarms: web-5xx; 3 tasks failed"
    )


@pytest.mark.parametrize("member", ["deploymentCircuitBreaker", "alarms"])
def test_failure_without_a_rollback_is_no_stop_by_hand(
    ecs: ScriptedEcs, deployments: ServiceDeployments, member: str
) -> None:
    operation = described(ecs, deployments, "STOPPED", **{member: {"status": "TRIGGERED"}})

    assert operation.state is OperationState.FAILED


def test_first_deployment_is_the_creation(ecs: ScriptedEcs, deployments: ServiceDeployments) -> None:
    assert described(ecs, deployments, "IN_PROGRESS", sourceServiceRevisions=[]).kind is OperationKind.CREATION


@pytest.mark.parametrize(("ended_after", "state"), [(100.3, OperationState.SUPERSEDED), (60, OperationState.STOPPED)])
def test_deployment_is_superseded_if_a_later_one_began_before_it_was_stopped(
    ecs: ScriptedEcs, deployments: ServiceDeployments, ended_after: float, state: OperationState
) -> None:
    later, stopped = deployment(3, "IN_PROGRESS", ended_after=None), deployment(2, "STOPPED", ended_after=ended_after)
    ecs.answer("ListServiceDeployments", answers.deployments(later, stopped, deployment(1)))
    ecs.answer(
        "DescribeServiceDeployments",
        answers.details(detail(3, "IN_PROGRESS", ended_after=None), detail(2, "STOPPED", ended_after=ended_after)),
    )

    operation = deployments.operations("web")[1]

    assert (operation.id, operation.state) == (revision_arn(2), state)
    assert operation.reason == ("service revision 3 took its place" if state is OperationState.SUPERSEDED else "")


def test_deployment_that_was_superseded_since_the_list_was_read(
    ecs: ScriptedEcs, deployments: ServiceDeployments
) -> None:
    running, later = deployment(2, "IN_PROGRESS", ended_after=None), deployment(3, "IN_PROGRESS", ended_after=None)
    stopped = deployment(2, "STOPPED", ended_after=100.3)
    ecs.answer(
        "ListServiceDeployments",
        answers.deployments(running, deployment(1)),
        answers.deployments(later, stopped, deployment(1)),
    )
    ecs.answer("DescribeServiceDeployments", answers.details(detail(2, "STOPPED", ended_after=100.3)))

    states = {operation.id: operation.state for operation in deployments.operations("web")}

    assert states[revision_arn(2)] is OperationState.SUPERSEDED
    assert states[revision_arn(3)] is OperationState.IN_PROGRESS


def test_ends_and_revisions_are_read_once(ecs: ScriptedEcs, deployments: ServiceDeployments) -> None:
    described(ecs, deployments, "ROLLBACK_SUCCESSFUL")
    first_requests = ecs.operations
    ecs.requests.clear()

    deployments.operations("web")

    assert first_requests == ["ListServiceDeployments", "DescribeServiceDeployments", "DescribeServiceRevisions"]
    assert ecs.operations == ["ListServiceDeployments"]


def test_successful_deployments_need_no_details(ecs: ScriptedEcs, deployments: ServiceDeployments) -> None:
    ecs.answer("ListServiceDeployments", answers.deployments(deployment(2), deployment(1)))

    assert [operation.succeeded for operation in deployments.operations("web")] == [True, True]
    assert "DescribeServiceDeployments" not in ecs.operations


def test_digests_of_deployments_before_the_last_successful_one_are_not_looked_up(
    ecs: ScriptedEcs, deployments: ServiceDeployments
) -> None:
    ecs.answer("ListServiceDeployments", answers.deployments(deployment(2), deployment(1)))

    assert [bool(operation.digest) for operation in deployments.operations("web")] == [True, False]
    assert ecs.asked("DescribeServiceRevisions") == [{"serviceRevisionArns": [revision_arn(2)]}]


def test_tag_that_is_not_resolved_yet_is_looked_up_again(ecs: ScriptedEcs, deployments: ServiceDeployments) -> None:
    ecs.answer("ListServiceDeployments", answers.deployments(deployment(1)))
    resolved = answers.revision(1, "web:latest")
    resolved["containerImages"][0]["imageDigest"] = "sha256:1a2b"
    ecs.answer(
        "DescribeServiceRevisions",
        {"serviceRevisions": [answers.revision(1, "web:latest")]},
        {"serviceRevisions": [resolved]},
    )

    digests = [deployments.operations("web")[0].digest for _ in range(3)]

    assert digests == ["", "sha256:1a2b", "sha256:1a2b"]
    assert len(ecs.asked("DescribeServiceRevisions")) == 2


def test_digest_is_that_of_the_app_among_several_containers(ecs: ScriptedEcs, aws: ScriptedAws) -> None:
    images = [
        {"containerName": "proxy", "image": f"proxy@sha256:{'c' * 64}"},
        {"containerName": "web", "image": NEW_IMAGE},
    ]
    ecs.answer("DescribeServiceRevisions", answers.revisions(answers.revision(1, containerImages=images)))
    ecs.answer(
        "DescribeTaskDefinition",
        answers.definition(answers.container("proxy", essential=False), answers.container("web")),
    )
    ecs.answer("ListServiceDeployments", answers.deployments(deployment(1)))

    assert ServiceDeployments(Revisions(cluster(aws))).operations("web")[0].digest == f"sha256:{'b' * 64}"


def test_stops_a_deployment_with_a_rollback(ecs: ScriptedEcs, deployments: ServiceDeployments) -> None:
    ecs.answer("ListServiceDeployments", answers.deployments(deployment(2, "IN_PROGRESS", ended_after=None)))
    ecs.answer("StopServiceDeployment", {"serviceDeploymentArn": deployment_arn(2)})

    deployments.stop("web", revision_arn(2))

    assert ecs.asked("StopServiceDeployment") == [{"serviceDeploymentArn": deployment_arn(2), "stopType": "ROLLBACK"}]


def test_deployment_that_ends_meanwhile_is_refused(ecs: ScriptedEcs, deployments: ServiceDeployments) -> None:
    ecs.answer("ListServiceDeployments", answers.deployments(deployment(2, "IN_PROGRESS", ended_after=None)))
    ecs.answer("StopServiceDeployment", error("ConflictException", "it has ended"))

    with pytest.raises(Refused, match="it has ended"):
        deployments.stop("web", revision_arn(2))


@pytest.mark.parametrize("number", [1, 2])
def test_only_a_deployment_in_progress_is_stopped(
    ecs: ScriptedEcs, deployments: ServiceDeployments, number: int
) -> None:
    ecs.answer("ListServiceDeployments", answers.deployments(deployment(1)))

    with pytest.raises(Refused, match="in progress"):
        deployments.stop("web", revision_arn(number))


@pytest.mark.parametrize("code", ["ServiceNotFoundException", "ServiceNotActiveException"])
def test_missing_service_is_not_found(ecs: ScriptedEcs, deployments: ServiceDeployments, code: str) -> None:
    ecs.answer("ListServiceDeployments", error(code, "no such thing"))

    with pytest.raises(NotFound, match="no such thing") as caught:
        deployments.operations("web")

    assert "main" in caught.value.hint


def test_missing_cluster_is_not_taken_for_a_missing_service(ecs: ScriptedEcs, deployments: ServiceDeployments) -> None:
    ecs.answer("ListServiceDeployments", error("ClusterNotFoundException", "Cluster not found."))

    with pytest.raises(ClusterMissing, match="there is no cluster main in eu-west-1") as caught:
        deployments.operations("web")

    create_command = "aws ecs create-cluster --cluster-name main --region eu-west-1"
    assert caught.value.hint == f"correct `cluster` in the configuration, or create it: {create_command}"
