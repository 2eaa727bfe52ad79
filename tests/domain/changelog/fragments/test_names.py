"""File names of fragments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog.fragments import names
from kaizen_tasks.errors import UsageError


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("login.fixed.md", ("login", "fixed")),
        ("123.fixed.1.md", ("123", "fixed")),
        ("+1a2b3c.added.md", ("+1a2b3c", "added")),
        ("v1.2.fixed.md", ("v1.2", "fixed")),
        ("LOGIN.Fixed.MD", ("LOGIN", "Fixed")),
        ("fixed.md", None),
        (".fixed.md", None),
        ("login.fixed", None),
        ("login.fixed.rst", None),
        ("notes.txt", None),
    ],
)
def test_name_has_a_slug_and_a_type(name: str, parts: tuple[str, str] | None) -> None:
    parsed = names.parse_name(name)
    assert (parsed and (parsed.slug, parsed.type_name)) == parts


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "readme.rst",
        "README",
        ".gitkeep",
        ".gitignore",
        "_template.md",
        "template.md",
        "fragment.md.j2",
        "a~",
    ],
)
def test_other_files_that_belong_into_the_folder_are_left_alone(name: str) -> None:
    assert names.is_left_alone(name)


@pytest.mark.parametrize("name", ["login.fixed.md", "notes.txt", "1.rst", "readmes.fixed.md"])
def test_other_files_are_not_left_alone(name: str) -> None:
    assert not names.is_left_alone(name)


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("Fix the login", "fix-the-login-"),
        ("**Breaking:** `Crème` brûlée's API, see https://example.org/x", "breaking-creme-brulees-api-see-"),
        ("ログインを直す", "+"),
        ("../../etc/passwd", "etc-passwd-"),
        ("con", "con-"),
        (f"{'long ' * 20}", "long-long-long-long-long-long-long-long-"),
        ("x" * 200, "x" * 40 + "-"),
    ],
)
def test_name_begins_with_the_first_words(text: str, beginning: str) -> None:
    name = names.new_name(text, "Fixed", taken=())
    slug, _, ending = name.partition(".")
    assert slug[:-6] == beginning
    assert ending == "fixed.md"


def test_no_name_is_given_twice() -> None:
    first = names.new_name("A typo", "Fixed", taken=())
    second = names.new_name("A typo", "Fixed", taken=[first.upper()])
    assert first != second


def test_names_of_different_texts_differ() -> None:
    """Two branches add both, and neither overwrites the other."""
    assert names.new_name("A typo", "Fixed", taken=()) != names.new_name("A typo!", "Fixed", taken=())


@pytest.mark.parametrize(
    ("taken", "name"),
    [((), "123.fixed.md"), (("123.fixed.md",), "123.fixed.1.md"), (("123.added.md",), "123.fixed.md")],
)
def test_name_may_be_the_number_of_an_issue(taken: tuple[str, ...], name: str) -> None:
    assert names.new_name("A typo", "Fixed", taken=taken, slug="123") == name


@pytest.mark.parametrize("slug", ["a/b", "..", "../x", ".x", "a b", "-x", "é", "a.", "x\n"])
def test_name_that_is_unsafe_is_refused(slug: str) -> None:
    with pytest.raises(UsageError, match="not a file name"):
        names.new_name("A typo", "Fixed", taken=(), slug=slug)


def test_types_of_several_words_are_one_word_in_names() -> None:
    name = names.new_name("x", "Breaking Changes", taken=())
    parsed = names.parse_name(name)
    assert parsed
    assert parsed.type_name == "breaking-changes" == names.type_slug("breaking_changes")


def test_fragments_are_sorted_by_number_and_orphans_come_last() -> None:
    unsorted = ["+1.fixed.md", "login.fixed.md", "10.fixed.1.md", "9.fixed.md", "10.fixed.md"]
    expected = ["9.fixed.md", "10.fixed.md", "10.fixed.1.md", "login.fixed.md", "+1.fixed.md"]
    assert sorted(unsorted, key=names.sort_key) == expected


@given(text=st.text(), taken=st.lists(st.text(max_size=3)))
def test_every_text_has_a_safe_name(text: str, taken: list[str]) -> None:
    name = names.new_name(text, "Fixed", taken=taken)
    parsed = names.parse_name(name)
    assert parsed
    assert parsed.type_name == "fixed"
    assert len(name) < 60
    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>| .'.replace(".", ""))
