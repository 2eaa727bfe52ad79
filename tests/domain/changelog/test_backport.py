"""A release of an older line is cut into its place, and leaves the other lines as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog.cut import cut_release
from kaizen_tasks.domain.changelog.model import parse_changelog
from tests.domain.changelog.documents import TODAY, cut, version

LINES = b"""\
# Changelog

## [Unreleased]

### Fixed

- A backport

## [2.0.0] - 2026-11-01

### Changed

- Everything

## [1.2.3] - 2026-10-01

### Fixed

- A bug

[Unreleased]: https://github.com/o/r/compare/v2.0.0...HEAD
[2.0.0]: https://github.com/o/r/compare/v1.2.3...v2.0.0
[1.2.3]: https://github.com/o/r/releases/tag/v1.2.3
"""


def test_backport_is_placed_below_the_later_release() -> None:
    result = cut(LINES, to="1.2.4")

    assert b"## [Unreleased]\n\n## [2.0.0] - 2026-11-01\n\n### Changed\n\n- Everything\n\n" in result
    assert b"## [1.2.4] - 2026-11-22\n\n### Fixed\n\n- A backport\n\n## [1.2.3] - 2026-10-01\n" in result


def test_backport_is_compared_with_its_own_predecessor_and_moves_no_other_link() -> None:
    assert cut(LINES, to="1.2.4").endswith(
        b"\n[Unreleased]: https://github.com/o/r/compare/v2.0.0...HEAD\n"
        b"[2.0.0]: https://github.com/o/r/compare/v1.2.3...v2.0.0\n"
        b"[1.2.4]: https://github.com/o/r/compare/v1.2.3...v1.2.4\n"
        b"[1.2.3]: https://github.com/o/r/releases/tag/v1.2.3\n"
    )


def test_unreleased_link_of_the_line_itself_moves() -> None:
    content = LINES.replace(b"compare/v2.0.0...HEAD", b"compare/v1.2.3...stable/1.x")

    assert b"[Unreleased]: https://github.com/o/r/compare/v1.2.4...stable/1.x\n" in cut(content, to="1.2.4")


def test_release_is_compared_with_the_given_predecessor_and_not_with_a_backport() -> None:
    """1.2.4 was released on its own line, and its section was brought here."""
    content = LINES.replace(b"## [2.0.0] - 2026-11-01", b"## [1.2.4] - 2026-11-01").replace(b"2.0.0", b"1.2.4")
    result = cut_release(
        content,
        version=version("2.0.0"),
        date=TODAY,
        repository_url=None,
        previous=version("1.2.3"),
    )

    assert b"[2.0.0]: https://github.com/o/r/compare/v1.2.3...v2.0.0\n" in result


def test_previous_tag_of_another_form_is_kept_in_the_link() -> None:
    content = b"## [Unreleased]\n\n### Fixed\n\n- a\n\n## [1.1.0] - 2026-01-01\n"
    result = cut_release(
        content,
        version=version("1.2.0"),
        date=TODAY,
        repository_url="https://github.com/o/r",
        previous=version("1.1.0"),
        previous_tag="1.1.0",
    )

    assert b"[1.2.0]: https://github.com/o/r/compare/1.1.0...v1.2.0\n" in result


@pytest.mark.parametrize(
    "content",
    [
        LINES.replace(b"\n", b"\r\n"),
        LINES[: LINES.index(b"[Unreleased]: ")],
        LINES[: LINES.index(b"## [1.2.3]")],
        LINES[: LINES.index(b"## [1.2.3]")] + b"[2.0.0]: https://github.com/o/r/releases/tag/v2.0.0\n",
        LINES[: LINES.index(b"\n## [1.2.3]")],
        LINES.replace(b"\n- A backport\n\n", b"\n- A backport\n\n[local]: https://example.com\n\n"),
    ],
    ids=["crlf", "no links", "no predecessor", "links at the end", "no empty line at the end", "local definition"],
)
def test_backport_moves_its_entries_alone(content: bytes) -> None:
    log = parse_changelog(cut(content, to="1.2.4"))

    assert [str(section.version) for section in log.releases][:2] == ["2.0.0", "1.2.4"]
    assert log.unreleased
    assert log.unreleased.is_empty
    assert [entry.text for entry in log.releases[1].entries] == ["A backport"]
    assert [entry.text for entry in log.releases[0].entries] == ["Everything"]


URL = "https://github.com/o/r/compare"


@st.composite
def two_lines(draw: st.DrawFn) -> tuple[bytes, str, str]:
    """Return a changelog with releases of two lines, the next version of one of them, and its predecessor."""
    counts = {major: draw(st.integers(1, 4)) for major in (1, 2)}
    by_line = {major: [f"{major}.0.{patch}" for patch in range(count)] for major, count in counts.items()}
    names = [name for major in (2, 1) for name in reversed(by_line[major])]
    predecessors = {
        name: line[position - 1] for line in by_line.values() for position, name in enumerate(line) if position
    }
    major = draw(st.sampled_from((1, 2)))
    sections = "".join(f"\n## [{name}] - 2026-01-01\n\n### Fixed\n\n- In {name}\n" for name in names)
    links = "".join(f"[{name}]: {URL}/v{predecessors.get(name, '0.9.0')}...v{name}\n" for name in names)
    start = draw(st.sampled_from([by_line[major][-1], names[0]]))
    text = f"# Log\n\n## [Unreleased]\n\n### Fixed\n\n- New\n{sections}\n[Unreleased]: {URL}/v{start}...HEAD\n{links}"
    return text.encode(), f"{major}.0.{counts[major]}", by_line[major][-1]


@given(two_lines())
def test_cut_moves_no_link_of_another_line_and_keeps_the_order(case: tuple[bytes, str, str]) -> None:
    content, name, predecessor = case
    result = cut(content, to=name).decode()
    links = [line for line in content.decode().splitlines() if line.startswith("[") and "Unreleased" not in line]

    assert [line for line in links if line not in result.splitlines()] == []
    assert f"[{name}]: {URL}/v{predecessor}...v{name}" in result.splitlines()
    versions = [section.version for section in parse_changelog(result.encode()).releases if section.version]
    assert versions == sorted(versions, reverse=True)
    assert len(versions) == len(links) + 1
