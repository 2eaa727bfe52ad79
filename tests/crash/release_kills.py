"""Kills a release at one of its git commands or file writes, and runs it again."""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import asdict, frozen

from tests.crash.library import wait_for_result
from tests.crash.snapshots import RepositoryState, parse_refs, repository_state

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

    from tests.crash.library import Library
    from tests.crash.release_cases import ReleaseCase
    from tests.support.workspaces import CommandResult

NOT_REACHED = "not reached"
"""The result for a point that a run did not reach: the number of polls depends on timing."""

INTERCEPTORS = Path(__file__).parent / "interceptors"
FIRST_DATE, RERUN_DATE = "@1700000000 +0000", "@1700000100 +0000"
"""Commit dates of the two runs: they differ, so that committing twice gives two hashes."""

PROGRAMS = ("git", "docker")
MUTATING_COMMANDS = {
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
"""The subcommands of these programs that change something."""

_VARIABLE_PARTS = (
    (re.compile(r"kaizen-(\w+)-\w{8}"), r"kaizen-\1-*"),
    (re.compile(r"(\.[\w.]+\.)\w{8}(\.tmp)"), r"\1*\2"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "HASH"),
    (re.compile(r"(?<=\s)/\S*/"), ""),
)


@frozen(kw_only=True)
class KillPoint:
    """A moment at which a command can be killed.

    Attributes:
        scene: name of the case.
        number: of the event in the recorded run, from 1.
        phase: `before` or `after` it.
        label: the event, without parts that differ between runs.
        of: `event` for programs and files, `request` for requests to the cloud.
    """

    scene: str
    number: int
    phase: str
    label: str
    of: str = "event"

    @property
    def kind(self) -> str:
        """The phase with the operation, subcommand or kind of file change."""
        subject, *words = self.label.split(" ")
        if self.of == "request":
            return f"{self.phase} {subject} {words[0]}"
        subcommands = [word for word in words if word.replace("-", "").isalpha() and word[0] != "-"]
        return f"{self.phase} {subject} {subcommands[0] if subject in PROGRAMS else ''}".rstrip()

    def __str__(self) -> str:
        return f"{self.scene}, {self.phase} #{self.number} {self.label}"


def record(scene: ReleaseCase, library: Library, folder: Path) -> tuple[RepositoryState, tuple[KillPoint, ...]]:
    """Run a case in a copy without a kill; return the final state and its kill points."""
    copy = library.copy_to(folder)
    run_intercepted(scene.words, copy, event_number=0, phase="before").expect_success()
    return repository_state(copy.repository), kill_points(scene.name, folder / "events")


def kill_points(scene: str, events: Path) -> tuple[KillPoint, ...]:
    """Return the kill points among the events that the interceptors recorded."""
    lines = events.read_text(encoding="utf-8").splitlines() if events.exists() else ()
    return tuple(
        KillPoint(scene=scene, number=number, phase=phase, label=_normalize_event(event))
        for number, event in enumerate(lines, 1)
        for phase in _kill_phases(event)
    )


def _kill_phases(event: str) -> tuple[str, ...]:
    """Return the phases worth testing: after a read-only command the state equals the one before it."""
    words = event.split(" ")
    return ("before", "after") if words[0] in PROGRAMS and not MUTATING_COMMANDS.isdisjoint(words) else ("before",)


def kill_and_rerun(
    scene: ReleaseCase, library: Library, folder: Path, point: KillPoint, expected: RepositoryState
) -> tuple[str, ...]:
    """Kill the command at a point in a copy, run it again, and return what is wrong."""
    copy = library.copy_to(folder)
    try:
        killed = run_intercepted(scene.words, copy, event_number=point.number, phase=point.phase)
        if killed.code != -signal.SIGKILL:
            return (f"it was not killed but exits {killed.code}: {killed.err}",)
        partial_releases = _partial_releases(scene, copy)
        reachable = _reachable_commits(copy)
        rerun = copy.inv(*scene.words, GIT_COMMITTER_DATE=RERUN_DATE)
        return (*partial_releases, *_differences(rerun, expected, copy), *_replaced_commits(reachable, copy))
    finally:
        shutil.rmtree(folder)


def run_intercepted(words: Sequence[str], library: Library, *, event_number: int, phase: str) -> CommandResult:
    """Run a command with the interceptors around git, docker and Python's file writes."""
    return wait_for_result(start_intercepted(words, library, event_number=event_number, phase=phase))


def start_intercepted(
    words: Sequence[str], library: Library, *, event_number: int, phase: str
) -> subprocess.Popen[str]:
    """Start a command with the interceptors around git, docker and Python's file writes."""
    folder = library.path.parent
    return library.start(
        *words,
        GIT_COMMITTER_DATE=FIRST_DATE,
        PATH=os.pathsep.join((str(INTERCEPTORS), library.environ["PATH"])),
        PYTHONPATH=str(INTERCEPTORS),
        CRASH_EVENTS=str(folder / "events"),
        CRASH_ROOTS=os.pathsep.join((str(library.path), library.environ["TMPDIR"])),
        CRASH_AT=str(event_number),
        CRASH_PHASE=phase,
    )


def _normalize_event(event: str) -> str:
    for pattern, replacement in _VARIABLE_PARTS:
        event = pattern.sub(replacement, event)
    return event


def _partial_releases(scene: ReleaseCase, library: Library) -> tuple[str, ...]:
    """Return the repositories in which branch and tag of the release do not belong together."""
    sides = {"the remote": library.repository.remote_git("for-each-ref")}
    if scene.words[0] == "cut":
        sides["the clone"] = library.repository.git("for-each-ref")
    return tuple(
        f"{side} has half of the release: {refs}" for side, refs in sides.items() if _is_partial(library, refs)
    )


def _is_partial(library: Library, refs: str) -> bool:
    object_by_ref = parse_refs(refs)
    root_commit = library.repository.git("rev-list", "--max-parents=0", "HEAD")
    return (object_by_ref["refs/heads/main"] != root_commit) != ("refs/tags/v1.3.0" in object_by_ref)


def _reachable_commits(library: Library) -> set[str]:
    return set(library.repository.git("rev-list", "--all").split())


def _replaced_commits(commits_before: set[str], library: Library) -> tuple[str, ...]:
    """Return the commits of the killed run that the second run replaced."""
    return tuple(f"the commit {commit} was created again" for commit in commits_before - _reachable_commits(library))


def _differences(rerun: CommandResult, expected_state: RepositoryState, library: Library) -> tuple[str, ...]:
    if rerun.code:
        return (f"run again, it exits {rerun.code}: {rerun.err.strip()}",)
    expected, actual = asdict(expected_state), asdict(repository_state(library.repository))
    return tuple(
        f"{name} is {actual[name]!r}, not {value!r}" for name, value in expected.items() if actual[name] != value
    )
