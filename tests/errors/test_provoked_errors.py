"""Mistakes of users: three lines at most, the right exit code, nothing changed, and a hint that works when it is typed.

The tables are in `tables`. A row is a mistake and what is printed for it; this module does what a row says.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from tests.errors.tables import command_line, configuration, machine, repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.errors.app import App
    from tests.errors.case import Case

pytestmark = pytest.mark.integration

CASES = (*command_line.CASES, *configuration.CASES, *repository.CASES, *machine.CASES)


@pytest.fixture(autouse=True)
def _own_variables() -> Iterator[None]:
    """Undo what `export` and `unset` do in a row."""
    with patch.dict(os.environ):
        yield


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.mistake)
def test_error_changes_nothing_and_its_hint_works(case: Case, app: App) -> None:
    for line in case.before:
        assert app.type(line).code == 0, line
    files = app.files

    failed = app.type(case.typed)

    lines = failed.err.splitlines()
    assert (failed.code, len(lines) <= 3) == (case.code, True), failed
    assert case.says in lines[0], failed
    assert not case.hint or re.fullmatch(re.escape(case.hint).replace(r"\*", ".+"), lines[-1]), failed
    changed = {path for path, _ in files.items() ^ app.files.items()}
    assert [path for path in changed if not case.leaves or case.leaves not in path] == []

    followed = [app.type(line) for line in case.lines_to_follow(lines[-1])]
    assert [each.code for each in followed[:-1]] == [0] * (len(followed) - 1), followed
    assert not followed or followed[-1].code == case.leads_to, followed[-1]
    if case.code_again is not None:
        again = app.type(case.typed)
        assert again.code == case.code_again, again


def test_there_are_errors_of_every_kind() -> None:
    """A hundred mistakes of the first quarter of an hour and of every day."""
    assert len({case.mistake for case in CASES}) == len(CASES)
    assert all(case.hint or case.follow for case in CASES)
