"""Two releases at once from two clones of one remote: one wins, the other is told so and knows how to go on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import evolve

from tests.crash.libraries import CUT_AND_PUSH, establish, finished
from tests.crash.snapshots import objects, public, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crash.libraries import Library
    from tests.crash.snapshots import Snapshot
    from tests.e2e.worlds import Finished


def race(folder: Path, *, own_work: bool) -> tuple[str, ...]:
    """Let two people release at once, and return what is wrong afterwards.

    Args:
        folder: where it happens; it does not exist yet.
        own_work: whether each of them has a commit that nobody else has.
    """
    runners = _line_up(folder, own_work=own_work)
    before = [snapshot(each.repository) for each in runners]
    ended = [finished(each) for each in [each.start(*CUT_AND_PUSH) for each in runners]]
    codes = sorted(each.code for each in ended)
    if codes not in ([0, 3], [0, 6]):
        return (f"they exit {codes}: {[each.err for each in ended]}",)
    lost = next(at for at, each in enumerate(ended) if each.code)
    return (
        *_half_done(runners[lost], before[lost]),
        *_half_won(runners[1 - lost]),
        *_going_on(runners[lost], ended[lost], own_work=own_work),
    )


def _line_up(folder: Path, *, own_work: bool) -> tuple[Library, Library]:
    ours = establish(folder / "ours")
    other = ours.colleague(folder / "theirs")
    theirs = evolve(other, environ={**other.environ, "GIT_AUTHOR_NAME": "Bo", "GIT_COMMITTER_NAME": "Bo"})
    if own_work:
        ours.repository.commit({"ours.py": b"ours\n"})
        theirs.repository.commit({"theirs.py": b"theirs\n"})
    return ours, theirs


def _half_done(loser: Library, before: Snapshot) -> Iterator[str]:
    after = snapshot(loser.repository)
    if public(after) != public(before):
        yield f"the loser is not as before: {after.refs} instead of {before.refs}"


def _half_won(winner: Library) -> Iterator[str]:
    here, there = (
        objects(text) for text in (winner.repository.git("for-each-ref"), winner.repository.remote_git("for-each-ref"))
    )
    if (
        not there.items() <= here.items()
        or "refs/tags/v1.3.0" not in there
        or winner.repository.git("status", "--short")
    ):
        yield f"the winner has not finished: {here}, and the remote has {there}"


def _going_on(loser: Library, told: Finished, *, own_work: bool) -> Iterator[str]:
    """Do what the loser is told to, and then what one does for the next release."""
    lines = told.err.splitlines()
    hint = re.search(r"git pull[^,;\n]*", told.err)
    if not 1 <= len(lines) <= 3 or hint is None:
        yield f"the loser is not told what to do: {told.err}"
        return
    typed = [loser.shell(hint[0]), loser.inv(*CUT_AND_PUSH)]
    if [each.code for each in typed] != [0, 3 if own_work else 0]:
        yield f"the hint leads nowhere: {told.err}\n{[each.err + each.out for each in typed]}"
        return
    typed = [
        loser.inv("changelog.add", "--type", "fixed", "--text", "Another squeak"),
        loser.shell("git commit --quiet --all --message 'Note it'"),
        loser.inv(*CUT_AND_PUSH),
    ]
    released = objects(loser.repository.remote_git("for-each-ref")).get("refs/tags/v1.3.1")
    if any(each.code for each in typed) or not released:
        yield f"the loser's own release fails: {[each.err for each in typed]}"
