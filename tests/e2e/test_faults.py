"""What goes wrong outside in the middle of a rollout: the exit code, the ledger and `:latest` say it as it is."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.crash.cloud_fork_server import CloudForkServer
from tests.crash.library import wait_for_result
from tests.crash.outcomes import Outcome, collect_outcome, deployment_statuses
from tests.crash.rollout_cases import sandboxes_before_rollouts
from tests.support import bad_servers
from tests.support.workspace import assert_refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from http.server import BaseHTTPRequestHandler

    from tests.crash.sandbox import TeamSandbox
    from tests.support.workspace import CommandResult

pytestmark = pytest.mark.e2e

PROMOTION = ("promote-prod", "--yes")
IMPATIENT = {"INVOKE_VERIFY_TIMEOUT": "400ms"}
SERVICES = ("sts", "ecr", "apprunner", "dynamodb")
THROTTLED = {"error": {"code": "ThrottlingException", "status": 400}}
TOO_MANY = {"error": {"code": "TOOMANYREQUESTS", "status": 429}}
STALL = 30.0
"""Seconds that an answer takes: as long as a client of AWS waits for one."""
BROKEN = {"error": {"code": "InternalServerError", "status": 500}}
EXPIRED = {"error": {"code": "ExpiredTokenException", "status": 400}}
DIES_IN_PROD = b'import os\nif os.environ["ENVIRONMENT"] == "prod":\n    raise SystemExit("no database")\n'
HANGS_IN_PROD = b'import os, time\nif os.environ["ENVIRONMENT"] == "prod":\n    time.sleep(600)\n'


@pytest.fixture(scope="module")
def fork_server() -> Iterator[CloudForkServer]:
    with CloudForkServer() as fork_server:
        yield fork_server


@pytest.fixture(scope="module")
def moments(fork_server: CloudForkServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, TeamSandbox]:
    return sandboxes_before_rollouts(tmp_path_factory.mktemp("moments"), fork_server, until="promote-beta")


@pytest.fixture
def at(
    moments: dict[str, TeamSandbox], fork_server: CloudForkServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., TeamSandbox]]:
    """Return what makes a copy of a moment."""
    risen: list[TeamSandbox] = []

    def copied(name: str, *options: str) -> TeamSandbox:
        risen.append(moments[name].copy_to(tmp_path_factory.mktemp("at") / "copy").start_cloud(fork_server, *options))
        return risen[-1]

    yield copied
    for each in risen:
        each.destroy()


@pytest.fixture
def here(at: Callable[..., TeamSandbox]) -> TeamSandbox:
    """Return the moment at which v0.2.1 can be promoted to prod."""
    return at("promote-prod")


@pytest.fixture(scope="module")
def wanted(
    moments: dict[str, TeamSandbox], fork_server: CloudForkServer, tmp_path_factory: pytest.TempPathFactory
) -> Outcome:
    """Return what an undisturbed promotion leaves."""
    copy = moments["promote-prod"].copy_to(tmp_path_factory.mktemp("wanted") / "copy").start_cloud(fork_server)
    copy.library.inv(*PROMOTION).expect_success()
    try:
        return collect_outcome(copy)
    finally:
        copy.destroy()


def assert_as_undisturbed(here: TeamSandbox, wanted: Outcome) -> None:
    """Check that one promotion has happened, and nothing else."""
    assert list(wanted.differences(collect_outcome(here))) == []


def assert_old_release_serves(here: TeamSandbox, said: CommandResult, code: int, event: str) -> None:
    """Check how a promotion failed: v0.2.0 is serving, `:latest` names it, and the ledger says what happened."""
    assert_refused(said, code)
    left = collect_outcome(here)
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
def test_hiccups_of_every_service_only_take_longer(
    here: TeamSandbox, wanted: Outcome, effect: Mapping[str, object], of_registry: Mapping[str, object]
) -> None:
    here.inject_fault(of_registry, service="registry", skip=1)
    for service in SERVICES:
        here.inject_fault(effect, service=service)
        here.inject_fault(effect, service=service, skip=4)
    here.library.inv(*PROMOTION).expect_success()
    assert_as_undisturbed(here, wanted)


def test_a_start_whose_answer_was_lost_is_found_again(here: TeamSandbox, wanted: Outcome) -> None:
    here.inject_fault({"reset": True, "late": True}, operation="StartDeployment")
    here.library.inv(*PROMOTION).expect_success()
    assert [each for each in here.requests if each.get("operation") == "StartDeployment"]
    assert_as_undisturbed(here, wanted)


def test_answers_that_take_half_a_minute_end_in_one_deployment_each(at: Callable[..., TeamSandbox]) -> None:
    """One tenant's registry is waited for; another's start is asked once more, while the first question lives on."""
    here = at("promote-beta", "--deploy-seconds", "3")
    before = deployment_statuses(here)
    here.inject_fault({"latency": STALL}, service="registry", operation="PUT */manifests/v0.2.1")
    here.inject_fault({"latency": STALL + 1}, operation="StartDeployment")
    began = time.monotonic()
    here.library.inv("promote-beta", INVOKE_ROLLOUT_CANARY="0").expect_success()
    assert time.monotonic() - began >= STALL
    assert_deployed_once(here, before, "mark", "shane", "dom")


@pytest.mark.parametrize(
    ("notices", "lasts", "started"),
    [("2", "0.5", 0), ("23", "6", 1)],
    ids=("while it is waited for", "after ours began"),
)
def test_a_deployment_by_itself_that_begins_late_is_the_only_one_or_none(
    at: Callable[..., TeamSandbox], notices: str, lasts: str, started: int
) -> None:
    here = at("promote-beta", "--notice-seconds", notices, "--deploy-seconds", lasts)
    before, asked = deployment_statuses(here), len(here.requests)
    here.library.inv("promote", "--env", "dom").expect_success()
    assert [each.get("operation") for each in here.requests[asked:]].count("StartDeployment") == started
    assert_deployed_once(here, before, "dom")


def assert_deployed_once(here: TeamSandbox, before: Mapping[str, tuple[str, ...]], *names: str) -> None:
    """Check that tenants run the release after one deployment more than before, and that all is in order."""
    left = collect_outcome(here)
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
        ("PutItem", 130),
        ("PutImage", 130),
        ("StartDeployment", 130),
        ("ListOperations", 130),
    ],
)
def test_credentials_that_expire_are_said_and_the_same_command_finishes(
    here: TeamSandbox, wanted: Outcome, operation: str, code: int
) -> None:
    here.inject_fault(EXPIRED, operation=operation, times=99)
    said = here.library.inv(*PROMOTION)
    assert_refused(said, code)
    assert "ExpiredToken" in said.err
    assert "log in again" in said.err
    here.call_control("DELETE", "faults")
    here.library.inv(*PROMOTION).expect_success()
    assert_as_undisturbed(here, wanted)


def test_layers_that_cannot_be_mounted_are_transferred(here: TeamSandbox, wanted: Outcome) -> None:
    here.inject_fault({"without": ["mount", "from"]}, times=9, service="registry", operation="POST *")
    said = here.library.inv(*PROMOTION).expect_success()
    assert "uploaded" in said.out
    assert "mounted" not in said.out
    assert_as_undisturbed(here, wanted)


def test_a_tag_that_appears_at_the_last_moment_stays_where_it_is(here: TeamSandbox) -> None:
    here.call_aws("ecr", "PutImageTagMutability", repositoryName="prod-web-app", imageTagMutability="IMMUTABLE")
    here.inject_fault({"park": True}, service="registry", operation="PUT */manifests/v0.2.1")
    command = here.library.start(*PROMOTION)
    assert here.call_control("GET", "parked?seconds=100")
    tag(here, "v0.2.0", "v0.2.1")
    here.call_control("POST", "parked", {"drop": False})
    assert_refused(wait_for_result(command), 6)
    assert ("latest", "v0.2.0", "v0.2.1") in collect_outcome(here).images["prod-web-app"]


def tag(here: TeamSandbox, name: str, another: str) -> None:
    """Give an image in prod's repository another tag."""
    (image,) = here.call_aws("ecr", "BatchGetImage", repositoryName="prod-web-app", imageIds=[{"imageTag": name}])[
        "images"
    ]
    here.call_aws(
        "ecr", "PutImage", repositoryName="prod-web-app", imageManifest=image["imageManifest"], imageTag=another
    )


