"""A changelog is judged by the line that it belongs to."""

from __future__ import annotations

import datetime as dt

import pytest
from semver import Version

from kaizen_tasks.domain.changelog.lint.check import check_changelog
from kaizen_tasks.domain.changelog.lint.problem import LineHistory
from tests.domain.changelog.documents import version

URL = "https://github.com/o/r/compare"
ON_MAIN = f"""\
# Changelog

## [Unreleased]

## [2.0.0] - 2026-11-01

### Changed

- Everything

## [1.2.4] - 2026-11-20

### Fixed

- A backport

## [1.2.3] - 2026-10-01

### Fixed

- A bug

[Unreleased]: {URL}/v2.0.0...HEAD
[2.0.0]: {URL}/v1.2.3...v2.0.0
[1.2.4]: {URL}/v1.2.3...v1.2.4
[1.2.3]: {URL}/v1.2.2...v1.2.3
"""
ON_LINE = ON_MAIN[: ON_MAIN.index("## [2.0.0]")] + ON_MAIN[ON_MAIN.index("## [1.2.4]") :].replace(
    f"[2.0.0]: {URL}/v1.2.3...v2.0.0\n", ""
).replace("v2.0.0...HEAD", "v1.2.4...HEAD")
TAGS = tuple(map(Version.parse, ("1.2.3", "1.2.4", "2.0.0")))


def rules(text: str, *, at: str, elsewhere: str = "", line: LineHistory | None = None) -> list[str]:
    """Return the rules that a changelog breaks, with every release tagged."""
    history = line or LineHistory(elsewhere=frozenset(map(Version.parse, elsewhere.split())))
    problems = check_changelog(
        text.encode(),
        version=version(at),
        tags=TAGS,
        repository_url=None,
        today=dt.date(2026, 11, 22),
        history=history,
    )
    return [problem.rule for problem in problems]


def test_old_line_needs_no_section_of_a_later_line() -> None:
    assert rules(ON_LINE, at="1.2.4", elsewhere="2.0.0") == []
    assert rules(ON_LINE, at="1.2.4") == ["tag-unlisted"]


def test_version_is_compared_with_the_newest_section_of_its_line() -> None:
    """The section of 2.0.0 was brought to the old line."""
    assert rules(ON_MAIN, at="1.2.4", elsewhere="2.0.0") == []
    assert rules(ON_MAIN, at="1.2.3", elsewhere="2.0.0") == ["version-behind"]


def test_backport_that_was_merged_is_no_problem() -> None:
    """It is dated after the release above it, whose link passes it over."""
    assert rules(ON_MAIN, at="2.0.0") == []
    assert rules(ON_MAIN, at="2.0.0", elsewhere="1.2.4") == []


def test_link_may_start_at_the_predecessor_on_its_line() -> None:
    """1.2.4 was released before 2.0.0, on a branch that was not merged into it."""
    text = ON_MAIN.replace("2026-11-20", "2026-10-15")
    own_line = LineHistory(find_predecessor=lambda release: Version.parse("1.2.3") if release.major == 2 else None)

    assert rules(text, at="2.0.0") == ["link-range"]
    assert rules(text, at="2.0.0", line=own_line) == []


def test_sections_of_two_lines_may_be_in_the_order_of_their_dates() -> None:
    first, second = ON_MAIN.index("## [2.0.0]"), ON_MAIN.index("## [1.2.4]")
    third = ON_MAIN.index("## [1.2.3]")
    text = ON_MAIN[:first] + ON_MAIN[second:third] + ON_MAIN[first:second] + ON_MAIN[third:]

    assert rules(text, at="2.0.0") == []
    assert "version-order" in rules(text.replace("2026-11-20", "2026-10-20"), at="2.0.0")


@pytest.mark.parametrize(
    ("date", "broken"), [("2026-09-29", ["date-order"]), ("2026-10-01", []), ("2026-11-21", [])], ids=str
)
def test_dates_are_in_order_on_each_line(date: str, broken: list[str]) -> None:
    assert rules(ON_MAIN.replace("2026-11-20", date), at="2.0.0", elsewhere="1.2.4") == broken


def test_first_release_of_a_series_is_dated_after_that_of_the_series_before() -> None:
    assert rules(ON_MAIN.replace("2026-11-01", "2026-09-01"), at="2.0.0")[0] == "date-order"
