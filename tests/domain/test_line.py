"""Lines of versions, and the numbers that each may take."""

from __future__ import annotations

import pytest
from semver import Version

from kaizen_tasks.domain.line import (
    Line,
    accepts,
    conflicting_release,
    is_line_name,
    line_of_branch,
    line_of_version,
)

OLD = Line(name="1.x", branch="stable/1.x", environments=("mark",))
NARROW = Line(name="1.2", branch="stable/1.2*")
LINES = (OLD, NARROW)


@pytest.mark.parametrize(
    ("name", "is_valid"),
    [(name, True) for name in ("1.x", "1.2.x", "0.x", "1", "1.2")]
    + [(name, False) for name in ("", "x", "v1.x", "1.2.3", "01.x", "legacy", "1.x.x", "1.*")],
)
def test_line_is_named_after_its_versions(name: str, *, is_valid: bool) -> None:
    assert is_line_name(name) is is_valid


@pytest.mark.parametrize(
    ("version", "line"), [("1.2.3", NARROW), ("1.3.0", OLD), ("1.3.0-rc.1", OLD), ("2.0.0", None), ("12.0.0", None)]
)
def test_version_is_of_the_narrowest_line(version: str, line: Line | None) -> None:
    assert line_of_version(LINES, Version.parse(version)) == line


@pytest.mark.parametrize(
    ("branch", "line"),
    [("stable/1.x", OLD), ("stable/1.2", NARROW), ("stable/1.2-lts", NARROW), ("main", None), ("", None)],
)
def test_branch_has_a_line(branch: str, line: Line | None) -> None:
    assert line_of_branch(LINES, branch) == line


@pytest.mark.parametrize(
    ("environment", "version", "is_accepted"),
    [
        ("mark", "1.3.0", True),
        ("mark", "2.0.0", False),
        ("mark", "1.2.4", False),
        ("prod", "2.0.0", True),
        ("prod", "1.3.0", False),
        ("prod", "1.2.4", True),
    ],
)
def test_environment_on_a_line_gets_its_releases_alone(environment: str, version: str, *, is_accepted: bool) -> None:
    assert accepts(LINES, environment, Version.parse(version)) is is_accepted


@pytest.mark.parametrize(
    ("version", "last", "conflict"),
    [
        ("1.2.4", "1.2.3", None),
        ("1.2.9", "1.2.3", None),
        ("1.4.0", "1.2.3", None),
        ("1.3.1", "1.2.3", "1.3.0"),
        ("2.0.1", "1.2.3", "2.0.0"),
        ("2.5.0", "1.2.3", "2.0.0"),
        ("3.0.0", "1.2.3", None),
        ("2.0.1", "2.0.0", None),
        ("2.1.0", "2.0.0", None),
        ("1.3.1", None, "1.3.0"),
        ("1.4.0", None, None),
    ],
)
def test_line_begins_no_series_that_another_one_has_begun(version: str, last: str | None, conflict: str | None) -> None:
    released = [Version.parse(text) for text in ("1.2.3", "1.3.0", "2.0.0-rc.1", "2.0.0")]
    found = conflicting_release(Version.parse(version), Version.parse(last) if last else None, released)

    assert found == (Version.parse(conflict) if conflict else None)
