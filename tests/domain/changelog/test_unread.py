"""Sections above the newest release whose headings are not read."""

from __future__ import annotations

import datetime as dt

import pytest

from kaizen_tasks.domain.changelog.add import add_entry
from kaizen_tasks.domain.changelog.lint.check import check_changelog
from kaizen_tasks.domain.changelog.model import find_unknown_section, find_unreleased, parse_changelog
from kaizen_tasks.errors import Refused
from tests.domain.changelog.documents import TODAY

OLDER = "## 1.2.3 - 2024-05-01\n\n### Fixed\n\n- y\n"
NOTES = "### Removed\n\n- x\n\n"
HEADINGS = [
    *("[1.3] - Unreleased", "v1.3 (unreleased)", "1.3", "1.3.0.dev0", "1.3.0.rc1", "2026.11", "Version 1.3"),
    *("Coach 1.3.0", "Next 1.3", "Sprint 12"),
]


@pytest.mark.parametrize("heading", HEADINGS)
@pytest.mark.parametrize("unreleased", ["", "## [Unreleased]\n\n### Fixed\n\n- z\n\n"])
@pytest.mark.parametrize("notes", [NOTES, "- x\n\n"])
def test_is_refused_with_its_line(heading: str, unreleased: str, notes: str) -> None:
    text = f"{unreleased}## {heading}\n\n{notes}{OLDER}"
    line = text[: text.index(heading)].count("\n") + 1

    with pytest.raises(Refused, match=rf"line {line} of the changelog, '## .*', is neither a release nor"):
        find_unreleased(parse_changelog(text.encode()))
    with pytest.raises(Refused, match=rf"line {line} of the changelog"):
        add_entry(text.encode(), kind="fixed", text="w")


@pytest.mark.parametrize("heading", HEADINGS)
def test_is_an_error_of_the_check(heading: str) -> None:
    content = f"## [Unreleased]\n\n## {heading}\n\n{NOTES}{OLDER}".encode()
    problems = check_changelog(content, version=None, tags=None, repository_url=None, today=TODAY)

    assert [(problem.rule, problem.line) for problem in problems if problem.severity == "error"] == [
        ("unreleased-unknown", 3)
    ]


@pytest.mark.parametrize("heading", ["1.2", "2023.11", "Beta 3", "1.0.0.rc1"])
def test_history_is_left_alone(heading: str) -> None:
    log = parse_changelog(f"## [Unreleased]\n\n### Fixed\n\n- z\n\n{OLDER}\n## {heading}\n\n{NOTES}".encode())

    assert find_unreleased(log) is log.unreleased


@pytest.mark.parametrize("heading", ["Roadmap", "About", "Migrating from 1.x to 2.x", "Versioning 2.0"])
def test_plans_and_explanations_beside_unreleased_are_left_alone(heading: str) -> None:
    log = parse_changelog(f"## [Unreleased]\n\n## {heading}\n\n- x\n\n{OLDER}".encode())

    assert find_unreleased(log) is log.unreleased


def test_without_notes_is_left_alone() -> None:
    assert find_unknown_section(parse_changelog(f"## [Unreleased]\n\n## 1.3\n\n{OLDER}".encode())) is None


def test_words_with_types_of_change_beside_unreleased_are_refused() -> None:
    log = parse_changelog(f"## [Unreleased]\n\n## Upcoming\n\n{NOTES}{OLDER}".encode())

    assert find_unknown_section(log) is log.sections[1]


def test_hint_names_the_version_in_full() -> None:
    with pytest.raises(Refused) as refused:
        find_unreleased(parse_changelog(f"## [1.3] - TBD\n\n{NOTES}{OLDER}".encode()))

    assert refused.value.hint == "write its version as in ## [1.3.0], or move its notes to a section ## [Unreleased]"


@pytest.mark.parametrize(
    ("heading", "label", "date"),
    [
        ("Version 1.3.0", "Version 1.3.0", None),
        ("Release 1.3.0 (2026-10-10)", "Release 1.3.0", dt.date(2026, 10, 10)),
        ("[Release v1.3.0] - 2026-10-10", "Release v1.3.0", dt.date(2026, 10, 10)),
        ("version 1.3.0 - TBD", "version 1.3.0", None),
    ],
)
def test_a_version_after_a_word_for_it_is_read(heading: str, label: str, date: dt.date | None) -> None:
    section = parse_changelog(f"## {heading}\n\n{NOTES}{OLDER}".encode()).releases[0]

    assert (str(section.version), section.title.label, section.date) == ("1.3.0", label, date)
