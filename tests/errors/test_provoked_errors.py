"""Mistakes of users: three lines at most, the right exit code, nothing changed, and a hint that works when it is typed.

The tables are in `tables`. A row is a mistake and what is printed for it; this module does what a row says.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from tests.errors.tables import (
    builds,
    cloud,
    command_line,
    configuration,
    credentials,
    deployments,
    git_server,
    machine,
    messages,
    migrations,
    permissions,
    readiness,
    repository,
    signing,
)
from tests.support.workspaces import mutating_operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.errors.app import App
    from tests.errors.case import Case
    from tests.support.local_cloud import Cloud

pytestmark = pytest.mark.integration

LOCAL_TABLES = (
    command_line, configuration, repository, git_server, signing, machine, permissions, credentials, readiness,
)  # fmt: skip
LOCAL_CASES = (*(case for table in LOCAL_TABLES for case in table.CASES), *migrations.LOCAL_CASES)
CLOUD_CASES = (*cloud.CASES, *deployments.CASES, *messages.CASES, *migrations.CASES)
CASES = (*LOCAL_CASES, *builds.CASES, *CLOUD_CASES)


@pytest.fixture(autouse=True)
def _own_variables() -> Iterator[None]:
    """Undo what `export` and `unset` do in a row, and end the agent of a keyring that it made."""
    with patch.dict(os.environ):
        yield
        if folder := os.environ.get("GNUPGHOME"):  # a short path, as the socket of the agent needs
            subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True)
            shutil.rmtree(folder)


@pytest.mark.parametrize("case", LOCAL_CASES, ids=lambda case: case.mistake)
def test_error_changes_nothing_and_its_hint_works(case: Case, app: App) -> None:
    provoke_and_follow(case, app, list[str])


@pytest.mark.docker
@pytest.mark.parametrize("case", builds.CASES, ids=lambda case: case.mistake)
def test_error_of_a_build_changes_nothing_and_its_hint_works(case: Case, app: App) -> None:
    provoke_and_follow(case, app, list[str])
    app.type("docker image rm --force web:v0.1.2")


@pytest.mark.parametrize("case", CLOUD_CASES, ids=lambda case: case.mistake)
def test_error_in_the_cloud_changes_nothing_and_its_hint_works(case: Case, deployed_app: App, cloud: Cloud) -> None:
    """The app is shared, so the hints of its rows are also what makes it whole again."""
    before = len(cloud.requests)

    def changes() -> list[str]:
        return mutating_operations(each for each in cloud.requests[before:] if each["status"] < 400)

    provoke_and_follow(case, deployed_app, changes)


def provoke_and_follow(case: Case, app: App, changes: Callable[[], list[str]]) -> None:
    """Make a mistake, check what is printed for it, and follow the hint.

    Args:
        case: the row.
        app: the app in whose folder it happens.
        changes: returns the operations that have changed something outside the folder so far.
    """
    for line in case.before:
        assert app.type(line).code == 0, line
    files, earlier_changes = app.files, changes()

    failed = app.type(case.typed)

    lines = failed.err.splitlines()
    assert (failed.code, len(lines) <= 3) == (case.code, True), failed
    assert case.says in (lines or [""])[0], failed
    assert case.lists in " ".join(failed.out.split()), failed
    assert not case.hint or re.fullmatch(re.escape(case.hint).replace(r"\*", ".+"), lines[-1]), failed
    changed = {path for path, _ in files.items() ^ app.files.items()}
    assert [path for path in changed if not case.leaves or not re.search(case.leaves, path)] == []
    assert (changes() != earlier_changes) == case.changes

    followed = [app.type(line) for line in case.lines_to_follow((lines or [""])[-1])]
    assert [each.code for each in followed[:-1]] == [0] * (len(followed) - 1), followed
    assert not followed or followed[-1].code == case.leads_to, followed[-1]
    if case.code_again is not None:
        again = app.type(case.typed)
        assert again.code == case.code_again, again


def test_there_are_errors_of_every_kind() -> None:
    """A hundred mistakes of the first quarter of an hour and of every day."""
    assert len({case.mistake for case in CASES}) == len(CASES)
    assert all(case.hint or case.follow for case in CASES)
