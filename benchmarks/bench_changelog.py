"""Parsing and cutting a changelog of ten thousand releases: time and memory, in this process."""

from __future__ import annotations

import datetime as dt
import itertools
import statistics
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING

from semver import Version

from benchmarks.timing import Result, report
from kaizen_tasks.domain.changelog.cut import cut_release
from kaizen_tasks.domain.changelog.model import parse_changelog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RELEASES = 10_000
SECONDS = 0.150
MEMORY = 6.0
ROUNDS = 15
ENTRY = (
    "- The thing that people have asked for since {version}: see [the guide](https://example.com/{version}) for `it`\n"
)
SECTION = "\n## [{version}] - 2026-01-01\n\n### Added\n\n" + 2 * ENTRY + "\n### Fixed\n\n" + ENTRY
LINK = "[{version}]: https://github.com/example/library/compare/v{before}...v{version}\n"


def main() -> int:
    """Print the results; fail when one misses its target."""
    return report(_results(_content()))


def _content() -> bytes:
    versions = [f"{number // 100}.{number % 100}.0" for number in reversed(range(RELEASES + 1))]
    pairs = [{"version": version, "before": before} for version, before in itertools.pairwise(versions)]
    sections = "".join(SECTION.format(**pair) for pair in pairs)
    links = "".join(LINK.format(**pair) for pair in pairs)
    head = f"# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n{ENTRY.format(version='1.0.0')}"
    unreleased = f"\n[unreleased]: https://github.com/example/library/compare/v{versions[0]}...HEAD\n"
    return f"{head}{sections}{unreleased}{links}".encode()


def _results(content: bytes) -> Iterator[Result]:
    scale = _median(lambda: content.split(b"\n"))
    size = f"{len(content) / 1e6:.1f} MB, {RELEASES} releases"
    for name, work in (("parse", lambda: _parse(content)), ("cut", lambda: _cut(content))):
        seconds = _median(work)
        details = f"{seconds * 1000:.0f} ms; split alone {scale * 1000:.0f} ms; {size}; median of {ROUNDS}"
        yield Result(
            what=f"{name}, times {SECONDS * 1000:.0f} ms", ratio=seconds / SECONDS, target=1.0, numbers=details
        )
        peak = _peak(work)
        details = f"{peak / 1e6:.0f} MB at the peak; {size}"
        yield Result(what=f"{name}: memory, times the file", ratio=peak / len(content), target=MEMORY, numbers=details)


def _parse(content: bytes) -> object:
    return parse_changelog(content).sections


def _cut(content: bytes) -> object:
    version, date = Version(RELEASES), dt.date(2026, 1, 2)
    return cut_release(content, version=version, date=date, repository_url=None)


def _median(work: Callable[[], object]) -> float:
    durations = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        durations.append(time.perf_counter() - start)
    return statistics.median(durations)


def _peak(work: Callable[[], object]) -> int:
    """Return the peak of allocated bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    sys.exit(main())
