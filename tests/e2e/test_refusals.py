"""What cannot be done is refused in three lines, before anything has changed."""

from __future__ import annotations

import shutil
import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.workspaces import LOCK_JOURNAL, Workspace, assert_refused

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e


MALFORMED = {
    "empty": b"",
    "a v": b"v1.2.3\n",
    "two parts": b"1.2\n",
    "more lines": b"1.2.3\n\nfoo\n",
    "not UTF-8": b"\xff\xfe1.2.3\n",
    "a leading zero": b"1.02.3\n",
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_malformed_version_is_refused(unreleased: Workspace, content: bytes) -> None:
    (unreleased.clone / "VERSION").write_bytes(content)
    before = unreleased.all_files
    result = unreleased.inv("release-staging")
    assert_refused(result, 2)
    assert "VERSION" in result.err
    assert unreleased.changed_files(before) == []


@pytest.mark.parametrize("command", ["bump", "release-staging", "build", "deploy --env staging", "commit"])
def test_missing_version_file_is_refused(unreleased: Workspace, command: str) -> None:
    (unreleased.clone / "VERSION").unlink()
    before = unreleased.all_files
    result = unreleased.inv(*command.split())
    assert_refused(result, 2)
    assert "VERSION" in result.err
    assert unreleased.changed_files(before) == []


def test_all_configuration_errors_are_listed(copy: Workspace) -> None:
    file = copy.clone / "kaizen.toml"
    text = file.read_text().replace('region = "eu-west-1"', 'regoin = "eu-west-1"')
    file.write_text(text.replace("matches = 3", 'matches = "3"').replace("canary = 1", "canary = 1\ncanaries = 2"))
    result = copy.inv("release-staging")
    assert_refused(result, 2)
    assert all(line.startswith("error: kaizen.toml: ") for line in result.err.splitlines())
    for path, hint in (("aws.regoin", "region"), ("verify.matches", "whole number"), ("rollout.canaries", "canary")):
        (line,) = [line for line in result.err.splitlines() if path in line]
        assert hint in line.partition(path)[2]


def test_toml_syntax_error_names_the_line(copy: Workspace) -> None:
    (copy.clone / "kaizen.toml").write_text('app = "coach"\npipeline = ["staging"\n[aws]\n')
    result = copy.inv("release-staging")
    assert_refused(result, 2)
    assert result.err.startswith("error: kaizen.toml: ")
    assert "line 3" in result.err


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("deploy --env stagin", "staging"),
        ("promote --env shan", "shane"),
        ("history --env porn", "prod"),
        ("release-stagging", "staging"),
        ("promote-porn", "prod"),
        ("bump --part pach", "patch"),
        ("bump --to 1.2", "1.2.3"),
        ("promote-prod --release latest", "1.2.3"),
        ("deploy", "--env"),
        ("verify", "staging"),
        ("changelog.add --type fix --text x", "fixed"),
        ("changelog.add --type fixed", "--text"),
    ],
)
def test_misspelled_name_gets_a_suggestion(copy: Workspace, command: str, hint: str) -> None:
    before = copy.all_files
    result = copy.inv(*command.split())
    assert_refused(result, 2)
    assert hint in result.err
    assert copy.changed_files(before) == []


def test_release_to_a_later_stage_is_refused(copy: Workspace) -> None:
    result = copy.inv("release-prod")
    assert_refused(result, 2)
    assert "inv release-staging" in result.err


def test_promotion_to_the_first_stage_is_refused(copy: Workspace) -> None:
    result = copy.inv("promote-staging")
    assert_refused(result, 2)
    assert "inv release-staging" in result.err


def test_promotion_of_an_unverified_release_is_refused(copy: Workspace) -> None:
    before = copy.cloud_files
    result = copy.inv("promote-prod", "--release", "v0.1.7", "--yes")
    assert_refused(result, 3)
    assert "never verified in staging" in result.err
    assert copy.cloud_files == before


def test_protected_environment_without_a_terminal_is_refused(copy: Workspace) -> None:
    result = copy.inv("deploy", "--env", "prod")
    assert_refused(result, 3)
    assert "--yes" in result.err


def test_credentials_of_another_account_are_refused(unreleased: Workspace) -> None:
    before, asked = unreleased.all_files, len(unreleased.requests)
    result = unreleased.inv("release-staging", INVOKE_AWS_ACCOUNT="999999999999")
    assert_refused(result, 3)
    assert "999999999999" in result.err
    assert "123456789012" in result.err
    assert {each["service"] for each in unreleased.requests[asked:]} == {"sts"}
    assert unreleased.changed_files(before) == []


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "history",
        "promote-prod",
        "deploy --env staging",
        "verify --env staging",
        "setup",
        "push --env staging",
    ],
)
def test_only_sts_is_called_in_another_account(unreleased: Workspace, command: str) -> None:
    asked = len(unreleased.requests)
    result = unreleased.inv(*command.split(), INVOKE_AWS_ACCOUNT="999999999999")
    assert_refused(result, 3)
    assert {each["service"] for each in unreleased.requests[asked:]} == {"sts"}


def test_missing_network_is_named(unreleased: Workspace) -> None:
    before = unreleased.files
    result = unreleased.inv("release-staging", AWS_ENDPOINT_URL=closed_port())
    assert_refused(result, 3)
    assert unreleased.files == before


def test_missing_credentials_are_named(unreleased: Workspace) -> None:
    before = unreleased.files
    result = unreleased.inv("release-staging", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert_refused(result, 3)
    assert "credentials" in result.err
    assert unreleased.files == before


@pytest.mark.parametrize("command", ["release-staging", "build"])
def test_missing_git_is_named(unreleased: Workspace, command: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    before = unreleased.files
    result = unreleased.inv(command, PATH=str(empty))
    assert_refused(result, 3)
    assert "git" in result.err
    assert unreleased.files == before


@pytest.mark.parametrize("command", ["release-staging", "build"])
def test_folder_without_a_repository_is_refused(copy: Workspace, command: str) -> None:
    shutil.rmtree(copy.clone / ".git")
    result = copy.inv(command, GIT_CEILING_DIRECTORIES=str(copy.clone.parent))
    assert_refused(result, 3)
    assert "git" in result.err


def test_missing_configuration_is_named(demo: Workspace, tmp_path: Path) -> None:
    result = demo.kaizen("status", cwd=tmp_path)
    assert_refused(result, 2)
    assert "kaizen.toml" in result.err


def test_all_failed_preconditions_are_listed(unreleased: Workspace) -> None:
    (unreleased.clone / "Dockerfile").write_text("FROM scratch\n")
    unreleased.git("switch", "--quiet", "--create", "feature")
    before = unreleased.all_files
    result = unreleased.inv("release-staging")
    assert_refused(result, 3)
    assert "feature" in result.err
    assert "Dockerfile" in result.err
    assert unreleased.changed_files(before) == []  # locks that were acquired and released included


def test_missing_remote_is_named(unreleased: Workspace) -> None:
    unreleased.git("remote", "set-url", "origin", str(unreleased.clone / "nowhere.git"))
    before = unreleased.all_files
    result = unreleased.inv("release-staging")
    assert_refused(result, 3)
    assert unreleased.changed_files(before, excluding=[LOCK_JOURNAL]) == []


def closed_port() -> str:
    """Return an address of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
