"""Adding entries, and creating a changelog."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog import CHANGE_TYPES
from kaizen_tasks.domain.changelog.add import add_entry, empty_changelog
from kaizen_tasks.domain.changelog.format import ChangelogFormat
from kaizen_tasks.domain.changelog.lint.check import check_changelog
from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.errors import KaizenError, Refused, UsageError
from tests.domain.changelog.documents import ORDERLY, TODAY, nasty, unreleased


def test_empty_changelog_has_an_empty_unreleased_section() -> None:
    log = parse_changelog(empty_changelog())
    assert log.unreleased
    assert log.unreleased.is_empty
    assert check_changelog(empty_changelog(), version=None, tags=None, repository_url=None, today=TODAY) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "\n### Fixed\n\n- new\n"),
        ("\n### Fixed\n\n- a\n", "\n### Fixed\n\n- a\n- new\n"),
        ("\n### Fixed\n\n* a\n\n* b\n", "\n### Fixed\n\n* a\n\n* b\n\n* new\n"),
        ("\n### Fixed\n\n- a", "\n### Fixed\n\n- a\n- new"),
        ("\n### Fixed\n", "\n### Fixed\n\n- new\n"),
        ("### Fixed\n- a\n### Security\n- b\n", "### Fixed\n- a\n- new\n\n### Security\n- b\n"),
        ("\n### Added\n\n- a\n", "\n### Added\n\n- a\n\n### Fixed\n\n- new\n"),
        ("\n### Security\n\n+ a\n", "\n### Fixed\n\n+ new\n\n### Security\n\n+ a\n"),
        ("\n### Security\n\n- a\n\n[x]: /y\n", "\n### Fixed\n\n- new\n\n### Security\n\n- a\n\n[x]: /y\n"),
        ("\nA word.\n\n[x]: /y\n", "\nA word.\n\n### Fixed\n\n- new\n\n[x]: /y\n"),
        ("\r\n### Added\r\n\r\n- a\r\n", "\r\n### Added\r\n\r\n- a\r\n\r\n### Fixed\r\n\r\n- new\r\n"),
    ],
)
def test_entry_is_added_to_its_group_in_the_style_of_the_file(before: str, after: str) -> None:
    assert add_entry(unreleased(before), kind="fixed", text="new") == unreleased(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"## [Unreleased]\n\n### Fixed\n\n- new\n"),
        (b"\xef\xbb\xbf", b"\xef\xbb\xbf## [Unreleased]\n\n### Fixed\n\n- new\n"),
        (b"# Changes", b"# Changes\n\n## [Unreleased]\n\n### Fixed\n\n- new\n"),
        (b"# C\n\n## 1.0.0\n\n* a\n", b"# C\n\n## Unreleased\n\n### Fixed\n\n* new\n\n## 1.0.0\n\n* a\n"),
        (b"1.0.0\r\n-----\r\n", b"Unreleased\r\n----------\r\n\r\n### Fixed\r\n\r\n- new\r\n\r\n1.0.0\r\n-----\r\n"),
    ],
)
def test_missing_unreleased_section_is_created(before: bytes, after: bytes) -> None:
    assert add_entry(before, kind="Fixed", text="new") == after


def test_further_lines_are_indented_and_breaking_changes_marked() -> None:
    result = add_entry(unreleased(""), kind="changed", text="one\r\ntwo\n\n- three\n", breaking=True)
    assert result == unreleased("\n### Changed\n\n- **Breaking:** one\n  two\n\n  - three\n")


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        ("fxed", "a", "no such type of change$"),
        ("zebra", "a", "no such type of change$"),
        ("fixed", " \n", "entry is empty"),
        ("fixed", "\ud800", "cannot be encoded as UTF-8"),
    ],
)
def test_invalid_type_or_text_is_refused(kind: str, text: str, why: str) -> None:
    with pytest.raises(UsageError) as refusal:
        add_entry(ORDERLY, kind=kind, text=text)
    assert refusal.match(why) if "$" not in why else refusal.value.message.endswith(why[:-1])


def test_markdown_that_would_not_be_an_entry_is_refused() -> None:
    with pytest.raises(Refused, match="would not be parsed"):
        add_entry(unreleased(""), kind="fixed", text="- -")


def test_open_fence_stays_inside_its_entry() -> None:
    result = add_entry(ORDERLY, kind="fixed", text="```\nx")
    assert [one.heading for one in parse_changelog(ORDERLY).sections] == [
        one.heading for one in parse_changelog(result).sections
    ]


@given(nasty().map(str.encode), st.one_of(nasty(), st.text()), st.sampled_from(CHANGE_TYPES))
@example(b"## [Unreleased]\n### Fixed\n- a", "x", "Fixed")
@example(b"## [Unreleased]\n### Fixed\n```", "x", "Fixed")
def test_added_entry_is_parsed_back(content: bytes, text: str, kind: str) -> None:
    try:
        result = add_entry(content, kind=kind, text=text)
    except KaizenError:
        return
    before, after = parse_changelog(content), parse_changelog(result)
    assert after.unreleased
    entries = [entry.text for group in after.unreleased.groups if group.type == kind for entry in group.entries]
    assert text.strip().split("\n")[0].split("\r")[0].rstrip() in [entry.split("\n")[0] for entry in entries]
    assert [one.heading for one in before.releases] == [one.heading for one in after.releases]


@given(st.lists(st.tuples(st.sampled_from(CHANGE_TYPES), st.sampled_from(["a", "b\nc", "`d`"])), min_size=1))
def test_changelog_of_added_entries_has_no_problems(entries: list[tuple[str, str]]) -> None:
    content = empty_changelog()
    for kind, text in entries:
        content = add_entry(content, kind=kind, text=text)
    assert check_changelog(content, version=None, tags=None, repository_url=None, today=TODAY) == ()


FRENCH = "# Journal\n\n## [Non publié]\n\n### Corrigé\n\n- Un plantage.\n\n## [1.2.3] - 2026-01-01\n\n- x\n".encode()


def test_an_entry_goes_to_the_group_in_the_language_of_the_file() -> None:
    result = add_entry(FRENCH, kind="fixed", text="Autre").decode()

    assert "### Corrigé\n\n- Un plantage.\n- Autre\n\n## [1.2.3]" in result


@pytest.mark.parametrize(
    ("kind", "heading"),
    [("added", "Ajouté"), ("security", "Sécurité"), ("removed", "Supprimé"), ("modifié", "Modifié")],
)
def test_a_new_group_is_in_the_language_of_the_file(kind: str, heading: str) -> None:
    assert f"### {heading}\n\n- Autre\n" in add_entry(FRENCH, kind=kind, text="Autre").decode()


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("Unveröffentlicht", "Behoben"),
        ("No publicado", "Corregido"),
        ("未发布", "修复"),
        ("Не выпущено", "Исправлено"),  # noqa: RUF001 - Cyrillic
        ("Unreleased", "Fixed"),
    ],
)
def test_the_language_is_that_of_unreleased_where_there_is_no_type_yet(name: str, heading: str) -> None:
    content = f"## [{name}]\n\n## [1.0.0] - 2026-01-01\n\n- x\n".encode()

    assert f"## [{name}]\n\n### {heading}\n\n- a\n" in add_entry(content, kind="fixed", text="a").decode()


def test_english_types_below_a_translated_unreleased_stay_english() -> None:
    content = "## [Non publié]\n\n### Added\n\n- b\n\n## [1.0.0] - 2026-01-01\n\n### Changed\n\n- x\n".encode()

    assert "### Fixed\n\n- a\n" in add_entry(content, kind="fixed", text="a").decode()


def test_a_configured_heading_is_written_for_its_type() -> None:
    own_format = ChangelogFormat(unreleased_names=("Soon",), type_names=(("Nouveautés", "Added"), ("Docs", "Docs")))
    content = b"## [1.0.0] - 2026-01-01\n\n- x\n"

    result = add_entry(content, kind="added", text="a", changelog_format=own_format)
    result = add_entry(result, kind="docs", text="b", changelog_format=own_format)

    assert result.decode() == (
        "## [Soon]\n\n### Nouveautés\n\n- a\n\n### Docs\n\n- b\n\n## [1.0.0] - 2026-01-01\n\n- x\n"
    )


def test_an_unknown_heading_that_may_be_unreleased_is_refused() -> None:
    with pytest.raises(Refused, match="line 1 of the changelog, '## À venir'"):
        add_entry("## À venir\n\n- a\n\n## [1.0.0] - 2026-01-01\n\n- x\n".encode(), kind="fixed", text="b")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("\n### Fixed\n\n- Nothing.\n", "\n### Fixed\n\n- a\n"),
        ("\n### Fixed\n\n- Nothing.\n\n### Security\n\n- b\n", "\n### Fixed\n\n- a\n\n### Security\n\n- b\n"),
        ("\n_No changes yet._\n", "\n### Fixed\n\n- a\n"),
        ("\n_No changes yet._\n\n### Security\n\n- b\n", "\n### Fixed\n\n- a\n\n### Security\n\n- b\n"),
        ("\n### Removed\n\n- None\n\n### Fixed\n\n- None\n", "\n### Removed\n\n- None\n\n### Fixed\n\n- a\n"),
    ],
)
def test_an_entry_replaces_the_placeholder(body: str, expected: str) -> None:
    rest = "\n## [1.0.0] - 2026-01-01\n\n- x\n"

    result = add_entry(f"## [Unreleased]\n{body}{rest}".encode(), kind="fixed", text="a")

    assert result.decode() == f"## [Unreleased]\n{expected}{rest}"


def test_an_entry_that_is_not_breaking_goes_to_no_breaking_group() -> None:
    content = b"## [Unreleased]\n\n### Changed (breaking)\n\n- x\n"

    assert add_entry(content, kind="changed", text="a") == content + b"\n### Changed\n\n- a\n"


def test_a_new_group_has_the_level_of_the_others() -> None:
    content = b"## [Unreleased]\n\n## [1.0.0] - 2026-01-01\n\n#### Added\n\n- x\n"

    assert b"## [Unreleased]\n\n#### Fixed\n\n- a\n" in add_entry(content, kind="fixed", text="a")


def test_unreleased_is_added_above_the_newest_release_and_below_what_explains_the_file() -> None:
    content = b"## About\n\nText.\n\n## [1.0.0] - 2026-01-01\n\n- x\n"

    result = add_entry(content, kind="fixed", text="a")

    assert result.startswith(b"## About\n\nText.\n\n## [Unreleased]\n\n### Fixed\n\n- a\n\n## [1.0.0]")


@pytest.mark.parametrize("text", ["Nothing.", "N/A", "No changes yet"])
def test_a_placeholder_is_no_entry_to_add(text: str) -> None:
    with pytest.raises(UsageError, match="says that nothing has changed"):
        add_entry(ORDERLY, kind="fixed", text=text)


def test_releases_of_level_one_are_refused() -> None:
    with pytest.raises(Refused, match=r"line 3 of the changelog: 1\.2\.0 has a heading of level 1"):
        add_entry(b"# Changelog\n\n# 1.2.0 (2026-01-01)\n\n- x\n", kind="fixed", text="A fix.")
