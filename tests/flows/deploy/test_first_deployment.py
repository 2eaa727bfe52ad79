"""The first deployment of an environment that has no service yet."""

from __future__ import annotations

from typing import NoReturn

import pytest

from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.new_service import ServiceSettings
from kaizen_tasks.domain.service import Operation, OperationKind, OperationState, ServiceStatus
from kaizen_tasks.errors import (
    ClusterMissing,
    DeployFailed,
    Interrupted,
    Refused,
    RolloutFailed,
    ServiceMissing,
    UsageError,
)
from kaizen_tasks.flows import create_environment, setup
from kaizen_tasks.flows.execution import execute_change
from kaizen_tasks.flows.promote.promotion import plan_promotion
from kaizen_tasks.flows.promote.rollout import RolloutOptions
from tests.fakes.registry import OCI_MANIFEST
from tests.fakes.tools import FakeTools, settings
from tests.flows.release.test_release import release

ENVIRONMENTS: dict[str, dict[str, str]] = {name: {} for name in ("staging", "prod", "ann", "mark", "dom")}
NEIGHBOUR = ServiceSettings(
    variables={"ENVIRONMENT": "mark", "LOG_LEVEL": "info", "DATABASE_URL": "postgres://mark:hush@db/mark"},
    secrets={
        "TOKEN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mark-web-app-secrets-x1y2z3:TOKEN::",
        "KEY": "arn:aws:ssm:eu-west-1:123456789012:parameter/mark/KEY",
    },
    instance_role="arn:aws:iam::123456789012:role/web-mark",
    description="1 vCPU, 2 GB",
)


@pytest.fixture
def tools() -> FakeTools:
    """Tools with v0.2.0 in staging and prod, and ann, whose repository is empty and who has no service."""
    made = FakeTools(settings=settings(environments=ENVIRONMENTS, groups={"beta": ["ann", "mark", "dom"]}))
    del made.platform.services["ann-web-service"]
    made.platform.settings["mark-web-service"] = NEIGHBOUR
    made.platform.new_urls["ann-web-service"] = "https://ann.example"
    release(made)
    promote(made.next_command(), "prod")
    return made.next_command()


def promote(tools: FakeTools, name: str) -> None:
    options = RolloutOptions(command=(f"promote-{name}",))
    change = plan_promotion(tools.settings.stage(name), None, options, tools)
    assert change is not None
    execute_change(change, tools, confirm=lambda *_: None, command="")


def create(tools: FakeTools) -> None:
    """Run `inv setup --env ann --create`."""
    ann = tools.settings.environments["ann"]
    flow = create_environment.creation_flow(ann, create_environment.find_neighbour(ann, tools.settings))
    setup.pending_steps(flow, tools)
    setup.run_setup(flow, tools)


def test_promotion_brings_image_and_tag_and_says_how_to_create_the_service(tools: FakeTools) -> None:
    for _ in range(2):
        with pytest.raises(ServiceMissing, match="ann: there is no service ann-web-service") as missing:
            promote(tools.next_command(), "ann")

        assert missing.value.exit_code == 130
        assert missing.value.state == ("nothing is lost: ann-web-app:latest is v0.2.0, which a service can start with")
        assert "inv setup --env ann --create; then run the same command again" in missing.value.hint
        assert tools.latest("ann") == "v0.2.0"
        assert tools.ledger.entries("ann") == ()


def test_promotion_after_the_creation_finishes(tools: FakeTools) -> None:
    with pytest.raises(ServiceMissing):
        promote(tools, "ann")
    create(tools)

    promote(tools.next_command(), "ann")

    assert next(entry.event for entry in tools.ledger.entries("ann")) == "verified"
    assert tools.running_versions["ann"] == "v0.2.0"


def test_new_service_is_like_the_neighbours_but_for_the_name(tools: FakeTools) -> None:
    with pytest.raises(ServiceMissing):
        promote(tools, "ann")
    create(tools)

    created = tools.platform.settings["ann-web-service"]
    assert created.variables == {
        "ENVIRONMENT": "ann",
        "LOG_LEVEL": "info",
        "DATABASE_URL": "postgres://ann:hush@db/ann",
    }
    assert created.secrets == {
        "TOKEN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ann-web-app-secrets-AbCdEf:TOKEN::",
        "KEY": "arn:aws:ssm:eu-west-1:123456789012:parameter/ann/KEY",
    }
    assert created.instance_role == "arn:aws:iam::123456789012:role/web-ann"
    assert tools.platform.services["ann-web-service"].image == "registry.example/ann-web-app:latest"


