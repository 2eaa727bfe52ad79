"""What goes wrong outside in the middle of a rollout: the exit code, the ledger and `:latest` say it as it is."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.crash.library import wait_for_result
from tests.crash.outcomes import Outcome, collect_outcome, deployment_statuses
from tests.support import bad_servers
from tests.support.workspaces import assert_refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from http.server import BaseHTTPRequestHandler

    from tests.crash.campaign import RolloutCases
    from tests.crash.cloud_fork_server import CloudForkServer
    from tests.crash.sandbox import TeamSandbox
    from tests.support.workspaces import CommandResult

pytestmark = pytest.mark.e2e

PROMOTION = ("promote-prod", "--yes")
IMPATIENT = {"INVOKE_VERIFY_TIMEOUT": "2s"}
SERVICES = ("sts", "ecr", "apprunner", "dynamodb")
THROTTLED = {"error": {"code": "ThrottlingException", "status": 400}}
TOO_MANY = {"error": {"code": "TOOMANYREQUESTS", "status": 429}}
STALL = 30.0
"""Seconds that an answer takes: as long as a client of AWS waits for one."""
BROKEN = {"error": {"code": "InternalServerError", "status": 500}}
DENIED = {"error": {"code": "AccessDeniedException", "status": 403}}
EXPIRED = {"error": {"code": "ExpiredTokenException", "status": 400}}
DIES_IN_PROD = b'import os\nif os.environ["ENVIRONMENT"] == "prod":\n    raise SystemExit("no database")\n'
HANGS_IN_PROD = b'import os, time\nif os.environ["ENVIRONMENT"] == "prod":\n    time.sleep(600)\n'


@pytest.fixture
def at(
    rollout_runs: RolloutCases, fork_server: CloudForkServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., TeamSandbox]]:
    """Return what makes a copy of a moment."""
    risen: list[TeamSandbox] = []

    def copied(name: str, *options: str) -> TeamSandbox:
        copy = rollout_runs.moment(name).copy_to(tmp_path_factory.mktemp("at") / "copy")
        risen.append(copy.start_cloud(fork_server, *options))
        return risen[-1]

    yield copied
    for each in risen:
        each.destroy()


@pytest.fixture
def sandbox(at: Callable[..., TeamSandbox]) -> TeamSandbox:
    """Return the moment at which v0.2.1 can be promoted to prod."""
    return at("promote-prod")


@pytest.fixture
def expected(rollout_runs: RolloutCases) -> Outcome:
    """Return what an undisturbed promotion leaves."""
    return rollout_runs.outcome("promote-prod")


def assert_as_undisturbed(sandbox: TeamSandbox, expected: Outcome) -> None:
    """Check that one promotion has happened, and nothing else."""
    assert list(expected.differences(collect_outcome(sandbox))) == []


def assert_old_release_serves(sandbox: TeamSandbox, result: CommandResult, code: int, event: str) -> None:
    """Check how a promotion failed: v0.2.0 is serving, `:latest` names it, and the ledger says what happened."""
    assert_refused(result, code)
    left = collect_outcome(sandbox)
    assert left.running["prod-web-service"] == "v0.2.0 in prod"
    assert ("latest", "v0.2.0") in left.images["prod-web-app"]
    assert left.ledger["ledger#prod"][-1][0] == event
    assert left.locks == ()


@pytest.mark.parametrize(
    ("effect", "of_registry"),
    [
        (THROTTLED, TOO_MANY),
        (BROKEN, BROKEN),
        ({"reset": True}, {"reset": True}),
        ({"reset": True, "late": True}, {"reset": True, "late": True}),
        ({"latency": 1.0}, {"latency": 1.0}),
    ],
    ids=("throttled", "broken", "cut off", "answer lost", "stalled"),
)
def test_transient_errors_of_every_service_are_retried(
    sandbox: TeamSandbox, expected: Outcome, effect: Mapping[str, object], of_registry: Mapping[str, object]
) -> None:
    sandbox.inject_fault(of_registry, service="registry", skip=1)
    for service in SERVICES:
        sandbox.inject_fault(effect, service=service)
        sandbox.inject_fault(effect, service=service, skip=4)
    sandbox.library.inv(*PROMOTION).expect_success()
    assert_as_undisturbed(sandbox, expected)


def test_a_rollout_that_is_throttled_all_the_time_deploys_to_each_environment_once(
    at: Callable[..., TeamSandbox],
) -> None:
    sandbox = at("promote-beta")
    before, logged = deployment_statuses(sandbox), len(sandbox.requests)
    sandbox.inject_fault(TOO_MANY, service="registry", every=8, times=1000)
    for service in SERVICES:
        sandbox.inject_fault(THROTTLED, service=service, every=8, times=1000)
    sandbox.library.inv("promote-beta").expect_success()
    sandbox.call_control("DELETE", "faults")
    requests = sandbox.requests[logged:]
    of_service = Counter(each["service"] for each in requests)
    refused = Counter(each["service"] for each in requests if each["status"] == 429 or "error" in each)
    assert refused == +Counter({service: number // 8 for service, number in of_service.items()})
    assert {"apprunner", "dynamodb", "registry"} <= {*refused}
    assert_deployed_once(sandbox, before, "mark", "shane", "dom")
    assert collect_outcome(sandbox).locks == ()


@pytest.mark.parametrize("effect", [{"reset": True}, BROKEN], ids=("cut off", "broken"))
def test_deployment_whose_start_response_was_lost_is_found(
    sandbox: TeamSandbox, expected: Outcome, effect: Mapping[str, object]
) -> None:
    asked = len(sandbox.requests)
    sandbox.inject_fault({**effect, "late": True}, operation="StartDeployment")
    sandbox.library.inv(*PROMOTION).expect_success()
    starts = [each["status"] for each in sandbox.requests[asked:] if each.get("operation") == "StartDeployment"]
    assert starts == ([500] if effect is BROKEN else [])  # a connection that was cut off is not in the log
    assert_as_undisturbed(sandbox, expected)


def test_slow_responses_lead_to_one_deployment_each(at: Callable[..., TeamSandbox]) -> None:
    """One tenant's registry is waited for; another's start is asked once more, while the first question lives on."""
    sandbox = at("promote-beta", "--deploy-seconds", "8")
    before = deployment_statuses(sandbox)
    sandbox.inject_fault({"latency": STALL}, service="registry", operation="PUT */manifests/v0.2.1")
    sandbox.inject_fault({"latency": STALL + 1}, operation="StartDeployment")
    began = time.monotonic()
    sandbox.library.inv("promote-beta", INVOKE_ROLLOUT_CANARY="0").expect_success()
    assert time.monotonic() - began >= STALL
    assert_deployed_once(sandbox, before, "mark", "shane", "dom")


@pytest.mark.parametrize(
    ("notices", "lasts", "started"),
    [("2", "0.5", 0), ("30", "20", 1)],
    ids=("while it is waited for", "after ours began"),
)
def test_late_automatic_deployment_is_not_doubled(
    at: Callable[..., TeamSandbox], notices: str, lasts: str, started: int
) -> None:
    sandbox = at("promote-beta", "--notice-seconds", notices, "--deploy-seconds", lasts)
    before, asked = deployment_statuses(sandbox), len(sandbox.requests)
    sandbox.library.inv("promote", "--env", "dom").expect_success()
    assert [each.get("operation") for each in sandbox.requests[asked:]].count("StartDeployment") == started
    assert_deployed_once(sandbox, before, "dom")


def assert_deployed_once(sandbox: TeamSandbox, before: Mapping[str, tuple[str, ...]], *names: str) -> None:
    """Check that tenants run the release after one deployment more than before, and that all is in order."""
    left = collect_outcome(sandbox)
    services = [f"{name}-web-service" for name in names]
    assert [left.running[each] for each in services] == [f"v0.2.1 in {name}" for name in names]
    assert [left.deployments[each] for each in services] == [("SUCCEEDED", *before[each]) for each in services]
    assert [left.ledger[f"ledger#{name}"][-1] for name in names] == [("verified", "v0.2.1")] * len(names)
    assert left.locks == ()


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("GetCallerIdentity", 3),
        ("UpdateItem", 3),
        ("TransactWriteItems", 130),
        ("PutImage", 130),
        ("StartDeployment", 130),
        ("ListOperations", 130),
    ],
)
def test_expired_credentials_are_named_and_a_second_run_finishes(
    sandbox: TeamSandbox, expected: Outcome, operation: str, code: int
) -> None:
    sandbox.inject_fault(EXPIRED, operation=operation, times=99)
    result = sandbox.library.inv(*PROMOTION)
    assert_refused(result, code)
    assert "ExpiredToken" in result.err
    assert "log in again" in result.err
    sandbox.call_control("DELETE", "faults")
    sandbox.library.inv(*PROMOTION).expect_success()
    assert_as_undisturbed(sandbox, expected)


def test_refused_start_is_a_failed_deployment_and_can_be_retried(sandbox: TeamSandbox) -> None:
    sandbox.inject_fault(DENIED, operation="StartDeployment", times=99)
    result = sandbox.library.inv(*PROMOTION)
    assert_old_release_serves(sandbox, result, 7, "failed")
    assert "AccessDeniedException" in result.err
    assert "ask for this permission" in result.err
    sandbox.call_control("DELETE", "faults")
    sandbox.library.inv(*PROMOTION).expect_success()
    assert collect_outcome(sandbox).running["prod-web-service"] == "v0.2.1 in prod"


def test_layers_that_cannot_be_mounted_are_uploaded(sandbox: TeamSandbox, expected: Outcome) -> None:
    sandbox.inject_fault({"without": ["mount", "from"]}, times=9, service="registry", operation="POST *")
    result = sandbox.library.inv(*PROMOTION).expect_success()
    assert "uploaded" in result.out
    assert "mounted" not in result.out
    assert_as_undisturbed(sandbox, expected)


def test_version_tag_created_concurrently_is_not_moved(sandbox: TeamSandbox) -> None:
    sandbox.inject_fault({"park": True}, service="registry", operation="PUT */manifests/v0.2.1")
    command = sandbox.library.start(*PROMOTION)
    assert sandbox.call_control("GET", "parked?seconds=100")
    tag(sandbox, "v0.2.0", "v0.2.1")
    sandbox.call_control("POST", "parked", {"drop": False})
    assert_refused(wait_for_result(command), 6)
    assert ("latest", "v0.2.0", "v0.2.1") in collect_outcome(sandbox).images["prod-web-app"]


def tag(sandbox: TeamSandbox, name: str, another: str) -> None:
    """Give an image in prod's repository another tag."""
    (image,) = sandbox.call_aws("ecr", "BatchGetImage", repositoryName="prod-web-app", imageIds=[{"imageTag": name}])[
        "images"
    ]
    sandbox.call_aws(
        "ecr", "PutImage", repositoryName="prod-web-app", imageManifest=image["imageManifest"], imageTag=another
    )


