"""The documentation checklist."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kaizen_tasks.domain.docs_checklist import matches_any, undocumented_changes

characters = st.sampled_from("ab/.*?[\n+")
texts = st.lists(characters, max_size=6).map("".join)


def fits(path: str, pattern: str) -> bool:
    """Match by trying every possibility, without regular expressions."""
    if not pattern:
        return not path
    if pattern.startswith("**/"):
        starts = (0, *(at + 1 for at, letter in enumerate(path) if letter == "/"))
        return any(fits(path[at:], pattern[3:]) for at in starts)
    if pattern.startswith("**"):
        return any(fits(path[at:], pattern[2:]) for at in range(len(path) + 1))
    if pattern.startswith("*"):
        within = (path.partition("/")[0]) if "/" in path else path
        return any(fits(path[at:], pattern[1:]) for at in range(len(within) + 1))
    if not path or (pattern[0] == "?" and path[0] == "/"):
        return False
    return pattern[0] in {"?", path[0]} and fits(path[1:], pattern[1:])


@given(path=texts, pattern=texts)
@example(path="a\nb", pattern="**")
@example(path="a/b", pattern="a**b")
@example(path="b", pattern="**/b")
def test_patterns_match_as_an_exhaustive_matcher_does(path: str, pattern: str) -> None:
    assert matches_any(path, [pattern]) == fits(path, pattern)


@pytest.mark.parametrize(
    ("pattern", "path", "fitting"),
    [
        ("Dockerfile", "Dockerfile", True),
        ("Dockerfile", "app/Dockerfile", False),
        ("**/Dockerfile", "Dockerfile", True),
        ("**/Dockerfile", "app/web/Dockerfile", True),
        ("infra/**", "infra/net/main.tf", True),
        ("infra/**", "infrared", False),
        ("infra/*", "infra/net/main.tf", False),
        ("infra/**/*.tf", "infra/main.tf", True),
        ("*.tf", "main-tf", False),
        ("v?.md", "v1.md", True),
        ("v?.md", "v/.md", False),
        ("[ab].md", "a.md", False),
    ],
)
def test_two_stars_cross_folders_and_one_does_not(pattern: str, path: str, fitting: bool) -> None:
    assert matches_any(path, [pattern]) is fitting


WHEN, UPDATE = ("infra/**", "Dockerfile"), ("docs/*.md", "README.md")


@pytest.mark.parametrize(
    ("touched", "asking"),
    [
        ((), ()),
        (("app.py",), ()),
        (("README.md",), ()),
        (("Dockerfile", "README.md"), ()),
        (("infra/main.tf", "docs/versioning.md"), ()),
        (("app.py", "infra/main.tf", "Dockerfile"), ("infra/main.tf", "Dockerfile")),
        (("Dockerfile", "docs/deep/versioning.md"), ("Dockerfile",)),
    ],
)
def test_files_without_changed_documentation_are_named(touched: tuple[str, ...], asking: tuple[str, ...]) -> None:
    assert undocumented_changes(WHEN, UPDATE, touched) == asking