def released(at: Callable[..., TeamSandbox], code: bytes) -> TeamSandbox:
    """Return the moment at which an app with this code at its top can be promoted."""
    here = at("release-staging")
    app = (here.repository.path / "web.py").read_bytes()
    here.repository.commit({"web.py": code + app})
    here.library.inv("release-staging").expect_success()
    return here


def test_a_deployment_that_is_rolled_back_fails_and_may_be_tried_again(at: Callable[..., TeamSandbox]) -> None:
    here = released(at, DIES_IN_PROD)
    for _ in range(2):
        assert_old_release_serves(here, here.library.inv(*PROMOTION), 7, "failed")


def test_a_deployment_that_hangs_is_waited_for_until_the_deadline(at: Callable[..., TeamSandbox]) -> None:
    here = released(at, HANGS_IN_PROD)
    said = here.library.inv(*PROMOTION, INVOKE_DEPLOY_TIMEOUT="1s")
    assert_refused(said, 7)
    left = collect_outcome(here)
    assert left.running["prod-web-service"] == "v0.2.0 in prod"
    assert left.locks == ()


def test_a_deployment_that_disappears_from_the_list_is_waited_for(here: TeamSandbox, wanted: Outcome) -> None:
    here.inject_fault({"reply": {"OperationSummaryList": []}}, operation="ListOperations", times=5)
    here.library.inv(*PROMOTION).expect_success()
    assert_as_undisturbed(here, wanted)