def test_what_will_be_created_is_shown_without_values(tools: FakeTools) -> None:
    with pytest.raises(ServiceMissing):
        promote(tools, "ann")
    ann = tools.settings.environments["ann"]
    flow = create_environment.creation_flow(ann, create_environment.find_neighbour(ann, tools.settings))

    ((_, description),) = setup.pending_steps(flow, tools)

    assert description == (
        "create the service ann-web-service like mark-web-service (1 vCPU, 2 GB); "
        "variables adapted: ENVIRONMENT, DATABASE_URL; variables with the values of mark: LOG_LEVEL; "
        "values from: ann-web-app-secrets, arn:aws:ssm:eu-west-1:123456789012:parameter/ann/KEY; instance role: web-ann"
    )
    assert "hush" not in description + repr(NEIGHBOUR)


def test_service_that_could_not_be_created_is_replaced(tools: FakeTools) -> None:
    """An image that does not start is a reason to promote another one."""
    tools.platform.add("ann-web-service", image="registry.example/ann-web-app:latest")
    tools.platform.set_status("ann-web-service", ServiceStatus.CREATION_FAILED)
    broken = Image(digest="sha256:0", media_type=OCI_MANIFEST, version="v0.1.0")
    tools.registry.put("ann-web-app", "latest", broken)
    with pytest.raises(ServiceMissing, match="it is CREATION_FAILED"):
        promote(tools, "ann")

    create(tools)

    assert tools.platform.services["ann-web-service"].status == ServiceStatus.RUNNING
    assert tools.latest("ann") == "v0.2.0"


def test_repository_is_created_first(tools: FakeTools) -> None:
    """Then the image comes, then the service: each refusal names the next command, and it works."""
    del tools.registry.repositories["ann-web-app"]
    del tools.account.rules["ann-web-app"]
    with pytest.raises(Refused, match="no image repository ann-web-app") as refused:
        promote(tools, "ann")
    assert refused.value.hint == "inv setup --env ann --create"

    with pytest.raises(Interrupted, match="there is no ann-web-app:latest yet") as unfinished:
        create(tools)
    assert unfinished.value.state == "done: repository ann"
    assert "inv promote --env ann" in unfinished.value.hint
    assert tools.account.rules["ann-web-app"].may_move("latest")

    with pytest.raises(ServiceMissing):
        promote(tools.next_command(), "ann")
    create(tools)
    promote(tools.next_command(), "ann")
    assert tools.running_versions["ann"] == "v0.2.0"


def test_missing_secret_is_named_and_nothing_is_created(tools: FakeTools) -> None:
    """Values of secrets are never copied."""
    with pytest.raises(ServiceMissing):
        promote(tools, "ann")
    del tools.secrets.versions["ann-web-app-secrets"]

    with pytest.raises(Refused, match="needs secrets that do not exist: ann-web-app-secrets"):
        create(tools)

    assert "ann-web-service" not in tools.platform.services


def test_group_goes_on_without_the_new_tenant(tools: FakeTools) -> None:
    """It is no canary, although it is the first of the group, and its failure stops nothing."""
    with pytest.raises(RolloutFailed, match="1 of 3 environments does not have") as failed:
        promote(tools, "beta")

    assert failed.value.state == "done: mark, dom; failed: ann"
    assert "inv setup --env ann --create" in failed.value.hint
    assert [list(each) for each in tools.reporter.rollouts] == [["mark", "ann", "dom"]]


def test_missing_service_of_an_environment_that_was_deployed_is_refused(tools: FakeTools) -> None:
    del tools.platform.services["prod-web-service"]

    with pytest.raises(Refused, match="there is no service prod-web-service") as refused:
        promote(tools, "prod")

    assert refused.value.exit_code == 3


