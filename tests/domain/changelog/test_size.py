"""Time and memory for changelogs of ten thousand releases."""

import datetime as dt
import time
import tracemalloc
from collections.abc import Callable
from itertools import pairwise

import pytest
from semver import Version

from kaizen_tasks.domain.changelog import section
from kaizen_tasks.domain.changelog.format import ChangelogFormat
from kaizen_tasks.domain.changelog.headings import ReleaseHeading, parse_heading
from kaizen_tasks.domain.changelog.lint.check import check_changelog
from kaizen_tasks.domain.changelog.model import parse_changelog
from tests.domain.changelog.documents import TODAY, cut


def large(releases: int) -> bytes:
    versions = [f"{number // 100}.{number % 100}.0" for number in range(releases, 0, -1)]
    bodies = [
        f"## [{version}] - {dt.date(2026, 1, 1) - dt.timedelta(days=age // 4)}\n\n### Added\n\n"
        f"- A new thing that does `something`, see [the issue](https://example.com/issues/{age})\n"
        "  and goes on over a line that explains at length what the people who use it can expect of it\n"
        f"- Another one, **bold**, of which there is not so much to say\n\n### Fixed\n\n- A bug (#{age})\n\n"
        for age, version in enumerate(versions)
    ]
    links = [f"[{newer}]: https://github.com/o/r/compare/v{older}...v{newer}\n" for newer, older in pairwise(versions)]
    head = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Something\n\n"
    return "".join([head, *bodies, "[unreleased]: https://github.com/o/r/compare/v1...HEAD\n", *links]).encode()


def read_and_cut(content: bytes) -> None:
    parse_changelog(content)
    cut(content, to="900.0.0")


def seconds(work: Callable[[bytes], object], content: bytes) -> float:
    """Return the shortest processor time of four runs."""
    runs = []
    for _ in range(4):
        start = time.process_time()
        work(content)
        runs.append(time.process_time() - start)
    return min(runs)


def test_time_is_linear_in_the_size() -> None:
    assert seconds(read_and_cut, large(10_000)) < 20 * seconds(read_and_cut, large(1_000))


def test_number_of_headings_that_a_cut_reads_does_not_depend_on_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def parse(text: str, changelog_format: ChangelogFormat) -> ReleaseHeading:
        read.append(text)
        return parse_heading(text, changelog_format)

    monkeypatch.setattr(section, "parse_heading", parse)
    numbers = []
    for releases in (100, 1_000):
        cut(large(releases), to="900.0.0")
        numbers.append(len(read))
        read.clear()
    assert numbers == [5, 5]


def test_number_of_comparisons_of_a_check_is_linear_in_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[Version] = []

    def compare(self: Version, other: Version) -> int:
        compared.append(self)
        return compare_versions(self, other)

    compare_versions = Version.compare
    monkeypatch.setattr(Version, "compare", compare)
    numbers = []
    for releases in (100, 1_000):
        tags = [Version(number // 100, number % 100) for number in range(0, releases, 2)]
        content = large(releases).replace(b"...v1", b"...v9")
        check_changelog(content, version=None, tags=tags, repository_url=None, today=TODAY)
        numbers.append(len(compared))
        compared.clear()
    assert numbers == [794, 7_994]


def test_memory_is_below_five_times_the_file() -> None:
    content = large(10_000)
    tracemalloc.start()
    try:
        parse_changelog(content)
        cut(content, to="900.0.0")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5 * len(content)


def test_fence_around_everything_is_parsed_in_linear_time() -> None:
    small, big = b"```\n" + large(300), b"```\n" + large(3_000)
    assert list(parse_changelog(big).sections) == []
    assert seconds(parse_changelog, big) < 20 * seconds(parse_changelog, small)
