"""What goes wrong on the way ends with the exit code of its kind, in a state that the same command goes on from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest

from tests.support import bad_servers
from tests.support.base_image import base_image
from tests.support.workspace import LOCK_JOURNAL, Workspace, assert_refused, mutating_operations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http.server import BaseHTTPRequestHandler

    from tests.support.local_cloud import Cloud

pytestmark = pytest.mark.e2e

CRASHING = "raise SystemExit('no database')\n"


UNSEEN = ("/.git/objects/", "/.git/refs/kaizen", LOCK_JOURNAL)
"""Where a begun release is kept, which no other tool shows, and the locks that were given back."""


def test_a_build_without_a_command_leaves_no_trace(ahead: Workspace) -> None:
    text = (ahead.clone / "kaizen.toml").read_text()
    ahead.commit("kaizen.toml", text.replace('command = ["python", "-m", "coach"]', "command = []"))
    before = ahead.all_files
    said = ahead.inv("release-staging")
    assert_refused(said, 5)
    assert "build.command" in said.err
    assert ahead.changed_files(before, excluding=UNSEEN) == []


@pytest.mark.docker
def test_a_build_that_fails_leaves_no_trace(ahead: Workspace) -> None:
    dockerfile = (ahead.clone / "Dockerfile").read_text()
    ahead.commit("Dockerfile", dockerfile + '\nRUN ["python", "-c", "raise SystemExit(\'no compiler here\')"]\n')
    (ahead.clone / "README.md").write_text("The checklist wants a word about it.\n")
    ahead.git("commit", "--quiet", "--all", "--message", "Words")
    before = ahead.all_files
    said = ahead.inv("release-staging", INVOKE_BUILD_ENGINE="docker", INVOKE_BUILD_ARGS_BASE=base_image())
    assert_refused(said, 5)
    assert "no compiler here" in said.err
    assert ahead.changed_files(before, excluding=UNSEEN) == []


def test_a_registry_that_refuses_the_password_is_asked_again_by_the_same_command(
    world: Workspace, cloud: Cloud
) -> None:
    before, tags = world.all_files, images(world, cloud)
    refusal = {"error": {"code": "UNAUTHORIZED", "status": 401}}
    arrange(cloud.endpoint_url, {"service": "registry", "operation": "POST /v2/*"}, refusal)
    said = world.inv("release-staging")
    assert_refused(said, 6)
    assert images(world, cloud) == tags
    assert world.changed_files(before, excluding=(*UNSEEN, "/registry/")) == []
    world.inv("release-staging").expect_success()
    assert images(world, cloud) == {"latest", "v0.1.7", "v0.2.0"}


def images(world: Workspace, cloud: Cloud) -> set[str]:
    """Return the tags in the app's first repository."""
    details = cloud.client("ecr").describe_images(repositoryName=f"staging-{world.app}-app")["imageDetails"]
    return {tag for each in details for tag in each.get("imageTags", ())}


def test_a_throttled_cloud_only_takes_longer(world: Workspace) -> None:
    throttled = {"error": {"code": "ThrottlingException", "status": 400}}
    for service in ("ecr", "apprunner", "dynamodb"):
        arrange(world.environ["AWS_ENDPOINT_URL"], {"service": service}, throttled)
    world.inv("release-staging").expect_success()