def test_missing_cluster_is_no_first_deployment(tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
    hint = "correct `cluster` in the configuration, or create it: aws ecs create-cluster --cluster-name nope"

    def get_service(*_: object) -> NoReturn:
        raise ClusterMissing("there is no cluster nope in eu-west-1", hint=hint)

    monkeypatch.setattr(type(tools.platform), "get_service", get_service)

    with pytest.raises(Refused, match="there is no cluster nope") as refused:
        promote(tools, "ann")

    assert refused.value.hint == hint


def test_tag_that_another_service_may_follow_is_not_moved(tools: FakeTools) -> None:
    """The configured name of the service may be wrong; the right one may deploy when the tag moves."""
    tools.registry.put("ann-web-app", "latest", Image(digest="sha256:0", media_type=OCI_MANIFEST, version="v0.1.0"))

    with pytest.raises(Refused, match="there is no service ann-web-service"):
        promote(tools, "ann")

    assert tools.latest("ann") == "v0.1.0"


def test_environment_without_a_group_needs_a_neighbour(tools: FakeTools) -> None:
    with pytest.raises(UsageError, match="prod is in no group"):
        create_environment.find_neighbour(tools.settings.environments["prod"], tools.settings)


def test_neighbour_is_on_the_same_platform_and_cluster() -> None:
    environments = {
        "mark": {},
        "shane": {"platform": "ecs-express", "cluster": "other"},
        "dom": {"platform": "ecs-express"},
        "ann": {"platform": "ecs-express"},
        "bob": {"platform": "ecs", "url": "https://bob.example"},
    }
    configured = settings(pipeline=["mark"], environments=environments, groups={"beta": [*environments]})

    assert create_environment.find_neighbour(configured.environments["ann"], configured).name == "dom"
    with pytest.raises(UsageError, match=r"of the group of bob is on ECS, cluster default, in 123456789012"):
        create_environment.find_neighbour(configured.environments["bob"], configured)


def test_creation_that_fails_says_so(tools: FakeTools) -> None:
    with pytest.raises(ServiceMissing):
        promote(tools, "ann")
    tools.platform.creation_status = ServiceStatus.CREATION_FAILED

    with pytest.raises(DeployFailed, match="ann-web-service could not be created"):
        create(tools)


def test_creation_fails_if_the_first_deployment_does(tools: FakeTools) -> None:
    """A service of ECS is there also if nothing runs in it."""
    with pytest.raises(ServiceMissing):
        promote(tools, "ann")
    failed = Operation(
        id="ann-1",
        kind=OperationKind.CREATION,
        state=OperationState.FAILED,
        native_state="ROLLBACK_FAILED",
        started_at=tools.clock.now(),
        reason="3 tasks failed",
    )
    tools.platform.on_deployed = lambda service: tools.platform.history[service.name].insert(0, failed)

    with pytest.raises(DeployFailed, match="its deployment ended with ROLLBACK_FAILED: 3 tasks failed"):
        create(tools)


def test_first_release_of_an_app_brings_image_and_tag_and_is_finished_when_there_is_a_service() -> None:
    """App Runner creates no service without an image, so the first one cannot wait for a service."""
    tools = FakeTools()
    del tools.platform.services["staging-web-service"]

    for _ in range(2):
        with pytest.raises(ServiceMissing, match="staging: there is no service staging-web-service") as missing:
            release(tools)
        assert "create the service with that image" in missing.value.hint
        assert tools.latest("staging") == "v0.2.0"
        tools.next_command()
    begun = tools.builder.build_count
    tools.platform.add(
        "staging-web-service", image="registry.example/staging-web-app:latest", url="https://staging.example"
    )

    released = release(tools)

    assert (released.name, tools.running_versions["staging"]) == ("v0.2.0", "v0.2.0")
    assert tools.upstream.tags == {"v0.2.0": released.commit}
    assert tools.builder.build_count == begun == 1


def test_release_to_a_service_that_is_missing_by_mistake_is_refused_before_the_commit() -> None:
    tools = FakeTools()
    del tools.platform.services["staging-web-service"]
    tools.registry.put("staging-web-app", "latest", Image(digest="sha256:0", media_type=OCI_MANIFEST, version="v0.1.0"))
    head = tools.scm.head().commit

    with pytest.raises(Refused, match="there is no service staging-web-service"):
        release(tools)

    assert tools.scm.head().commit == head