def test_a_service_that_is_paused_is_refused(here: TeamSandbox) -> None:
    change(here, "PauseService")
    said = here.library.inv(*PROMOTION, INVOKE_DEPLOY_TIMEOUT="2s")
    assert said.code in (3, 7), said
    here.call_aws("apprunner", "ResumeService", ServiceArn=arn_of_prod(here))
    here.wait_until_idle()
    assert collect_outcome(here).running["prod-web-service"] == "v0.2.0 in prod"
    here.library.inv(*PROMOTION).expect_success()
    assert collect_outcome(here).running["prod-web-service"] == "v0.2.1 in prod"


def test_a_service_that_was_deleted_is_refused(here: TeamSandbox) -> None:
    change(here, "DeleteService")
    said = here.library.inv(*PROMOTION)
    assert_refused(said, 3)


def change(here: TeamSandbox, operation: str) -> None:
    """Pause or delete prod's service, and wait until that is so."""
    here.call_aws("apprunner", operation, ServiceArn=arn_of_prod(here))
    here.wait_until_idle()


def arn_of_prod(here: TeamSandbox) -> str:
    """Return the name of prod's service among all of AWS."""
    return here.services["prod-web-service"]["ServiceArn"]


def test_a_service_that_is_busy_is_waited_for(at: Callable[..., TeamSandbox]) -> None:
    here = at("promote-prod", "--deploy-seconds", "1.5")
    here.call_aws("apprunner", "StartDeployment", ServiceArn=arn_of_prod(here))
    here.library.inv(*PROMOTION).expect_success()
    left = collect_outcome(here)
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


def test_an_app_that_flaps_between_two_versions_proves_nothing(here: TeamSandbox) -> None:
    with bad_servers.serve(flapping(10**9)) as url:
        said = here.library.inv(*PROMOTION, INVOKE_ENVIRONMENTS_PROD_URL=url, **IMPATIENT)
    assert_old_release_serves(here, said, 10, "deployed")


def test_an_app_that_settles_on_the_new_version_has_proven_it(here: TeamSandbox, wanted: Outcome) -> None:
    with bad_servers.serve(flapping(7)) as url:
        here.library.inv(*PROMOTION, INVOKE_ENVIRONMENTS_PROD_URL=url).expect_success()
    assert_as_undisturbed(here, wanted)


def test_tenants_that_fail_leave_the_others_their_release(at: Callable[..., TeamSandbox]) -> None:
    here = at("promote-beta")
    with bad_servers.serve(bad_servers.previous_version) as url:
        said = here.library.inv("promote-beta", INVOKE_ENVIRONMENTS_SHANE_URL=url, **IMPATIENT)
    assert_refused(said, 9)
    left = collect_outcome(here)
    assert [left.running[f"{name}-web-service"] for name in ("mark", "shane", "dom")] == [
        "v0.2.1 in mark",
        "v0.2.0 in shane",
        "v0.2.1 in dom",
    ]
    assert ("latest", "v0.2.0") in left.images["shane-web-app"]
    assert left.ledger["ledger#dom"][-1] == ("verified", "v0.2.1")
    assert ("failed", "v0.2.1") in left.ledger["ledger#shane"]
    here.library.inv("promote-beta").expect_success()
    assert set(collect_outcome(here).running.values()) >= {"v0.2.1 in shane"}
