# ruff: noqa: RUF001 - fullwidth brackets and Cyrillic letters are what they look like
"""What headings mean, by default, in other languages, and as an app configures it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog import CHANGE_TYPES
from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat
from kaizen_tasks.domain.changelog.headings import parse_heading
from kaizen_tasks.domain.changelog.model import find_unreleased, parse_changelog
from kaizen_tasks.domain.changelog.wording.translations import translations
from kaizen_tasks.errors import Refused
from tests.domain.changelog.documents import ORDERLY

FRENCH = ChangelogFormat(
    unreleased_names=("À venir",), type_names=(("Nouveautés", "Added"), ("Documentation", "Documentation"))
)
UNRELEASED_NAMES = ["Unreleased", *(name for translation in translations() for name in translation.unreleased)]
TYPE_NAMES = [
    (name, change_type)
    for translation in translations()
    for change_type, names in translation.types.items()
    for name in names
]
CASES = [str, str.lower, str.capitalize]
FRAMES = ["## {}", "## [{}]", "## [{}] - TBD", "##  {}  ", "## \U0001f6a7 {}", "## **{}**", "## {} ##", "{}\n---"]
OTHER_WORDS = [
    *("Undeprecated", "Unfixed", "Moved", "Mixed", "Filed", "Fired", "Charged", "Changes", "Chanced", "Depreciated"),
    *("Unchanged", "Readded", "Padded", "Secured", "Securities", "Insecurity", "Removable", "Unremoved", "Improved"),
    *("Fixtures", "Prefixed", "Suffixed", "Affixed", "Address", "Adder", "Aided", "Bedded", "Nixed", "Fined", "Hanged"),
    *("Exchanged", "Changer", "Clanged", "Remodel", "Remover", "Reproved", "Deprecator", "Fix in progress", "Purity"),
    *("Performance", "Documentation", "Dependencies", "Internal", "Miscellaneous", "Known issues", "Not fixed"),
    *("Will be removed", "To be fixed", "No longer deprecated", "Un-deprecated", "Re-added", "Added back"),
]


@given(st.sampled_from(UNRELEASED_NAMES), st.sampled_from(FRAMES), st.sampled_from(CASES))
def test_unreleased_is_known_in_every_published_language_and_frame(name, frame, case) -> None:  # type: ignore[no-untyped-def]
    text = frame.format(case(name))

    log = parse_changelog(f"# Log\n\n{text}\n\n- x\n\n## [1.0.0] - 2026-01-01\n\n- y\n".encode())

    unreleased = find_unreleased(log)
    assert unreleased
    assert unreleased.title.name == case(name)
    assert [section.title.name for section in log.releases] == ["1.0.0"]


@given(st.sampled_from(TYPE_NAMES), st.sampled_from(CASES), st.sampled_from(["{}", "{}:", "\U0001f41b {}", "**{}**"]))
def test_types_are_known_in_every_published_language(name, case, frame) -> None:  # type: ignore[no-untyped-def]
    text, change_type = name

    assert DEFAULT_FORMAT.read_type_heading(frame.format(case(text))).type == change_type


def test_no_name_stands_for_two_types_or_for_a_type_and_unreleased() -> None:
    types_by_name: dict[str, set[str]] = {}
    for name, change_type in TYPE_NAMES:
        types_by_name.setdefault(unicodedata.normalize("NFKD", name).casefold(), set()).add(change_type)

    assert [name for name, types in types_by_name.items() if len(types) > 1] == []
    assert types_by_name.keys().isdisjoint(map(str.casefold, UNRELEASED_NAMES))


@pytest.mark.parametrize("name", ["Added", "Ajouté", "Dodane", "新增"])
def test_names_that_are_spelled_as_published_stay(name: str) -> None:
    assert DEFAULT_FORMAT.read_type_heading(name).spelling == name


@pytest.mark.parametrize(
    ("heading", "change_type", "is_breaking"),
    [
        ("Breaking", None, True),
        ("Breaking Changes", None, True),
        ("⚠ BREAKING CHANGES", None, True),
        ("**Breaking changes:**", None, True),
        ("Changed (breaking)", "Changed", True),
        ("Changed [BREAKING]", "Changed", True),
        ("Breaking: Removed", "Removed", True),
        ("💥 Removed", "Removed", True),
        ("Backwards incompatible changes", None, True),
        ("Backward-incompatible Changes", None, True),
        ("Non-breaking changes", None, False),
        ("No breaking changes", None, False),
        ("Added/Ditambahkan", "Added", False),
        ("Dodano (angl. Added)", "Added", False),
        ("新增 (Added)", "Added", False),
        ("Added and Fixed", None, False),
        ("Bug Fixes", "Fixed", False),
        ("Features", "Added", False),
        ("Fixed (parser)", "Fixed", False),
        ("Ajouté — jalon 001, socle", "Added", False),
        ("Added（Wave 11）", "Added", False),
        ("Geändert: der Parser", "Changed", False),
        ("Fixed - parser", "Fixed", False),
        ("Cambiado — INCOMPATIBLE", "Changed", True),
        ("变更（破坏性）", "Changed", True),
        ("Changes — parser", None, False),
        ("Parser", None, False),
    ],
)
def test_headings_of_many_shapes(heading: str, change_type: str | None, is_breaking: bool) -> None:
    meaning = DEFAULT_FORMAT.read_type_heading(heading)

    assert (meaning.type, meaning.is_breaking) == (change_type, is_breaking)


@pytest.mark.parametrize("word", OTHER_WORDS)
def test_another_word_is_no_type(word: str) -> None:
    assert DEFAULT_FORMAT.read_type_heading(word) == (None, False, word, False)


@given(st.sampled_from(CHANGE_TYPES), st.data())
def test_a_respelt_heading_keeps_the_letters_of_its_type(name: str, data: st.DataObject) -> None:
    """Whatever one wrong, missing or added letter makes of a type: it is respelt to that type, or not at all."""
    position = data.draw(st.integers(0, len(name)))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    misspelt = name[:position] + letter + name[position + data.draw(st.integers(0, 1)) :]
    assume(misspelt.casefold() not in {"fixes", "add", "adds", "fix"})

    meaning = DEFAULT_FORMAT.read_type_heading(misspelt)

    assert meaning.spelling in {misspelt, name}
    if meaning.type and misspelt.casefold() != name.casefold():
        assert sorted({*misspelt.casefold()}) == sorted({*name.casefold()}) or len(misspelt) < len(name)


@pytest.mark.parametrize(
    "text",
    ["À venir", "[À venir]", "[Prochaine version] - bientôt", "[À venir] - 2026-12-01", "Next", "Soon:", "[HEAD]"],
)
def test_a_heading_that_may_be_unreleased_is_refused_with_its_line(text: str) -> None:
    log = parse_changelog(f"# Log\n\n## {text}\n\n- x\n\n## [1.0.0] - 2026-01-01\n\n- y\n".encode())

    with pytest.raises(Refused, match=r"line 3 of the changelog, '## .*', is neither a release nor"):
        find_unreleased(log)


@pytest.mark.parametrize(
    "head",
    [
        "## About\n\nText.\n",
        "## Table of contents\n\n- [1.0.0](#100)\n",
        "## Changelog\n",
        "## Types of changes\n\nText.\n",
        "",
    ],
)
def test_a_heading_that_explains_the_file_is_not_refused(head: str) -> None:
    assert find_unreleased(parse_changelog(f"# Log\n\n{head}\n## [1.0.0] - 2026-01-01\n\n- y\n".encode())) is None


@pytest.mark.parametrize("heading", ["master (unreleased)", "[HEAD] - Unreleased", "Next (non publié)"])
def test_a_heading_that_says_unreleased_in_place_of_a_date_is_unreleased(heading: str) -> None:
    assert parse_heading(heading).is_unreleased


def test_types_of_level_two_are_no_unreleased() -> None:
    log = parse_changelog(b"# v2.0.0\n\n## Features\n\n- x\n\n# v1.0.0\n\n## Bugfixes\n\n- y\n")

    with pytest.raises(Refused, match=r"give \[Unreleased\] and releases headings of level 2"):
        find_unreleased(log)


@pytest.mark.parametrize("heading", ["# [Unreleased]", "# Non publié"])
def test_unreleased_of_level_one_is_refused(heading: str) -> None:
    with pytest.raises(Refused, match=r"give \[Unreleased\] and releases headings of level 2"):
        find_unreleased(parse_changelog(f"# Log\n\n{heading}\n\n- x\n\n# [1.0.0]\n\n- y\n".encode()))


@pytest.mark.parametrize("heading", ["Release 2020-01-05", "[2026-01-05]", "2026-01-05", "Version 2020.1"])
def test_a_release_that_is_named_by_a_date_is_not_refused(heading: str) -> None:
    assert find_unreleased(parse_changelog(f"## {heading}\n\n- x\n".encode())) is None


def test_a_heading_beside_unreleased_is_not_refused() -> None:
    log = parse_changelog(b"## Roadmap\n\n- x\n\n## [Unreleased]\n\n- a\n\n## 1.0.0\n\n- y\n")

    assert find_unreleased(log) is log.unreleased


@pytest.mark.parametrize("heading", ["Новое в версии 2.0", "Nouveautés de la 2.0", "Version 2.0.0", "Release 3"])
def test_a_release_that_is_named_in_words_is_no_unreleased(heading: str) -> None:
    assert not parse_heading(heading).is_unreleased


def test_configured_names_are_known() -> None:
    log = parse_changelog("## [À venir]\n\n### nouveautés\n\n- a\n\n### Documentation\n\n- b\n".encode(), FRENCH)

    assert log.unreleased
    assert log.unreleased.title.label == "À venir"
    assert [group.type for group in log.unreleased.groups] == ["Added", "Documentation"]


def test_a_configured_type_may_be_written_in_any_case() -> None:
    own_format = ChangelogFormat(type_names=(("Nouveautés", "added"),))

    assert own_format.types == CHANGE_TYPES
    assert own_format.find_type("Nouveautés") == "Added"


def test_own_types_come_after_the_six() -> None:
    assert FRENCH.types[-2:] == ("Security", "Documentation")


def test_an_english_changelog_loads_no_other_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each release would pay for it."""
    monkeypatch.setattr("kaizen_tasks.domain.changelog.format._translated_names", None)
    monkeypatch.setattr("kaizen_tasks.domain.changelog.format._translated_unreleased_names", None)
    monkeypatch.setattr("kaizen_tasks.domain.changelog.format._translated_unreleased_keys", None)

    log = parse_changelog(ORDERLY)

    assert find_unreleased(log)
    assert [group.type for section in log.sections for group in section.groups] == ["Added", "Fixed", "Added", "Added"]
    assert [section.title.name for section in log.releases] == ["1.1.0", "1.0.0"]
