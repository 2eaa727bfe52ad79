"""Failed commands exit with the documented code, and running them again continues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import new_workspace
from tests.support import bad_servers
from tests.support.base_image import base_image
from tests.support.workspaces import LOCK_JOURNAL, Workspace, assert_refused, mutating_operations

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from tests.support.local_cloud import Cloud

pytestmark = pytest.mark.e2e

CRASHING = "raise SystemExit('no database')\n"


UNSEEN = ("/.git/objects/", "/.git/refs/kaizen", LOCK_JOURNAL)
"""Files of a release in progress (private refs) and of released locks, which may change."""


def test_bundle_without_a_command_changes_nothing(unreleased: Workspace) -> None:
    text = (unreleased.clone / "kaizen.toml").read_text()
    dockerfile = (unreleased.clone / "Dockerfile").read_text()
    (unreleased.clone / "README.md").write_text("The checklist wants a word about it.\n")
    (unreleased.clone / "Dockerfile").write_text(dockerfile.replace('CMD ["python", "-m", "coach"]', ""))
    unreleased.commit("kaizen.toml", text.replace('command = ["python", "-m", "coach"]', "command = []"))
    before = unreleased.all_files
    result = unreleased.inv("release-staging")
    assert_refused(result, 5)
    assert "build.command" in result.err
    assert unreleased.changed_files(before, excluding=UNSEEN) == []


@pytest.mark.docker
def test_failed_build_changes_nothing(unreleased: Workspace) -> None:
    dockerfile = (unreleased.clone / "Dockerfile").read_text()
    unreleased.commit("Dockerfile", dockerfile + '\nRUN ["python", "-c", "raise SystemExit(\'no compiler here\')"]\n')
    (unreleased.clone / "README.md").write_text("The checklist wants a word about it.\n")
    unreleased.git("commit", "--quiet", "--all", "--message", "Words")
    before = unreleased.all_files
    result = unreleased.inv("release-staging", INVOKE_BUILD_ENGINE="docker", INVOKE_BUILD_ARGS_BASE=base_image())
    assert_refused(result, 5)
    assert "no compiler here" in result.err
    assert unreleased.changed_files(before, excluding=UNSEEN) == []


def test_release_refused_by_the_registry_can_be_run_again(workspace: Workspace, cloud: Cloud) -> None:
    before, tags = workspace.all_files, images(workspace, cloud)
    refusal = {"error": {"code": "UNAUTHORIZED", "status": 401}}
    cloud.inject_fault({"service": "registry", "operation": "POST /v2/*"}, refusal)
    result = workspace.inv("release-staging")
    assert_refused(result, 6)
    assert images(workspace, cloud) == tags
    assert workspace.changed_files(before, excluding=(*UNSEEN, "/registry/", "/coach.git/")) == []
    workspace.inv("release-staging").expect_success()
    assert images(workspace, cloud) == {"latest", "v0.1.7", "v0.2.0"}


def images(workspace: Workspace, cloud: Cloud) -> set[str]:
    """Return the tags in the repository of staging."""
    details = cloud.client("ecr").describe_images(repositoryName=f"staging-{workspace.app}-app")["imageDetails"]
    return {tag for each in details for tag in each.get("imageTags", ())}


def test_throttled_requests_are_retried(workspace: Workspace, cloud: Cloud) -> None:
    throttled = {"error": {"code": "ThrottlingException", "status": 400}}
    for service in ("ecr", "apprunner", "dynamodb"):
        cloud.inject_fault({"service": service}, throttled)
    workspace.inv("release-staging").expect_success()


@pytest.fixture(scope="module")
def released(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return an app whose v0.2.0 is verified in staging, and which has prod too."""
    workspace = new_workspace(cloud, tmp_path_factory.mktemp("released"), "[environments.prod]\n")
    workspace.inv("release-staging").expect_success()
    return workspace


@pytest.mark.parametrize("answer", bad_servers.BAD_RESPONSES, ids=lambda answer: answer.__name__)
def test_verify_fails_on_a_bad_version_response(
    released: Workspace, answer: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    before, asked = released.refs, len(released.requests)
    with bad_servers.serve(answer) as url:
        result = released.inv(
            "verify", "--env", "staging", INVOKE_ENVIRONMENTS_STAGING_URL=url, INVOKE_VERIFY_TIMEOUT="1s"
        )
    assert_refused(result, 8)
    assert url in result.err
    assert "\x1b" not in result.out + result.err
    assert mutating_operations(released.requests[asked:]) in ([], ["TransactWriteItems"])  # the ledger, once
    assert released.refs == before


def test_release_that_failed_later_is_promoted_only_once_it_is_verified_again(released: Workspace) -> None:
    with bad_servers.serve(bad_servers.server_error) as url:
        released.inv("verify", "--env", "staging", INVOKE_ENVIRONMENTS_STAGING_URL=url, INVOKE_VERIFY_TIMEOUT="1s")
    refused = released.inv("promote-prod")
    assert_refused(refused, 3)
    assert refused.err.startswith("error: v0.2.0 failed in staging ")
    assert "inv verify --env staging --release v0.2.0" in refused.err
    released.inv("verify", "--env", "staging", "--release", "v0.2.0").expect_success()
    released.inv("promote-prod").expect_success()


def test_rollback_copies_an_image_back_that_its_repository_has_lost(
    create_app: Callable[..., Workspace], cloud: Cloud
) -> None:
    """And the release that was rolled back is not promoted."""
    workspace = create_app(further="[environments.prod]\n")
    for _ in range(2):
        workspace.inv("release-staging").expect_success()
        workspace.inv("promote-prod").expect_success()
        workspace.add_changelog_entry("A typo")
    repository = f"staging-{workspace.app}-app"
    cloud.client("ecr").batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "v0.2.0"}])
    rolled_back = workspace.inv("rollback", "--env", "staging", "--reason", "Too slow.").expect_success()
    assert f"v0.2.0 is copied back from prod-{workspace.app}-app" in rolled_back.out
    assert staging(workspace)["running"]["version"] == "v0.2.0"
    refused = workspace.inv("promote-prod", "--release", "v0.2.1")
    assert_refused(refused, 3)
    assert "v0.2.1 was rolled back in staging" in refused.err
    assert "Too slow." in refused.err
    workspace.inv("promote-prod", "--release", "v0.2.1", "--without-evidence", "It is fine.").expect_success()


