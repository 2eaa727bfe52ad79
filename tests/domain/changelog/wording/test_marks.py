# ruff: noqa: RUF001 - Cyrillic letters and full-width colons are what they look like
"""What counts as a breaking change, and what is no entry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.domain.changelog.wording.marks import is_placeholder, marks_breaking, names_breaking

WORDS = [
    "Breaking",
    "BREAKING",
    "breaking",
    "Breaking change",
    "BREAKING CHANGE",
    "Breaking Changes",
    "BREAKING-CHANGE",
]
FRAMES = [
    *(
        "**{}** x",
        "**{}:** x",
        "**{}**: x",
        "__{}:__ x",
        "*{}:* x",
        "***{}*** x",
        "`{}:` x",
        "{}: x",
        "{} - x",
        "{} — x",
    ),
    *("{}! x", "[{}] x", "[{}]: x", "({}) x", "**[{}]** x", "[**{}**] x", "⚠ {}: x", "⚠️ **{}** x"),
    *(
        ":warning: {}: x",
        "x ({})",
        "x **{}**",
        "x [{}]",
        "x **({})**",
        "x ({}: y)",
        "core: {}: x",
        "**core:** **{}** x",
    ),
    *(
        "(core) {}: x",
        "#12 {}: x",
        "[#12](https://h/12): {}: x",
        "[ABC-12] {}: x",
        "[ ] {}: x",
        "[{}](https://h) x",
        "x\n- {}: y",
    ),
    *("x\n\n  **{}:** y", "This is a {}.", "**{}**", "{}:"),
]
OTHERS = [
    *("Breaking out of loops works", "Fix a breaking change of 1.2", "Fixed a breaking change: foo works again"),
    *(
        "Non-breaking: x",
        "non-breaking change: x",
        "(non-breaking) x",
        "Not a breaking change: x",
        "No breaking changes",
    ),
    *(
        "Support for `feat!:` subjects",
        "Read `BREAKING CHANGE:` footers",
        "Line breaking: improved",
        "Warning!: x",
        "x! y",
    ),
    *(
        "Word-breaking: x",
        "Groundbreaking: x",
        "Breaking news",
        "See [breaking changes](docs/up.md)",
        "```\nBREAKING: x\n```",
    ),
]


@given(st.sampled_from(WORDS), st.sampled_from(FRAMES))
def test_breaking_changes_are_marked_in_many_ways(word: str, frame: str) -> None:
    assert marks_breaking(frame.format(word))


@pytest.mark.parametrize(
    "text",
    [
        *("feat!: x", "feat(api)!: x", "Fix!: x", "refactor(core-api)!: x", "**feat!:** x", "**feat(api)!**: x"),
        *("`feat!:` x", "💥 x", ":boom: x", "BREAKING x", "Drop x. BREAKING CHANGE: y", "x - BREAKING: y"),
        *("Breaking change in the API: x", "x\n\n  BREAKING CHANGE: y", "x\n  - feat!: y", "Removed x. **Breaking!**"),
    ],
)
def test_breaking_changes_are_marked_as_in_commits(text: str) -> None:
    assert marks_breaking(text)


@pytest.mark.parametrize("text", OTHERS)
def test_the_word_alone_marks_nothing(text: str) -> None:
    assert not marks_breaking(text)


@given(st.text(alphabet="breaking!:*_`[]() \n-#\\x", max_size=60))
def test_any_text_is_accepted(text: str) -> None:
    marks_breaking(text)
    is_placeholder(text)


@pytest.mark.parametrize(
    "heading", ["Breaking", "Breaking Changes", "⚠ BREAKING CHANGES", "Changed (breaking)", "Fixed [BREAKING]"]
)
def test_entries_under_a_breaking_heading_are_breaking(heading: str) -> None:
    log = parse_changelog(f"## [Unreleased]\n\n### {heading}\n\n- a\n\n### Fixed\n\n- b\n".encode())

    assert log.unreleased
    assert [entry.is_breaking for entry in log.unreleased.entries] == [True, False]


def test_entries_under_a_breaking_heading_inside_a_group_are_breaking() -> None:
    log = parse_changelog(b"## [Unreleased]\n\n### Changed\n\n- a\n\n#### Breaking\n\n- b\n\n#### Other\n\n- c\n")

    assert log.unreleased
    assert [(entry.is_breaking, entry.type) for entry in log.unreleased.entries] == [
        (False, "Changed"),
        (True, "Changed"),
        (False, "Changed"),
    ]


INCOMPATIBLE = [
    *("BC break", "Incompatible", "Backwards incompatible", "Backward-incompatible change", "Incompatible changes"),
    *("Nicht abwärtskompatibel", "Inkompatible Änderung", "Rupture de compatibilité", "Changement cassant"),
    *("Cambio incompatible", "Modifica incompatibile", "Mudança incompatível", "Ломающее изменение"),
    *("Niekompatybilne zmiany", "不兼容变更", "破坏性变更", "破壊的変更"),
]


@given(
    st.sampled_from(INCOMPATIBLE),
    st.sampled_from(
        [
            *("{}: x", "**{}:** x", "**{}**: x", "**{} :** x", "**{}：** x", "**{}**：x", "**{}** x", "[{}] x"),
            *("x ({})", "core: **{}:** x", "⚠️ {}: x", "#12 {}: x", "【{}】x", "x\n- {}: y"),
        ]
    ),
    st.sampled_from([str, str.upper, str.lower]),
)
def test_words_of_headings_are_marks_of_entries(text, frame, case) -> None:  # type: ignore[no-untyped-def]
    assert marks_breaking(frame.format(case(text)))
    assert names_breaking(case(text))


@pytest.mark.parametrize(
    "text",
    [
        *("Fixed incompatible types: x", "Report **incompatible** flags", "Not backwards incompatible: x"),
        *("Fix BC break: x", "(incompatible types are refused) x", "Incompatible plugins are skipped"),
        *("**incompatible-plugin:** x", "Abwärtskompatibel: x", "The error `Incompatible: x` is shown"),
        *("`BREAKING` constant is exported again", "`BREAKING CHANGE` footers are read", "`incompatible` is a flag"),
    ],
)
def test_words_in_the_text_mark_nothing(text: str) -> None:
    assert not marks_breaking(text)


def test_a_heading_of_several_words_is_breaking() -> None:
    assert names_breaking("Änderungen, die nicht abwärtskompatibel sind")
    assert not names_breaking("Abwärtskompatible Änderungen")


PLACEHOLDERS = [
    *("Nothing.", "Nothing", "None", "None.", "N/A", "n/a", "NA", "_No changes_", "*No changes.*"),
    *(
        "TBD",
        "TBD.",
        "TBA",
        "(none)",
        "_None_",
        "-",
        "...",
        "…",
        "Nothing yet.",
        "Nothing here yet",
        "No notable changes.",
    ),
    *(
        "**None**",
        "To be determined",
        "No new features",
        "`None`",
        "There are no changes yet.",
        "No unreleased changes.",
    ),
    *("No entries yet", "Nothing so far", "[none]", "TODO", "No user-facing changes", "Not applicable", "None so far."),
    *(
        "Sin cambios todavía.",
        "_Nada por ahora._",
        "なし",
        "Aucun changement.",
        "Keine Änderungen",
        "暂无",
        "Нет изменений.",
    ),
    *("No breaking changes.", "No security fixes", "Nothing changed.", "Coming soon", "Not yet.", "None added"),
]


@given(
    st.sampled_from(PLACEHOLDERS),
    st.sampled_from(["- {}", "* {}", "{}", "- {}\n- {}"]),
    st.sampled_from([str, str.upper]),
)
def test_a_placeholder_is_no_entry(text, frame, case) -> None:  # type: ignore[no-untyped-def]
    body = frame.replace("{}", case(text))

    log = parse_changelog(f"## [Unreleased]\n\n### Removed\n\n{body}\n\n## [1.0.0]\n\n- x\n".encode())

    assert log.unreleased
    assert log.unreleased.is_empty


@pytest.mark.parametrize(
    "text",
    [
        *("None of the above", "Nothing breaks", "No changes needed in config", "TBD widget", "Nothing.js removed"),
        *(
            "No fixes needed anymore",
            "N/A columns",
            "No longer crashes",
            "None is accepted",
            "Null values",
            "Todo list",
        ),
    ],
)
def test_a_text_that_begins_like_a_placeholder_is_an_entry(text: str) -> None:
    assert not is_placeholder(text)
