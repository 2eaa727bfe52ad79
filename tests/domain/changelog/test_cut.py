"""Cutting a release changes a heading and links, and nothing else."""

import pytest
from hypothesis import example, given

from kaizen_tasks.domain.changelog.cut_check import verify_cut
from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.errors import KaizenError, Refused
from tests.domain.changelog.documents import ORDERLY, cut, releasable, unreleased, version
from tests.domain.changelog.test_outline import oracle_headings


def test_heading_is_inserted_between_unreleased_and_its_entries() -> None:
    result = cut(ORDERLY)
    assert b"## [Unreleased]\n\n## [1.2.0] - 2026-11-22\n\n### Added\n\n- A **new** thing" in result
    log = parse_changelog(result)
    assert log.unreleased
    assert log.unreleased.is_empty
    assert [str(one.version) for one in log.releases] == ["1.2.0", "1.1.0", "1.0.0"]


def test_links_are_updated_in_place() -> None:
    assert cut(ORDERLY).endswith(
        b"\n\n[unreleased]: https://github.com/o/r/compare/v1.2.0...HEAD\n"
        b"[1.2.0]: https://github.com/o/r/compare/v1.1.0...v1.2.0\n"
        b"[1.1.0]: https://github.com/o/r/compare/v1.0.0...v1.1.0\n"
        b"[1.0.0]: https://github.com/o/r/releases/tag/v1.0.0\n"
    )


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://h/o/r/compare/v1.1.0...main", ["https://h/o/r/compare/v1.2.0...main", "v1.1.0...v1.2.0"]),
        ("https://gitlab.com/o/r/-/compare/v1.1.0...HEAD", ["/-/compare/v1.2.0...HEAD", "/-/compare/v1.1.0...v1.2.0"]),
        ("https://bitbucket.org/o/r/branches/compare/HEAD..v1.1.0", ["HEAD..v1.2.0", "v1.2.0..v1.1.0"]),
        (
            "https://bitbucket.org/o/r/branches/compare/HEAD%0Dv1.1.0#diff",
            ["HEAD%0Dv1.2.0#diff", "v1.2.0%0Dv1.1.0#diff"],
        ),
        ("https://codeberg.org/o/r/compare/1.1.0...HEAD", ["compare/v1.2.0...HEAD", "compare/1.1.0...v1.2.0"]),
        ("<https://h/o/r/compare/v0.1.0...HEAD>", ["<https://h/o/r/compare/v1.2.0...HEAD>", "v1.1.0...v1.2.0"]),
    ],
)
def test_links_follow_the_style_of_any_host(link: str, expected: list[str]) -> None:
    content = b"## [Unreleased]\n### Fixed\n- a\n\n## [1.1.0] - 2026-01-01\n\n[Unreleased]: " + link.encode() + b"\n"
    text = cut(content).decode()
    assert [one for one in expected if one not in text] == []


def test_links_sorted_oldest_first_stay_so() -> None:
    content = ORDERLY[: ORDERLY.index(b"[unreleased]: ")]
    content += b"[1.0.0]: https://h/o/r/releases/tag/v1.0.0\n[1.1.0]: https://h/o/r/compare/v1.0.0...v1.1.0\n"
    content += b"[Unreleased]: https://h/o/r/compare/v1.1.0...HEAD"
    assert cut(content).endswith(
        b"[1.2.0]: https://h/o/r/compare/v1.1.0...v1.2.0\n[Unreleased]: https://h/o/r/compare/v1.2.0...HEAD"
    )


@pytest.mark.parametrize(
    ("repository_url", "link"),
    [
        ("git@github.com:o/r.git", b"https://github.com/o/r/releases/tag/v1.2.0"),
        ("https://user:secret@gitlab.example.org/o/r.git", b"https://gitlab.example.org/o/r/-/tags/v1.2.0"),
        ("ssh://git@bitbucket.org/o/r", b"https://bitbucket.org/o/r/src/v1.2.0"),
    ],
)
def test_first_links_use_the_repository_url_without_credentials(repository_url: str, link: bytes) -> None:
    content = unreleased("### Added\n- a\n")
    result = cut(content, repository_url=repository_url)
    assert result.endswith(b"\n[1.2.0]: " + link + b"\n")
    assert b"secret" not in result


def test_no_links_are_added_without_a_repository() -> None:
    content = unreleased("### Added\n- a\n")
    assert cut(content) == b"## [Unreleased]\n\n## [1.2.0] - 2026-11-22\n### Added\n- a\n"


@pytest.mark.parametrize(
    ("newest", "heading"),
    [
        ("## 1.0.0 - 2020-01-01", "## 1.2.0 - 2026-11-22"),
        ("## v1.0.0 (2020-01-01)", "## v1.2.0 (2026-11-22)"),
        ("##  [1.0.0] \u2014 2020-01-01 ##", "##  [1.2.0] \u2014 2026-11-22 ##"),
        ("## [1.0.0] - 2020-01-01 [YANKED]", "## [1.2.0] - 2026-11-22"),
        ("1.0.0 - 2020-01-01\n---", "1.2.0 - 2026-11-22\n------------------"),
        (
            "## [1.0.0](https://h/o/r/compare/v0.9.0...v1.0.0) - 2020-01-01",
            "## [1.2.0](https://h/o/r/compare/v1.0.0...v1.2.0) - 2026-11-22",
        ),
    ],
)
def test_heading_follows_the_style_of_the_file(newest: str, heading: str) -> None:
    content = f"## Unreleased\n\n- a\n\n{newest}\n\n- b\n".encode()
    expected = f"## Unreleased\n\n{heading}\n\n- a\n\n{newest}\n\n- b\n".encode()
    assert cut(content) == expected


