"""Reading fragments, and the problems that are found."""

import pytest

from kaizen_tasks.domain.changelog.format import ChangelogFormat
from kaizen_tasks.domain.changelog.fragments.fragment import Fragment, Fragments, parse_fragments

ALL_TYPES = "added, changed, deprecated, removed, fixed, security"


def lines_of(content: str, name: str = "x.fixed.md") -> tuple[str, ...]:
    fragments = parse_fragments({f"changelog.d/{name}": content.encode()})
    assert fragments.problems == ()
    [fragment] = fragments.items
    return fragment.lines


def problem_of(content: bytes, name: str = "x.fixed.md") -> str:
    fragments = parse_fragments({f"changelog.d/{name}": content})
    assert fragments.items == ()
    return "; ".join(f"{each.path}:{each.line}:{each.column} {each.rule} {each}" for each in fragments.problems)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("A typo\n", ("A typo",)),
        ("A typo", ("A typo",)),
        ("\ufeffA typo\r\n", ("A typo",)),
        ("\n\n  A typo\n\n", ("A typo",)),
        ("- A typo\n", ("A typo",)),
        ("* A typo\n  in the manual\n", ("A typo", "in the manual")),
        ("A typo\nin the manual\n", ("A typo", "in the manual")),
        ("1. A typo\n", ("A typo",)),
        ("**Breaking:** no login\n", ("**Breaking:** no login",)),
        ("[Link](x) first\n", ("[Link](x) first",)),
        ("A list:\n\n- one\n  - two\n", ("A list:", "", "- one", "  - two")),
        ("- A list:\n  - one\n\n    two\n", ("A list:", "- one", "", "  two")),
        (
            "Code:\n\n```\n# no heading\n\n\tindented\n```\n",
            ("Code:", "", "```", "# no heading", "", "\tindented", "```"),
        ),
        ("- Code:\n  ```\n  \tindented\n  ```\n", ("Code:", "```", "\tindented", "```")),
        ("A list:\n1. one\n\t- two\n", ("A list:", "1. one", "    - two")),
        ("<!-- a comment -->\nA typo\n", ("A typo",)),
        ("<!--\nlines\n-->\n\n- A typo\n", ("A typo",)),
        ("One paragraph.\n\nAnother.\n", ("One paragraph.", "", "Another.")),
    ],
)
def test_whole_file_is_one_entry(content: str, lines: tuple[str, ...]) -> None:
    assert lines_of(content) == lines


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "1:1 fragment-empty"),
        (b"\n \n", "1:1 fragment-empty"),
        (b"-\n", "1:1 fragment-empty"),
        (b"<!-- nothing -->\n", "1:1 fragment-empty"),
        (b"- Nothing yet.\n", "1:1 fragment-empty"),
        (b"A typo\n\xff\n", "2:1 not-utf8"),
        (b"### Fixed\n\n- A typo\n", "1:1 fragment-heading"),
        (b"A typo\n---\n", "1:1 fragment-heading"),
        (b"A typo\n\n  ## More\n", "3:3 fragment-heading"),
        (b"---\nkind: fixed\n---\n\nA typo\n", "1:1 fragment-rule"),
        (b"- A typo\n- Another\n", "2:1 fragment-entries"),
        (b"- A typo\n\nMore\n", "3:1 fragment-entries"),
        (b"A typo, see [docs]\n\n[docs]: https://example.org\n", "3:1 fragment-link"),
    ],
)
def test_problem_is_found_where_it_is(content: bytes, problem: str) -> None:
    assert problem_of(content).startswith(f"changelog.d/x.fixed.md:{problem}")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("123.bugfix.md", "fragment-type 1: 'bugfix' is not a type of change, did you mean 123.fixed.md?"),
        ("123.fixd.md", "fragment-type 1: 'fixd' is not a type of change, did you mean 123.fixed.md?"),
        (
            "123.docs.md",
            f"fragment-type 1: 'docs' is not a type of change, use one of {ALL_TYPES}",
        ),
        ("123.bugfix.rst", "fragment-name 1: this is no fragment, name it 123.fixed.md, or move it away"),
        ("123.security.txt", "fragment-name 1: this is no fragment, name it 123.security.md, or move it away"),
        ("123.bugfix", "fragment-name 1: this is no fragment, name it 123.fixed.md, or move it away"),
        (
            "notes.txt",
            "fragment-name 1: this is no fragment, name it <slug>.<type>.md, such as 123.fixed.md, or move it away",
        ),
    ],
)
def test_problem_of_a_name_says_which_name_is_right(name: str, problem: str) -> None:
    assert problem_of(b"A typo\n", name) == f"changelog.d/{name}:1:1 {problem}"


def test_files_that_are_no_fragments_are_left_alone() -> None:
    contents = {
        f"changelog.d/{name}": b"\xff" for name in ("README.md", ".gitkeep", "_template.md", "new_fragment.md.j2")
    }
    assert parse_fragments(contents) == Fragments()


def test_fragments_are_ordered_by_type_then_name() -> None:
    names = ["10.fixed.md", "a.added.md", "9.fixed.md", "x.security.md"]
    fragments = parse_fragments({f"changelog.d/{name}": b"A typo\n" for name in names})
    assert fragments.paths == tuple(
        f"changelog.d/{name}" for name in ("a.added.md", "9.fixed.md", "10.fixed.md", "x.security.md")
    )


def test_fragment_says_where_its_entry_begins() -> None:
    fragments = parse_fragments({"changelog.d/x.Fixed.md": b"\n<!-- c -->\n- A typo\n"})
    expected = Fragment(path="changelog.d/x.Fixed.md", change_type="Fixed", lines=("A typo",), line=3)
    assert fragments.items == (expected,)


def test_types_of_the_configuration_count() -> None:
    changelog_format = ChangelogFormat(type_names=(("bugfix", "Fixed"), ("Breaking Changes", "Breaking changes")))
    names = ["1.bugfix.md", "2.breaking-changes.md", "3.BREAKING_CHANGES.md", "4.fixed.md", "5.breaking.md"]
    contents = {f"d/{name}": b"A typo\n" for name in names}
    fragments = parse_fragments(contents, changelog_format)
    found = {fragment.path[2:]: fragment.change_type for fragment in fragments.items}
    assert found == {
        "1.bugfix.md": "Fixed",
        "2.breaking-changes.md": "Breaking changes",
        "3.BREAKING_CHANGES.md": "Breaking changes",
        "4.fixed.md": "Fixed",
    }
    assert [problem.fix for problem in fragments.problems] == ["did you mean 5.breaking-changes.md?"]
