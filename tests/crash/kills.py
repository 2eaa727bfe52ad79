"""Kills a command at one of the points where it touches the world, and types it again."""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import asdict, frozen

from tests.crash.libraries import finished
from tests.crash.snapshots import End, end, objects

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

    from tests.crash.libraries import Library
    from tests.crash.scenes import Scene
    from tests.e2e.worlds import Finished

UNREACHED = "not reached"
"""What is said of a point that a run came never to: how often it asks depends on how long things take."""

INTERCEPTORS = Path(__file__).parent / "interceptors"
FIRST, AGAIN = "@1700000000 +0000", "@1700000100 +0000"
"""When the two runs commit, so that a second commit of the same content would be another one."""

PROGRAMS = ("git", "docker")
WRITING = {
    "add",
    "build",
    "commit-tree",
    "hook",
    "mktag",
    "push",
    "read-tree",
    "rm",
    "tag",
    "update-index",
    "update-ref",
    "write-tree",
}
"""The commands of these programs that change something."""

_RANDOM = (
    (re.compile(r"kaizen-(\w+)-\w{8}"), r"kaizen-\1-*"),
    (re.compile(r"(\.[\w.]+\.)\w{8}(\.tmp)"), r"\1*\2"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "HASH"),
    (re.compile(r"(?<=\s)/\S*/"), ""),
)


@frozen(kw_only=True)
class Point:
    """One of the moments at which a command can die.

    Attributes:
        scene: name of the scene.
        number: of the event in the unharmed run, from 1.
        phase: `before` or `after` it.
        label: the event, without what differs from run to run.
        of: `event` for programs and files, `request` for what the cloud is asked.
    """

    scene: str
    number: int
    phase: str
    label: str
    of: str = "event"

    @property
    def kind(self) -> str:
        """The phase, and the request, the program's command or the change of a file, whichever file it is."""
        what, *words = self.label.split(" ")
        if self.of == "request":
            return f"{self.phase} {what} {words[0]}"
        plain = [word for word in words if word.replace("-", "").isalpha() and word[0] != "-"]
        return f"{self.phase} {what} {plain[0] if what in PROGRAMS else ''}".rstrip()

    def __str__(self) -> str:
        return f"{self.scene}, {self.phase} #{self.number} {self.label}"


def rehearse(scene: Scene, library: Library, folder: Path) -> tuple[End, tuple[Point, ...]]:
    """Run a scene's command unharmed in a copy: how it ends, and every point on the way."""
    copy = library.copied(folder)
    run(scene.words, copy, at=0, phase="before").well()
    return end(copy.repository), points(scene.name, folder / "events")


def points(scene: str, events: Path) -> tuple[Point, ...]:
    """Return every point among the events that the interceptors wrote down, if there were any."""
    written = events.read_text(encoding="utf-8").splitlines() if events.exists() else ()
    return tuple(
        Point(scene=scene, number=number, phase=phase, label=_label(event))
        for number, event in enumerate(written, 1)
        for phase in _phases(event)
    )


def _phases(event: str) -> tuple[str, ...]:
    """Return when it pays to die: after a command that only looks, everything is as before it."""
    words = event.split(" ")
    return ("before", "after") if words[0] in PROGRAMS and not WRITING.isdisjoint(words) else ("before",)


def strike(scene: Scene, library: Library, folder: Path, point: Point, wanted: End) -> tuple[str, ...]:
    """Kill the command at a point in a copy, type it again, and return what is wrong then."""
    copy = library.copied(folder)
    try:
        killed = run(scene.words, copy, at=point.number, phase=point.phase)
        if killed.code != -signal.SIGKILL:
            return (f"it was not killed but exits {killed.code}: {killed.err}",)
        halves = _halves(scene, copy)
        reachable = _reachable(copy)
        again = copy.inv(*scene.words, GIT_COMMITTER_DATE=AGAIN)
        return (*halves, *_differences(again, wanted, copy), *_lost(reachable, copy))
    finally:
        shutil.rmtree(folder)


def run(words: Sequence[str], library: Library, *, at: int, phase: str) -> Finished:
    """Run a command with the interceptors before git and docker and in Python."""
    return finished(start(words, library, at=at, phase=phase))


def start(words: Sequence[str], library: Library, *, at: int, phase: str) -> subprocess.Popen[str]:
    """Begin a command with the interceptors before git and docker and in Python."""
    folder = library.path.parent
    return library.start(
        *words,
        GIT_COMMITTER_DATE=FIRST,
        PATH=os.pathsep.join((str(INTERCEPTORS), library.environ["PATH"])),
        PYTHONPATH=str(INTERCEPTORS),
        CRASH_EVENTS=str(folder / "events"),
        CRASH_ROOTS=os.pathsep.join((str(library.path), library.environ["TMPDIR"])),
        CRASH_AT=str(at),
        CRASH_PHASE=phase,
    )


def _label(event: str) -> str:
    for pattern, replacement in _RANDOM:
        event = pattern.sub(replacement, event)
    return event


def _halves(scene: Scene, library: Library) -> tuple[str, ...]:
    """Return where a kill has left one half of what belongs together."""
    sides = {"the remote": library.repository.remote_git("for-each-ref")}
    if scene.words[0] == "cut":
        sides["the clone"] = library.repository.git("for-each-ref")
    return tuple(f"{side} has half of the release: {refs}" for side, refs in sides.items() if _is_half(library, refs))


def _is_half(library: Library, refs: str) -> bool:
    at = objects(refs)
    first = library.repository.git("rev-list", "--max-parents=0", "HEAD")
    return (at["refs/heads/main"] != first) != ("refs/tags/v1.3.0" in at)


def _reachable(library: Library) -> set[str]:
    return set(library.repository.git("rev-list", "--all").split())


def _lost(before: set[str], library: Library) -> tuple[str, ...]:
    """Return the commits that the killed run had kept and that the second one has replaced."""
    return tuple(f"the commit {each} was made anew" for each in before - _reachable(library))


def _differences(again: Finished, wanted: End, library: Library) -> tuple[str, ...]:
    if again.code:
        return (f"typed again, it exits {again.code}: {again.err.strip()}",)
    expected, found = asdict(wanted), asdict(end(library.repository))
    return tuple(f"{name} is {found[name]!r}, not {each!r}" for name, each in expected.items() if found[name] != each)
