"""The git processes of whole commands: each costs some milliseconds, and a walk through the history more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.library import Library, create_library
from tests.support.git_trace import traced_commands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.workspaces import Workspace

pytestmark = pytest.mark.e2e

PREFLIGHT = ("for-each-ref", "rev-parse", "cat-file", "status", "config")
"""Refs and HEAD; the paths; the open process for objects; changed files; the configuration."""

GITPYTHON = ("version", "version")
"""What GitPython asks when it is loaded."""

COMMIT = ("read-tree", "update-index", "write-tree", "commit-tree", "update-ref", "for-each-ref")
LANDING = ("ls-files", "update-ref", "update-index", "checkout-index", "update-index")
CONFIRMATION = ("for-each-ref", "status")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return create_library(tmp_path / "library")


def test_a_cut_without_a_remote(library: Library, tmp_path: Path) -> None:
    library.repository.git("remote", "remove", "origin")
    trace = tmp_path / "trace"
    library.inv("cut", GIT_TRACE2_EVENT=str(trace)).expect_success()

    assert traced_commands(trace) == [*PREFLIGHT, *COMMIT, "mktag", *LANDING, "update-ref", *CONFIRMATION]
    assert len(traced_commands(trace)) == 20


def test_a_cut_that_is_pushed(library: Library, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    library.inv("cut", "--push", GIT_TRACE2_EVENT=str(trace)).expect_success()

    push = ("ls-remote", "mktag", "update-ref", "for-each-ref", "push", "for-each-ref", "ls-remote")
    assert traced_commands(trace) == [
        *PREFLIGHT, *GITPYTHON, "ls-remote", *COMMIT, *push, *LANDING, "update-ref", *CONFIRMATION,
    ]  # fmt: skip


def test_a_release_and_a_promotion(create_app: Callable[..., Workspace], tmp_path: Path) -> None:
    app = create_app(further="[environments.prod]\n")
    app.inv("setup", "--yes").expect_success()
    traces = {name: tmp_path / name for name in ("release", "promotion")}
    app.add_changelog_entry("A typo")
    app.inv("release-staging", GIT_TRACE2_EVENT=str(traces["release"])).expect_success()
    app.inv("promote-prod", GIT_TRACE2_EVENT=str(traces["promotion"])).expect_success()

    assert traced_commands(traces["release"]) == [
        *("for-each-ref", "rev-parse", "config", *GITPYTHON, "ls-remote", "cat-file", "status"),  # preflight
        *("for-each-ref", "status", *COMMIT),  # what the lock protects is read again behind it
        *("archive", "for-each-ref"),  # build
        *("push", "for-each-ref", "ls-remote", "for-each-ref", "log"),  # claim and push
        *("for-each-ref", *LANDING, *CONFIRMATION),
        *("for-each-ref", "ls-remote", "merge-base", "merge-base", "mktag", "update-ref", "for-each-ref"),  # tag
        *("push", "for-each-ref", "update-ref", "for-each-ref", "ls-remote"),
    ]
    assert traced_commands(traces["promotion"]) == ["cat-file"]