def released(at: Callable[..., TeamSandbox], code: bytes) -> TeamSandbox:
    """Return the moment at which an app with this code at its top can be promoted."""
    sandbox = at("release-staging")
    app = (sandbox.repository.path / "web.py").read_bytes()
    sandbox.repository.commit({"web.py": code + app})
    sandbox.library.inv("release-staging").expect_success()
    return sandbox


def test_deployment_rolled_back_by_app_runner_fails_and_can_be_retried(at: Callable[..., TeamSandbox]) -> None:
    sandbox = released(at, DIES_IN_PROD)
    for _ in range(2):
        assert_old_release_serves(sandbox, sandbox.library.inv(*PROMOTION), 7, "failed")


def test_hanging_deployment_fails_at_the_deadline(at: Callable[..., TeamSandbox]) -> None:
    sandbox = released(at, HANGS_IN_PROD)
    result = sandbox.library.inv(*PROMOTION, INVOKE_DEPLOY_TIMEOUT="1s")
    assert_refused(result, 7)
    left = collect_outcome(sandbox)
    assert left.running["prod-web-service"] == "v0.2.0 in prod"
    assert left.locks == ()


def test_deployment_missing_from_the_list_is_waited_for(sandbox: TeamSandbox, expected: Outcome) -> None:
    sandbox.inject_fault({"reply": {"OperationSummaryList": []}}, operation="ListOperations", times=5)
    sandbox.library.inv(*PROMOTION).expect_success()
    assert_as_undisturbed(sandbox, expected)