@pytest.mark.parametrize("answer", bad_servers.BAD_RESPONSES, ids=lambda answer: answer.__name__)
def test_an_app_that_does_not_prove_its_version_fails(
    demo: Workspace, answer: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    before, asked = demo.refs, len(demo.requests)
    with bad_servers.serve(answer) as url:
        said = demo.inv(
            "verify", "--env", "staging", INVOKE_ENVIRONMENTS_STAGING_URL=url, INVOKE_VERIFY_TIMEOUT="500ms"
        )
    assert_refused(said, 8)
    assert url in said.err
    assert "\x1b" not in said.out + said.err
    assert mutating_operations(demo.requests[asked:]) == []
    assert demo.refs == before


def test_a_first_release_that_does_not_prove_itself_is_finished_by_the_same_command(world: Workspace) -> None:
    with bad_servers.serve(bad_servers.old_version) as url:
        said = world.inv("release-staging", INVOKE_ENVIRONMENTS_STAGING_URL=url, INVOKE_VERIFY_TIMEOUT="300ms")
    assert_refused(said, 8)
    assert "v0.1.7" in said.err
    assert world.git("tag") == ""
    world.inv("release-staging").expect_success()
    assert world.git("tag") == "v0.2.0\n"


@pytest.mark.parametrize(("answer", "code"), [(bad_servers.previous_version, 8), (bad_servers.html_page, 10)])
def test_a_release_that_does_not_prove_itself_makes_way_for_the_one_before(
    world: Workspace, answer: Callable[[BaseHTTPRequestHandler], None], code: int
) -> None:
    world.inv("release-staging").expect_success()
    good = staging(world)
    world.add_changelog_entry("A typo")
    with bad_servers.serve(answer) as url:
        said = world.inv("release-staging", INVOKE_ENVIRONMENTS_STAGING_URL=url, INVOKE_VERIFY_TIMEOUT="300ms")
    assert_refused(said, code)
    assert "v0.2.0" in said.err
    after = staging(world)
    assert (after["digest"], after["running"]) == (good["digest"], good["running"])
    assert world.git("tag") == "v0.2.0\n"


def staging(world: Workspace) -> dict[str, Any]:
    """Return what `status` says of the first environment."""
    found: dict[str, Any] = world.inv("status", "--json").document["environments"]["staging"]
    return found


def test_a_service_that_rolls_back_gets_its_tag_back(world: Workspace, cloud: Cloud) -> None:
    world.inv("release-staging").expect_success()
    good = staging(world)
    whole = (world.clone / "coach/__main__.py").read_text()
    world.commit("coach/__main__.py", CRASHING)
    world.add_changelog_entry("A crash")
    said = world.inv("release-staging")
    assert_refused(said, 7)
    after = staging(world)
    assert (after["digest"], after["running"]) == (good["digest"], good["running"])
    assert after["ledger"]["event"] == "failed"
    assert images(world, cloud) == {"latest", "v0.1.7", "v0.2.0", "v0.2.1"}
    assert_a_mended_app_goes_on(world, whole)


def assert_a_mended_app_goes_on(world: Workspace, whole: str) -> None:
    """Do what the message of a failed deployment says."""
    world.commit("coach/__main__.py", whole)
    world.add_changelog_entry("No crash")
    world.inv("release-staging", "--part", "patch").expect_success()
    after = staging(world)
    assert (after["running"]["version"], after["drift"]) == ("v0.2.2", [])


def test_one_tenant_that_fails_is_named_and_stops_the_others(establish: Callable[..., Workspace]) -> None:
    tenants = "".join(f"[environments.{name}]\n" for name in ("prod", "mark", "shane", "dom"))
    world = establish(further=tenants + '[groups]\nbeta = ["mark", "shane", "dom"]\n')
    text = (world.clone / "kaizen.toml").read_text().replace('"prod"]', '"beta"]')
    world.commit("kaizen.toml", text)
    world.inv("release-staging").expect_success()
    with bad_servers.serve(bad_servers.old_version) as url:
        said = world.inv("promote-beta", INVOKE_ENVIRONMENTS_MARK_URL=url, INVOKE_VERIFY_TIMEOUT="300ms")
    assert_refused(said, 9)
    assert "failed: mark; untouched: shane, dom" in said.err
    world.inv("promote-beta").expect_success()
    status = world.inv("status", "--json").document["environments"]
    assert [status[name]["running"]["version"] for name in ("mark", "shane", "dom")] == ["v0.2.0"] * 3


def arrange(endpoint: str, match: dict[str, str], effect: Mapping[str, object], times: int = 1) -> None:
    """Script the local cloud to misbehave."""
    document = json.dumps({"match": match, "do": effect, "times": times}).encode()
    with urlopen(Request(f"{endpoint}/_kaizen/faults", data=document, method="POST")) as answer:
        assert answer.status == 204