def test_unverified_first_release_is_finished_by_a_second_run(workspace: Workspace) -> None:
    with bad_servers.serve(bad_servers.old_version) as url:
        result = workspace.inv("release-staging", INVOKE_ENVIRONMENTS_STAGING_URL=url, INVOKE_VERIFY_TIMEOUT="1s")
    assert_refused(result, 8)
    assert "v0.1.7" in result.err
    assert workspace.git("tag") == ""
    workspace.inv("release-staging").expect_success()
    assert workspace.git("tag") == "v0.2.0\n"


@pytest.mark.parametrize(("answer", "code"), [(bad_servers.previous_version, 8), (bad_servers.html_page, 10)])
def test_unverified_release_is_rolled_back(
    workspace: Workspace, answer: Callable[[BaseHTTPRequestHandler], None], code: int
) -> None:
    workspace.inv("release-staging").expect_success()
    good = staging(workspace)
    workspace.add_changelog_entry("A typo")
    with bad_servers.serve(answer) as url:
        result = workspace.inv("release-staging", INVOKE_ENVIRONMENTS_STAGING_URL=url, INVOKE_VERIFY_TIMEOUT="5s")
    assert_refused(result, code)
    assert "v0.2.0" in result.err
    after = staging(workspace)
    assert (after["digest"], after["running"]) == (good["digest"], good["running"])
    assert workspace.git("tag") == "v0.2.0\n"


def test_release_is_not_rolled_back_because_of_a_cache(workspace: Workspace) -> None:
    workspace.inv("release-staging").expect_success()
    workspace.add_changelog_entry("A typo")
    with bad_servers.serve(bad_servers.cached_version) as url:
        result = workspace.inv(
            "release-staging",
            INVOKE_ENVIRONMENTS_STAGING_URL=url,
            INVOKE_VERIFY_TIMEOUT="1s",
            INVOKE_VERIFY_INTERVAL="20ms",
        )
    assert_refused(result, 8)
    assert f"{url}/version answers from a cache (Age: 37), which proves nothing about v0.2.1" in result.err
    found = staging(workspace)
    assert (found["running"]["version"], found["ledger"]["event"]) == ("v0.2.1", "deployed")
    workspace.inv("release-staging").expect_success()
    assert workspace.git("tag") == "v0.2.0\nv0.2.1\n"


def staging(workspace: Workspace) -> dict[str, Any]:
    """Return the status of staging."""
    found: dict[str, Any] = workspace.inv("status", "--json").document["environments"]["staging"]
    return found


def test_latest_tag_is_restored_after_app_runner_rolls_back(workspace: Workspace, cloud: Cloud) -> None:
    workspace.inv("release-staging").expect_success()
    good = staging(workspace)
    whole = (workspace.clone / "coach/__main__.py").read_text()
    workspace.commit("coach/__main__.py", CRASHING)
    workspace.add_changelog_entry("A crash")
    result = workspace.inv("release-staging")
    assert_refused(result, 7)
    after = staging(workspace)
    assert (after["digest"], after["running"]) == (good["digest"], good["running"])
    assert after["ledger"]["event"] == "failed"
    assert images(workspace, cloud) == {"latest", "v0.1.7", "v0.2.0", "v0.2.1"}
    assert_a_mended_app_goes_on(workspace, whole)


def assert_a_mended_app_goes_on(workspace: Workspace, whole: str) -> None:
    """Run the command that the hint of a failed deployment names."""
    workspace.commit("coach/__main__.py", whole)
    workspace.add_changelog_entry("No crash")
    workspace.inv("release-staging", "--part", "patch").expect_success()
    after = staging(workspace)
    assert (after["running"]["version"], after["drift"]) == ("v0.2.2", [])


def test_failed_canary_stops_the_rollout_and_is_named(create_app: Callable[..., Workspace]) -> None:
    tenants = "".join(f"[environments.{name}]\n" for name in ("prod", "mark", "shane", "dom"))
    workspace = create_app(further=tenants + '[groups]\nbeta = ["mark", "shane", "dom"]\n')
    text = (workspace.clone / "kaizen.toml").read_text().replace('"prod"]', '"beta"]')
    workspace.commit("kaizen.toml", text)
    workspace.inv("release-staging").expect_success()
    with bad_servers.serve(bad_servers.old_version) as url:
        result = workspace.inv("promote-beta", INVOKE_ENVIRONMENTS_MARK_URL=url, INVOKE_VERIFY_TIMEOUT="1s")
    assert_refused(result, 9)
    assert "failed: mark; untouched: shane, dom" in result.err
    workspace.inv("promote-beta").expect_success()
    status = workspace.inv("status", "--json").document["environments"]
    assert [status[name]["running"]["version"] for name in ("mark", "shane", "dom")] == ["v0.2.0"] * 3