def test_paused_service_is_refused(sandbox: TeamSandbox) -> None:
    change(sandbox, "PauseService")
    result = sandbox.library.inv(*PROMOTION, INVOKE_DEPLOY_TIMEOUT="2s")
    assert result.code in (3, 7), result
    sandbox.call_aws("apprunner", "ResumeService", ServiceArn=arn_of_prod(sandbox))
    sandbox.wait_until_idle()
    assert collect_outcome(sandbox).running["prod-web-service"] == "v0.2.0 in prod"
    sandbox.library.inv(*PROMOTION).expect_success()
    assert collect_outcome(sandbox).running["prod-web-service"] == "v0.2.1 in prod"


def test_deleted_service_is_refused(sandbox: TeamSandbox) -> None:
    change(sandbox, "DeleteService")
    result = sandbox.library.inv(*PROMOTION)
    assert_refused(result, 3)


def change(sandbox: TeamSandbox, operation: str) -> None:
    """Pause or delete prod's service, and wait until that is so."""
    sandbox.call_aws("apprunner", operation, ServiceArn=arn_of_prod(sandbox))
    sandbox.wait_until_idle()


def arn_of_prod(sandbox: TeamSandbox) -> str:
    """Return the name of prod's service among all of AWS."""
    return sandbox.services["prod-web-service"]["ServiceArn"]


