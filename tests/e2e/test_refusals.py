"""What cannot be done is refused in three lines, before anything has changed."""

from __future__ import annotations

import shutil
import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.workspace import LOCK_JOURNAL, Workspace, assert_refused

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
def test_refuses_a_malformed_version(ahead: Workspace, content: bytes) -> None:
    (ahead.clone / "VERSION").write_bytes(content)
    before = ahead.all_files
    said = ahead.inv("release-staging")
    assert_refused(said, 2)
    assert "VERSION" in said.err
    assert ahead.changed_files(before) == []


@pytest.mark.parametrize("command", ["bump", "release-staging", "build", "deploy --env staging", "commit"])
def test_refuses_to_go_without_a_version(ahead: Workspace, command: str) -> None:
    (ahead.clone / "VERSION").unlink()
    before = ahead.all_files
    said = ahead.inv(*command.split())
    assert_refused(said, 2)
    assert "VERSION" in said.err
    assert ahead.changed_files(before) == []


def test_says_every_fault_of_the_configuration_at_once(copy: Workspace) -> None:
    file = copy.clone / "kaizen.toml"
    text = file.read_text().replace('region = "eu-west-1"', 'regoin = "eu-west-1"')
    file.write_text(text.replace("matches = 3", 'matches = "3"').replace("canary = 1", "canary = 1\ncanaries = 2"))
    said = copy.inv("release-staging")
    assert_refused(said, 2)
    assert all(line.startswith("kaizen.toml: ") for line in said.err.splitlines())
    for path, hint in (("aws.regoin", "region"), ("verify.matches", "whole number"), ("rollout.canaries", "canary")):
        (line,) = [line for line in said.err.splitlines() if path in line]
        assert hint in line.partition(path)[2]


def test_says_where_the_configuration_is_not_toml(copy: Workspace) -> None:
    (copy.clone / "kaizen.toml").write_text('app = "coach"\npipeline = ["staging"\n[aws]\n')
    said = copy.inv("release-staging")
    assert_refused(said, 2)
    assert said.err.startswith("kaizen.toml: ")
    assert "line 3" in said.err


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
def test_tells_which_word_was_meant(copy: Workspace, command: str, hint: str) -> None:
    before = copy.all_files
    said = copy.inv(*command.split())
    assert_refused(said, 2)
    assert hint in said.err
    assert copy.changed_files(before) == []


def test_refuses_to_release_to_a_later_stage(copy: Workspace) -> None:
    said = copy.inv("release-prod")
    assert_refused(said, 2)
    assert "inv release-staging" in said.err


def test_refuses_to_promote_to_the_first_stage(copy: Workspace) -> None:
    said = copy.inv("promote-staging")
    assert_refused(said, 2)
    assert "inv release-staging" in said.err


def test_refuses_to_promote_what_was_never_verified(copy: Workspace) -> None:
    before = copy.cloud_files
    said = copy.inv("promote-prod", "--release", "v0.1.7", "--yes")
    assert_refused(said, 3)
    assert "never verified in staging" in said.err
    assert copy.cloud_files == before


def test_asks_before_a_protected_environment_even_when_nobody_can_answer(copy: Workspace) -> None:
    said = copy.inv("deploy", "--env", "prod")
    assert_refused(said, 3)
    assert "--yes" in said.err


def test_refuses_the_credentials_of_another_account_unread(ahead: Workspace) -> None:
    before, asked = ahead.all_files, len(ahead.requests)
    said = ahead.inv("release-staging", INVOKE_AWS_ACCOUNT="999999999999")
    assert_refused(said, 3)
    assert "999999999999" in said.err
    assert "123456789012" in said.err
    assert {each["service"] for each in ahead.requests[asked:]} == {"sts"}
    assert ahead.changed_files(before) == []


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
def test_reads_nothing_from_another_account(ahead: Workspace, command: str) -> None:
    asked = len(ahead.requests)
    said = ahead.inv(*command.split(), INVOKE_AWS_ACCOUNT="999999999999")
    assert_refused(said, 3)
    assert {each["service"] for each in ahead.requests[asked:]} == {"sts"}


def test_says_that_no_network_is_there(ahead: Workspace) -> None:
    before = ahead.files
    said = ahead.inv("release-staging", AWS_ENDPOINT_URL=closed_port())
    assert_refused(said, 3)
    assert ahead.files == before


def test_says_that_no_credentials_are_there(ahead: Workspace) -> None:
    before = ahead.files
    said = ahead.inv("release-staging", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert_refused(said, 3)
    assert "credentials" in said.err
    assert ahead.files == before


@pytest.mark.parametrize("command", ["release-staging", "build"])
def test_says_that_git_is_missing(ahead: Workspace, command: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    before = ahead.files
    said = ahead.inv(command, PATH=str(empty))
    assert_refused(said, 3)
    assert "git" in said.err
    assert ahead.files == before


@pytest.mark.parametrize("command", ["release-staging", "build"])
def test_says_that_this_is_no_repository(copy: Workspace, command: str) -> None:
    shutil.rmtree(copy.clone / ".git")
    said = copy.inv(command, GIT_CEILING_DIRECTORIES=str(copy.clone.parent))
    assert_refused(said, 3)
    assert "git" in said.err


def test_says_that_there_is_no_configuration(demo: Workspace, tmp_path: Path) -> None:
    said = demo.kaizen("status", cwd=tmp_path)
    assert_refused(said, 2)
    assert "kaizen.toml" in said.err


def test_collects_everything_that_stands_in_the_way(ahead: Workspace) -> None:
    (ahead.clone / "Dockerfile").write_text("FROM scratch\n")
    ahead.git("switch", "--quiet", "--create", "feature")
    before = ahead.all_files
    said = ahead.inv("release-staging")
    assert_refused(said, 3)
    assert "feature" in said.err
    assert "Dockerfile" in said.err
    assert ahead.changed_files(before) == []  # not even by a lock that was given back


def test_says_that_the_remote_is_gone(ahead: Workspace) -> None:
    ahead.git("remote", "set-url", "origin", str(ahead.clone / "nowhere.git"))
    before = ahead.all_files
    said = ahead.inv("release-staging")
    assert_refused(said, 3)
    assert ahead.changed_files(before, excluding=[LOCK_JOURNAL]) == []


def closed_port() -> str:
    """Return an address of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
