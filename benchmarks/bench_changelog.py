"""Parsing and cutting a changelog of ten thousand releases: time and memory, in this process."""

from __future__ import annotations

import datetime as dt
import itertools
import tempfile
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

from semver import Version

from benchmarks.results import Kind, Number, ratio
from benchmarks.timing import measure_calls
from kaizen_tasks.domain.changelog.cut import cut_release
from kaizen_tasks.domain.changelog.model import parse_changelog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.results import Result

RELEASES = 10_000
GOALS = {"parse": 5.0, "cut": 10.0}
FLOOR = "reading and splitting"
MEMORY = 5.0
ROUNDS = 15
ENTRY = (
    "- The thing that people have asked for since {version}: see [the guide](https://example.com/{version}) for `it`\n"
)
SECTION = "\n## [{version}] - 2026-01-01\n\n### Added\n\n" + 2 * ENTRY + "\n### Fixed\n\n" + ENTRY
LINK = "[{version}]: https://github.com/example/library/compare/v{before}...v{version}\n"


def results() -> Iterator[Result]:
    """Measure parsing and cutting."""
    with tempfile.TemporaryDirectory() as folder:
        path, content = Path(folder) / "CHANGELOG.md", _content()
        path.write_bytes(content)
        yield from _measurements(path, content)


def _measurements(path: Path, content: bytes) -> Iterator[Result]:
    works = {"parse": lambda: _parse(path.read_bytes()), "cut": lambda: _cut(path.read_bytes())}
    seconds = measure_calls({FLOOR: lambda: path.read_bytes().split(b"\n"), **works}, rounds=ROUNDS)
    floor, note = Number(FLOOR, seconds[FLOOR], "s"), f"{len(content) / 1e6:.1f} MB, least of {ROUNDS}"
    for name, work in works.items():
        what = f"{name} a changelog of {RELEASES:,} releases"
        ours = Number(name, seconds[name], "s")
        measure = f"processor, times {FLOOR} the file"
        yield ratio(what, measure, Kind.FLOOR, ours=ours, against=[floor], goal=GOALS[name], note=note)
        peak, file = Number(name, _peak(work) / 1e6, "MB"), Number("the file", len(content) / 1e6, "MB")
        yield ratio(what, "peak memory, times the file", Kind.COUNT, ours=peak, against=[file], goal=MEMORY)


def _content() -> bytes:
    versions = [f"{number // 100}.{number % 100}.0" for number in reversed(range(RELEASES + 1))]
    pairs = [{"version": version, "before": before} for version, before in itertools.pairwise(versions)]
    sections = "".join(SECTION.format(**pair) for pair in pairs)
    links = "".join(LINK.format(**pair) for pair in pairs)
    head = f"# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n{ENTRY.format(version='1.0.0')}"
    unreleased = f"\n[unreleased]: https://github.com/example/library/compare/v{versions[0]}...HEAD\n"
    return f"{head}{sections}{unreleased}{links}".encode()


def _parse(content: bytes) -> object:
    return tuple(parse_changelog(content).sections)


def _cut(content: bytes) -> object:
    version, date = Version(RELEASES), dt.date(2026, 1, 2)
    return cut_release(content, version=version, date=date, repository_url=None)


def _peak(work: Callable[[], object]) -> int:
    """Return the peak of allocated bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
