"""New fragments."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog.fragments.create import new_fragment
from kaizen_tasks.domain.changelog.fragments.fold import fold_fragments
from kaizen_tasks.domain.changelog.fragments.fragment import parse_fragments
from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.errors import KaizenError, Refused, UsageError
from tests.domain.changelog.documents import ORDERLY, nasty


def test_fragment_is_the_entry_without_a_bullet() -> None:
    fragment = new_fragment("changelog.d", kind="FIXED", text="A typo\n\n- here", breaking=True, taken=())
    assert fragment.content == b"**Breaking:** A typo\n\n- here\n"
    assert fragment.path.startswith("changelog.d/breaking-a-typo-here-")
    assert fragment.path.endswith(".fixed.md")


def test_name_that_exists_is_not_given_again() -> None:
    fragment = new_fragment("d", kind="fixed", text="A typo", taken=["7.fixed.md"], slug="7")
    assert fragment.path == "d/7.fixed.1.md"


@pytest.mark.parametrize("text", ["# A heading", "- one\n- two", "one\n\n[x]: /y", "---"])
def test_text_that_is_not_one_entry_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"--text: line \d of the entry"):
        new_fragment("d", kind="fixed", text=text, taken=())


def test_unknown_type_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no such type of change") as refused:
        new_fragment("d", kind="fixd", text="A typo", taken=())

    assert (refused.value.wrong, refused.value.right) == ("fixd", ("fixed",))


@given(nasty() | st.text())
def test_new_fragment_can_always_be_folded(text: str) -> None:
    try:
        fragment = new_fragment("d", kind="added", text=text, taken=())
    except KaizenError:
        return
    fragments = parse_fragments({fragment.path: fragment.content})
    assert fragments.problems == ()
    assert fold_fragments(parse_changelog(ORDERLY), fragments.items).log.unreleased


ENTRIES = st.lists(st.tuples(nasty() | st.text(), st.booleans()), max_size=4)


@given(entries=ENTRIES, other_entries=ENTRIES)
@example(
    entries=[("A typo", False), ("A typo", False), ("b", True)],
    other_entries=[("a typo", False), ("A typo!", False), ("A typo", True), ("b", False)],
)
def test_two_branches_never_add_different_files_of_one_name(
    entries: list[tuple[str, bool]], other_entries: list[tuple[str, bool]]
) -> None:
    """So git merges them without a conflict."""
    files, other_files = _files_of_branch(entries), _files_of_branch(other_entries)
    assert {path: files[path] for path in files.keys() & other_files.keys()} == {
        path: other_files[path] for path in files.keys() & other_files.keys()
    }


def _files_of_branch(entries: list[tuple[str, bool]]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for text, is_breaking in entries:
        taken = [path.removeprefix("d/") for path in files]
        with suppress(KaizenError):
            fragment = new_fragment("d", kind="fixed", text=text, breaking=is_breaking, taken=taken)
            files[fragment.path] = fragment.content
    return files
