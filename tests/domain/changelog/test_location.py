"""Which file is the changelog."""

from __future__ import annotations

import pytest

from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows.release.files import find_changelog
from tests.fakes.release_files import FakeReleaseFiles


def found(*names: str, configured: str = "") -> str:
    """Return the changelog among files."""
    return find_changelog(configured, FakeReleaseFiles(dict.fromkeys(names, b"")))


@pytest.mark.parametrize(
    ("names", "path"),
    [
        ((), "CHANGELOG.md"),
        (("CHANGELOG.md", "HISTORY.md", "docs/CHANGELOG.md", "CHANGELOG.rst"), "CHANGELOG.md"),
        (("Changelog.md",), "Changelog.md"),
        (("changelog.md", "HISTORY.md"), "changelog.md"),
        (("CHANGES.md", "README.md", "changes.py", "changes/1.md"), "CHANGES.md"),
        (("HISTORY.md",), "HISTORY.md"),
        (("docs/CHANGELOG.md", "docs/history.md"), "docs/CHANGELOG.md"),
        (("docs/changes.markdown",), "docs/changes.markdown"),
        (("src/CHANGELOG.md",), "CHANGELOG.md"),
    ],
)
def test_the_one_changelog_is_found(names: tuple[str, ...], path: str) -> None:
    assert found(*names) == path


@pytest.mark.parametrize(
    ("names", "configured", "words"),
    [
        (("CHANGES.md", "docs/CHANGELOG.md"), "", 'say which: write file = "CHANGES.md" under [changelog]'),
        (("Changelog.md", "changelog.md"), "", "there are 2 changelogs: Changelog.md, changelog.md"),
        (("CHANGES.rst",), "", "CHANGES.rst seems to be the changelog"),
        (("NEWS",), "", 'if it is Markdown after all: write file = "NEWS"'),
        (("docs/CHANGELOG.md",), "docs/Changelog.md", 'write file = "docs/CHANGELOG.md"'),
    ],
)
def test_a_second_changelog_is_never_begun(names: tuple[str, ...], configured: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        found(*names, configured=configured)
    assert words in f"{error.value.message} {error.value.hint}"


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (("CHANGES.md", "docs/CHANGELOG.md"), "say which: git mv CHANGES.md CHANGELOG.md"),
        (
            ("HISTORY.rst",),
            (
                "to convert it: pandoc --to gfm --output CHANGELOG.md HISTORY.rst && git add CHANGELOG.md; "
                "if it is Markdown after all: git mv HISTORY.rst HISTORY.md; "
                "to begin another one: echo '# Changelog' > CHANGELOG.md && git add CHANGELOG.md"
            ),
        ),
        (
            ("release notes",),
            (
                "if it is Markdown after all: git mv 'release notes' 'release notes.md'; "
                "to begin another one: echo '# Changelog' > CHANGELOG.md && git add CHANGELOG.md"
            ),
        ),
    ],
)
def test_without_a_configuration_the_advice_is_a_command(names: tuple[str, ...], hint: str) -> None:
    with pytest.raises(UsageError) as error:
        find_changelog("", FakeReleaseFiles(dict.fromkeys(names, b"")), is_configured=False)
    assert error.value.hint == hint


@pytest.mark.parametrize("names", [(), ("CHANGELOG.md", "docs/NEWS.md")])
def test_the_configured_one_is_taken(names: tuple[str, ...]) -> None:
    assert found(*names, configured="docs/NEWS.md") == "docs/NEWS.md"