def test_link_in_the_heading_of_unreleased_is_updated() -> None:
    content = (
        b"## [Unreleased](https://h/o/r/compare/v1.0.0...HEAD)\n- a\n\n## [1.0.0](https://h/o/r/releases/tag/v1.0.0)\n"
    )
    assert cut(content).startswith(
        b"## [Unreleased](https://h/o/r/compare/v1.2.0...HEAD)\n\n"
        b"## [1.2.0](https://h/o/r/compare/v1.0.0...v1.2.0) - 2026-11-22\n- a\n"
    )


def test_line_endings_bom_and_missing_final_newline_are_kept() -> None:
    content = b"\xef\xbb\xbf" + ORDERLY.replace(b"\n", b"\r\n").removesuffix(b"\r\n").replace(b"A bug\r\n", b"A bug\n")
    result = cut(content)
    assert result.startswith(b"\xef\xbb\xbf# Changelog\r\n")
    assert result.count(b"\n") - result.count(b"\r\n") == 1
    assert not result.endswith(b"\n")


@pytest.mark.parametrize("body", ["", "\n### Added\n\n### Fixed\n", "\n<!-- write here -->\n", "\n[a]: http://b\n"])
def test_empty_unreleased_section_is_refused(body: str) -> None:
    with pytest.raises(Refused, match=r"\[Unreleased\] is empty"):
        cut(unreleased(body))


def test_empty_type_is_moved_with_the_others() -> None:
    content = unreleased("### Added\n\n### Fixed\n- a\n")
    assert cut(content) == b"## [Unreleased]\n\n## [1.2.0] - 2026-11-22\n### Added\n\n### Fixed\n- a\n"


def test_existing_version_is_refused() -> None:
    with pytest.raises(Refused, match="already has a section"):
        cut(ORDERLY, to="1.1.0")


@pytest.mark.parametrize(
    ("content", "why"), [(b"# C\n\n## [1.0.0]\n- a\n", "no \\[Unr"), (b"## Unreleased\n" * 2, "2 \\[Unr")]
)
def test_missing_or_duplicate_unreleased_section_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        cut(content)


def test_links_inside_an_open_comment_are_refused() -> None:
    content = unreleased("### Added\n- a\n\n<!-- never closed\n")
    assert b"[1.2.0]:" not in cut(content)
    with pytest.raises(Refused, match="cannot be cut"):
        cut(content, repository_url="https://github.com/o/r")


@pytest.mark.parametrize("end", ["", "\n"])
def test_links_are_added_to_a_file_with_other_definitions(end: str) -> None:
    result = cut(unreleased(f"- [a]\n\n[a]: /u\n\n# End{end}"), repository_url="https://github.com/o/r")
    assert result.endswith(
        b"# End\n\n[Unreleased]: https://github.com/o/r/compare/v1.2.0...HEAD\n"
        b"[1.2.0]: https://github.com/o/r/releases/tag/v1.2.0" + end.encode()
    )


def test_links_are_added_below_a_heading_that_ends_the_file() -> None:
    result = cut(unreleased("- a\n\n## 1.1.0"), repository_url="https://github.com/o/r")
    assert result == unreleased(
        "\n## 1.2.0 - 2026-11-22\n- a\n\n## 1.1.0\n\n[Unreleased]: https://github.com/o/r/compare/v1.2.0...HEAD"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"- A bug", b"- A Bug"),
        (b"- First\n", b"- First\n\n"),
        (b"## [1.2.0] - 2026-11-22", b"### [1.2.0] - 2026-11-22"),
        (b"[1.0.0]: https", b"[1.0.0]: http"),
        (b"# Changelog\n", b"# Changelog\r\n"),
        (b"tag/v1.0.0\n", b"tag/v1.0.0"),
        (b"## [1.2.0] - 2026-11-22\n", b"## [1.2.0] - 2026-11-22\n\n## [1.1.9]\n"),
    ],
)
def test_verification_finds_any_other_difference(old: bytes, new: bytes) -> None:
    log, result = parse_changelog(ORDERLY), cut(ORDERLY)
    verify_cut(log, result, version=version("1.2.0"))
    with pytest.raises(Refused, match="cannot be cut"):
        verify_cut(log, result.replace(old, new, 1), version=version("1.2.0"))


@given(releasable())
@example(b"## [Unreleased]\n- a")
@example(b'## [Unreleased]\n- a\n## [1.0.0] - 2020-01-01\n# T\n  [1.0.0]: http://x "t"')
@example(b"## [Unreleased]\r\r\n- a\r\r\n")
@example(b"## [Unreleased]\n### Fixed\n\n- bug\n\n\x1c\n-\n")
@example(b"## [Unreleased]\n### Added\n- # T\n  [1.0.0]: http://x/y\n\n## [1.0.0] - 2020-01-01\n")
def test_cut_moves_the_same_entries_and_keeps_the_rest(content: bytes) -> None:
    try:
        before = parse_changelog(content)
        result = cut(content, to="7.7.7", repository_url="https://github.com/o/r")
    except KaizenError:
        return
    log = parse_changelog(result)
    released = log.find_section(version("7.7.7"))
    assert released
    assert before.unreleased
    assert [one.text for one in before.unreleased.entries] == [one.text for one in released.entries]
    assert [one.heading for one in before.releases] == [one.heading for one in log.releases if one is not released]
    headings = [text for _, _, level, text in oracle_headings(result.decode().removeprefix("\ufeff")) if level == 2]
    assert headings == [one.heading for one in log.sections]
