"""Folding fragments into a changelog."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog.format import ChangelogFormat
from kaizen_tasks.domain.changelog.fragments.fold import FoldedChangelog, fold_fragments
from kaizen_tasks.domain.changelog.fragments.fragment import parse_fragments
from kaizen_tasks.domain.changelog.markdown.lines import split_lines
from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.errors import Refused
from tests.domain.changelog.documents import ORDERLY, nasty, releasable, unreleased


def fold(content: bytes, **texts: str) -> FoldedChangelog:
    """Fold fragments, whose names are given as `slug_type`."""
    contents = {f"changelog.d/{name.replace('_', '.')}.md": text.encode() for name, text in texts.items()}
    fragments = parse_fragments(contents)
    assert fragments.problems == ()
    return fold_fragments(parse_changelog(content), fragments.items)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "\n### Added\n\n- new\n\n### Fixed\n\n- one\n- two\n"),
        ("\n### Added\n\n- a\n\n### Fixed\n\n- b\n", "\n### Added\n\n- a\n- new\n\n### Fixed\n\n- b\n- one\n- two\n"),
        ("\n### Security\n\n* s\n", "\n### Added\n\n* new\n\n### Fixed\n\n* one\n* two\n\n### Security\n\n* s\n"),
        ("\n### Fixed\n\n- a\n\n- b\n", "\n### Added\n\n- new\n\n### Fixed\n\n- a\n\n- b\n\n- one\n\n- two\n"),
        ("\nNothing yet.\n", "\n### Added\n\n- new\n\n### Fixed\n\n- one\n- two\n"),
        ("\n- flat\n", "\n- flat\n\n### Added\n\n- new\n\n### Fixed\n\n- one\n- two\n"),
        (
            "\r\n### Added\r\n\r\n- a\r\n",
            "\r\n### Added\r\n\r\n- a\r\n- new\r\n\r\n### Fixed\r\n\r\n- one\r\n- two\r\n",
        ),
    ],
)
def test_entries_are_added_to_their_groups_in_the_style_of_the_file(before: str, after: str) -> None:
    folded = fold(unreleased(before), a_fixed="one\n", b_fixed="- two\n", c_added="new")
    assert folded.log.content == unreleased(after)


def test_entry_of_several_lines_is_one_item() -> None:
    text = "A list:\n\n- one\n\n```\n# code\n\n\ttab\n```\n\nLast.\n"
    folded = fold(unreleased(""), a_fixed=text)
    item = "- A list:\n\n  - one\n\n  ```\n  # code\n\n  \ttab\n  ```\n\n  Last.\n"
    assert folded.log.content == unreleased(f"\n### Fixed\n\n{item}")


@pytest.mark.parametrize("before", ["", "\n### Breaking\n\n- a\n"])
def test_types_of_the_configuration_have_headings_of_their_own(before: str) -> None:
    changelog_format = ChangelogFormat(type_names=(("breaking", "Breaking"), ("bugfix", "Fixed")))
    contents = {"d/1.breaking.md": b"one\n", "d/2.bugfix.md": b"two\n"}
    fragments = parse_fragments(contents, changelog_format)
    folded = fold_fragments(parse_changelog(unreleased(before), changelog_format), fragments.items)
    entries = "- a\n- one\n" if before else "- one\n"
    assert b"### Fixed\n\n- two\n" in folded.log.content
    assert f"### Breaking\n\n{entries}".encode() in folded.log.content
    assert folded.log.unreleased
    assert [entry.is_breaking for entry in folded.log.unreleased.entries if entry.text == "one"] == [True]


def test_section_is_created_when_there_is_none() -> None:
    folded = fold(b"# Changelog\n\n## [1.0.0] - 2020-01-01\n", a_fixed="one")
    assert folded.log.content == b"# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n- one\n\n## [1.0.0] - 2020-01-01\n"


def test_without_fragments_the_changelog_is_the_file() -> None:
    log = parse_changelog(ORDERLY)
    assert fold_fragments(log, ()).log is log


def test_entries_say_where_they_were_noted() -> None:
    folded = fold(ORDERLY, x_added="\nnew", y_fixed="one")
    assert folded.log.unreleased
    places = {entry.excerpt: folded.place(entry) for entry in folded.log.unreleased.entries}
    assert places == {
        "A **new** thing that goes on - and nests": ("", 7),
        "new": ("changelog.d/x.added.md", 2),
        "A bug": ("", 13),
        "one": ("changelog.d/y.fixed.md", 1),
    }


def test_changelog_with_a_fence_that_is_never_closed_is_refused() -> None:
    with pytest.raises(Refused, match=r"changelog\.d/a\.fixed\.md would be parsed differently"):
        fold(unreleased("\n### Fixed\n\n```\n"), a_fixed="one")


@given(
    texts=st.lists(nasty(), min_size=1, max_size=4), content=st.one_of(st.just(ORDERLY), releasable()), data=st.data()
)
@example(texts=["\tcode\n\n1. a\n\t- b"], content=ORDERLY, data=None)
def test_every_fragment_is_folded_or_reported_and_no_byte_of_it_is_lost(
    texts: list[str], content: bytes, data: st.DataObject | None
) -> None:
    contents = {f"d/{number}.fixed.md": text.encode() for number, text in enumerate(texts)}
    order = data.draw(st.permutations(list(contents))) if data else list(contents)
    fragments = parse_fragments({path: contents[path] for path in order})
    assert fragments == parse_fragments(contents)
    assert {each.path for each in fragments.problems} | set(fragments.paths) == set(contents)
    try:
        folded = fold_fragments(parse_changelog(content), fragments.items)
    except Refused:
        assume(content is not ORDERLY)  # which has no fence that is never closed
        return
    folded_lines = [line.strip() for line in split_lines(folded.log.content).texts]
    for fragment in fragments.items:
        lines = [line.strip() for line in fragment.lines]
        starts = [number for number, line in enumerate(folded_lines) if line.lstrip("-*+ ") == lines[0].lstrip("-*+ ")]
        assert any(folded_lines[start + 1 : start + len(lines)] == lines[1:] for start in starts)
