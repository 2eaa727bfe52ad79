"""Two concurrent releases from two clones: one wins, the other is refused with a hint that works."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import evolve

from tests.crash.library import CUT_AND_PUSH, create_library, wait_for_result
from tests.crash.snapshots import parse_refs, take_snapshot, without_private_refs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crash.library import Library
    from tests.crash.snapshots import Snapshot
    from tests.support.workspaces import CommandResult


def race_two_releases(folder: Path, *, own_work: bool) -> tuple[str, ...]:
    """Run two releases concurrently, and return what is wrong.

    Args:
        folder: a new folder to work in.
        own_work: whether each clone has an unpushed commit.
    """
    runners = _two_clones(folder, own_work=own_work)
    snapshots = [take_snapshot(item.repository) for item in runners]
    results = [wait_for_result(item) for item in [item.start(*CUT_AND_PUSH) for item in runners]]
    codes = sorted(item.code for item in results)
    if codes not in ([0, 3], [0, 6]):
        return (f"they exit {codes}: {[item.err for item in results]}",)
    loser_index = next(index for index, item in enumerate(results) if item.code)
    return (
        *_check_loser(runners[loser_index], snapshots[loser_index]),
        *_check_winner(runners[1 - loser_index]),
        *_check_recovery(runners[loser_index], results[loser_index], own_work=own_work),
    )


def _two_clones(folder: Path, *, own_work: bool) -> tuple[Library, Library]:
    first = create_library(folder / "ours")
    clone = first.clone_for_colleague(folder / "theirs")
    second = evolve(clone, environ={**clone.environ, "GIT_AUTHOR_NAME": "Bo", "GIT_COMMITTER_NAME": "Bo"})
    if own_work:
        first.repository.commit({"ours.py": b"ours\n"})
        second.repository.commit({"theirs.py": b"theirs\n"})
    return first, second


def _check_loser(loser: Library, snapshot_before: Snapshot) -> Iterator[str]:
    snapshot_after = take_snapshot(loser.repository)
    if without_private_refs(snapshot_after) != without_private_refs(snapshot_before):
        yield f"the loser is not as before: {snapshot_after.refs} instead of {snapshot_before.refs}"


def _check_winner(winner: Library) -> Iterator[str]:
    local_refs, remote_refs = (
        parse_refs(text)
        for text in (winner.repository.git("for-each-ref"), winner.repository.remote_git("for-each-ref"))
    )
    if (
        not remote_refs.items() <= local_refs.items()
        or "refs/tags/v1.3.0" not in remote_refs
        or winner.repository.git("status", "--short")
    ):
        yield f"the winner has not finished: {local_refs}, and the remote has {remote_refs}"


def _check_recovery(loser: Library, result: CommandResult, *, own_work: bool) -> Iterator[str]:
    """Run the loser's hint, then the next release."""
    lines = result.err.splitlines()
    hint = re.search(r"git pull[^,;\n]*", result.err)
    if not 1 <= len(lines) <= 3 or hint is None:
        yield f"the loser is not told what to do: {result.err}"
        return
    results = [loser.shell(hint[0]), loser.inv(*CUT_AND_PUSH)]
    if [item.code for item in results] != [0, 3 if own_work else 0]:
        yield f"the hint leads nowhere: {result.err}\n{[item.err + item.out for item in results]}"
        return
    results = [
        loser.inv("changelog.add", "--type", "fixed", "--text", "Another squeak"),
        loser.shell("git commit --quiet --all --message 'Note it'"),
        loser.inv(*CUT_AND_PUSH),
    ]
    tag_object = parse_refs(loser.repository.remote_git("for-each-ref")).get("refs/tags/v1.3.1")
    if any(item.code for item in results) or not tag_object:
        yield f"the loser's own release fails: {[item.err for item in results]}"