def test_busy_service_is_waited_for(at: Callable[..., TeamSandbox]) -> None:
    sandbox = at("promote-prod", "--deploy-seconds", "1.5")
    sandbox.call_aws("apprunner", "StartDeployment", ServiceArn=arn_of_prod(sandbox))
    sandbox.library.inv(*PROMOTION).expect_success()
    left = collect_outcome(sandbox)
    assert left.running["prod-web-service"] == "v0.2.1 in prod"
    assert left.deployments["prod-web-service"] == ("SUCCEEDED",) * 3


def flapping(settles: int) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return an app whose instances answer in turns, up to the given answer."""
    count = itertools.count()

    def answer(app: BaseHTTPRequestHandler) -> None:
        number = next(count)
        version = "v0.2.1" if number % 2 or number >= settles else "v0.2.0"
        bad_servers.send_body(app, json.dumps({"version": version, "environment": "prod"}).encode())

    return answer


def test_app_that_alternates_between_versions_is_not_verified(sandbox: TeamSandbox) -> None:
    with bad_servers.serve(flapping(10**9)) as url:
        result = sandbox.library.inv(*PROMOTION, INVOKE_ENVIRONMENTS_PROD_URL=url, **IMPATIENT)
    assert_old_release_serves(sandbox, result, 10, "deployed")


def test_app_that_settles_on_the_new_version_is_verified(sandbox: TeamSandbox, expected: Outcome) -> None:
    with bad_servers.serve(flapping(7)) as url:
        sandbox.library.inv(*PROMOTION, INVOKE_ENVIRONMENTS_PROD_URL=url).expect_success()
    assert_as_undisturbed(sandbox, expected)


def test_failed_tenant_does_not_stop_the_others(at: Callable[..., TeamSandbox]) -> None:
    sandbox = at("promote-beta")
    with bad_servers.serve(bad_servers.previous_version) as url:
        result = sandbox.library.inv("promote-beta", INVOKE_ENVIRONMENTS_SHANE_URL=url, INVOKE_VERIFY_TIMEOUT="10s")
    assert_refused(result, 9)
    left = collect_outcome(sandbox)
    assert [left.running[f"{name}-web-service"] for name in ("mark", "shane", "dom")] == [
        "v0.2.1 in mark",
        "v0.2.0 in shane",
        "v0.2.1 in dom",
    ]
    assert ("latest", "v0.2.0") in left.images["shane-web-app"]
    assert left.ledger["ledger#dom"][-1] == ("verified", "v0.2.1")
    assert ("failed", "v0.2.1") in left.ledger["ledger#shane"]
    sandbox.library.inv("promote-beta").expect_success()
    assert set(collect_outcome(sandbox).running.values()) >= {"v0.2.1 in shane"}
