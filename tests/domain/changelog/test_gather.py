"""Final releases, whose sections hold what those of their release candidates held."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog import CHANGE_TYPES
from kaizen_tasks.domain.changelog.cut import cut_release
from kaizen_tasks.domain.changelog.gather import cut_gathered
from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.errors import Refused
from tests.domain.changelog.documents import TODAY, nasty, version

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.section import Section

FIX = "### Fixed\n\n- a\n"
FINAL = "## [1.2.3] - 2026-01-01\n\n### Added\n\n- x\n"


def finish(text: str, *, to: str = "1.3.0") -> str:
    log, final = parse_changelog(text.encode()), version(to)
    cut = partial(cut_release, version=final, date=TODAY, repository_url=None)
    return cut_gathered(log, final, None, cut, tag=f"v{to}").decode()


def candidate(name: str, body: str) -> str:
    return f"## [{name}] - 2026-02-02\n\n{body}\n"


def section_of(text: str, name: str = "1.3.0") -> str:
    """Return the content of a section."""
    return text.split(f"## [{name}]", 1)[1].split("\n## ", 1)[0].partition("\n\n")[2].strip("\n")


def test_final_section_merges_the_groups_of_candidates_and_unreleased_entries() -> None:
    candidates = candidate("1.3.0-rc.2", "### Fixed\n\n- b\n\n### Removed\n\n- r\n") + candidate(
        "1.3.0-rc.1", "### Added\n\n- y\n\n  more\n\n### Fixed\n\n- a\n"
    )
    result = finish(f"# Log\n\n## [Unreleased]\n\n### Fixed\n\n- c\n\n{candidates}{FINAL}")

    assert section_of(result) == "### Added\n\n- y\n\n  more\n\n### Removed\n\n- r\n\n### Fixed\n\n- a\n- b\n- c"
    assert result.endswith(f"\n{candidates}{FINAL}")
    assert result.startswith("# Log\n\n## [Unreleased]\n\n## [1.3.0] - 2026-11-22\n")


def test_links_of_a_final_release_start_at_the_last_final_one() -> None:
    compare = "https://github.com/o/r/compare"
    links = f"[unreleased]: {compare}/v1.3.0-rc.1...HEAD\n[1.3.0-rc.1]: {compare}/v1.2.3...v1.3.0-rc.1\n"
    result = finish(f"## [Unreleased]\n\n{candidate('1.3.0-rc.1', FIX)}{FINAL}\n{links}")

    assert result.split("\n[unreleased]: ")[1].split("\n")[:2] == [
        f"{compare}/v1.3.0...HEAD",
        f"[1.3.0]: {compare}/v1.2.3...v1.3.0",
    ]


def test_entries_that_candidates_repeat_appear_once() -> None:
    body = "### Fixed\n\n- a\n- b\n"
    result = finish(f"## [Unreleased]\n\n{body}\n{candidate('1.3.0-rc.1', body)}{FINAL}")

    assert section_of(result) == body.strip()


def test_groups_that_say_more_than_their_type_stay_apart() -> None:
    body = "### Changed (breaking)\n\n- b\n\n### Fixed (parser)\n\n- p\n"
    result = finish(f"## [Unreleased]\n\n### Changed\n\n- c\n\n{FIX}\n{candidate('1.3.0-rc.1', body)}{FINAL}")

    assert section_of(result) == (
        "### Changed (breaking)\n\n- b\n\n### Changed\n\n- c\n\n### Fixed (parser)\n\n- p\n\n### Fixed\n\n- a"
    )


def test_nothing_is_no_note() -> None:
    result = finish(f"## [Unreleased]\n\n- Nothing.\n\n{candidate('1.3.0-rc.1', FIX)}{FINAL}")

    assert section_of(result) == FIX.strip()


def test_trailing_white_space_of_an_entry_stays() -> None:
    result = finish(f"## [Unreleased]\n\n### Fixed\n\n- c \n\n{candidate('1.3.0-rc.1', FIX)}{FINAL}")

    assert section_of(result) == "### Fixed\n\n- a\n- c "


def test_candidates_alone_make_the_final_section() -> None:
    result = finish(f"## [Unreleased]\n\n{candidate('1.3.0-beta.1', FIX)}{FINAL}")

    assert section_of(result) == "### Fixed\n\n- a"


def test_flat_lists_and_text_are_kept() -> None:
    listed = candidate("1.3.0-rc.1", "Try it.\n\n- a\n- b\n")
    result = finish(f"## [Unreleased]\n\n- c\n\n{listed}{FINAL}")

    assert section_of(result) == "Try it.\n\n- a\n- b\n\n- c"


def test_only_candidates_since_the_last_final_release_count() -> None:
    old = candidate("1.2.0-rc.1", "### Added\n\n- old\n")
    other_line = candidate("2.0.0-rc.1", "### Removed\n\n- other\n")
    body = "### Fixed\n\n- a\n"
    result = finish(f"## [Unreleased]\n\n{other_line}{candidate('1.3.0-rc.1', body)}{FINAL}\n{old}")

    assert section_of(result) == body.strip()


def test_a_version_above_that_of_the_candidates_has_their_notes_too() -> None:
    text = f"## [Unreleased]\n\n### Removed\n\n- b\n\n{candidate('1.3.0-rc.1', FIX)}{FINAL}"

    assert section_of(finish(text, to="2.0.0"), "2.0.0") == "### Removed\n\n- b\n\n### Fixed\n\n- a"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_endings_stay(newline: str) -> None:
    text = f"## [Unreleased]\n\n### Fixed\n\n- c\n\n{candidate('1.3.0-rc.1', FIX)}{FINAL}"
    result = finish(text.replace("\n", newline))

    assert result == finish(text).replace("\n", newline)


def test_a_changelog_without_unreleased_gets_one() -> None:
    body = "### Fixed\n\n- a\n"
    result = finish(f"# Log\n\n{candidate('1.3.0-rc.1', body)}{FINAL}")

    assert (
        result
        == f"# Log\n\n## [Unreleased]\n\n## [1.3.0] - 2026-11-22\n\n{body}\n{candidate('1.3.0-rc.1', body)}{FINAL}"
    )


Groups: TypeAlias = dict[str, list[str]]

entries = st.lists(st.text("abc *", max_size=6), min_size=1, max_size=3)
groups = st.dictionaries(st.sampled_from(CHANGE_TYPES), entries, max_size=3)


def body_of(group_entries: Groups) -> str:
    return "\n".join(
        f"### {name}\n\n" + "".join(f"- x{text.rstrip()}\n" for text in texts) for name, texts in group_entries.items()
    )


def notes(section: Section | None) -> set[tuple[str, str]]:
    assert section is not None
    return {(group.name, entry.text) for group in section.groups for entry in group.entries}


@given(st.lists(groups.filter(bool), min_size=1, max_size=3), groups)
def test_final_section_has_every_note_once(
    candidates: list[dict[str, list[str]]], unreleased: dict[str, list[str]]
) -> None:
    sections = [candidate(f"1.3.0-rc.{number}", body_of(body)) for number, body in enumerate(candidates, 1)]
    text = f"## [Unreleased]\n\n{body_of(unreleased)}\n{''.join(reversed(sections))}{FINAL}"
    before, after = parse_changelog(text.encode()), parse_changelog(finish(text).encode())
    final = after.find_section(version("1.3.0"))

    assert final is not None
    assert notes(final) == set().union(*(notes(section) for section in before.sections[:-1]))
    assert [group.name for group in final.groups] == [
        name for name in CHANGE_TYPES if name in {g.name for g in final.groups}
    ]
    assert [section.content[section.start : section.end] for section in after.sections[2:]] == [
        section.content[section.start : section.end] for section in before.sections[1:]
    ]


@given(nasty(), nasty())
def test_any_text_is_gathered_completely_or_refused(first: str, second: str) -> None:
    section = candidate("1.3.0-rc.1", f"{FIX}\n{first}\n")
    text = f"## [Unreleased]\n\n### Fixed\n\n- c\n\n{second}\n\n{section}{FINAL}"
    before = parse_changelog(text.encode())
    if len(before.candidates_of(version("1.3.0"))) != 1 or len(before.sections) != 3:
        return
    try:
        after = parse_changelog(finish(text).encode())
    except Refused:
        return
    assert notes(after.find_section(version("1.3.0"))) >= notes(before.sections[0]) | notes(before.sections[1])
