"""The bump that flags ask for."""

from __future__ import annotations

import pytest
from semver import Version

from kaizen_tasks.cli.bump import parse_bump
from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows.steps import Bump


@pytest.mark.parametrize(
    ("part", "to", "force", "bump"),
    [
        ("auto", "", False, Bump(accept_released=True)),
        ("minor", "", True, Bump(part="feature", accept_released=True, force=True)),
        ("auto", "v1.2.3", False, Bump(to=Version.parse("1.2.3"), accept_released=True)),
        ("auto", "1.2.3-rc.1", False, Bump(to=Version.parse("1.2.3-rc.1"), accept_released=True)),
    ],
)
def test_flags_become_a_bump(*, part: str, to: str, force: bool, bump: Bump) -> None:
    assert parse_bump(part, to, force=force) == bump


@pytest.mark.parametrize(
    ("part", "to", "what"),
    [("pacth", "", "--part pacth: no such part"), ("auto", "1.2", "--to: '1.2' is not a version")],
)
def test_error_names_the_wrong_flag(part: str, to: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        parse_bump(part, to, force=False)
