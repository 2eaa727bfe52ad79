"""Reads the commits between releases."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable
from datetime import UTC, datetime

from kaizen_tasks.adapters.git.command import Git
from kaizen_tasks.domain.git.commit import Commit
from kaizen_tasks.domain.release import ENVIRONMENT_TRAILER

_HASH = re.compile(r"[0-9a-f]{40,64}")
_FIELD_END = "\x1f"
_TRAILER = f"%(trailers:key={ENVIRONMENT_TRAILER},valueonly=true,separator=%x2C)"
_FORMAT = "%x1f".join(("%H", "%ct", "%P", _TRAILER))
_LAST_SECOND = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())  # git accepts later times, and datetime none


def read_log(git: Git, tips: Iterable[str], version_path: str) -> dict[str, Commit]:
    """Return the commits that lead to some commits, by full hash, down to the last one that all of them share.

    Args:
        git: the repository.
        tips: full hashes; those that are not in this clone are left out.
        version_path: path of VERSION from the top of the repository.
    """
    known = sorted({*map(git.resolve_commit, filter(_HASH.fullmatch, tips))} - {""})
    if not known:
        return {}
    base = git.run("merge-base", "--octopus", *known).text if len(known) > 1 else known[0]
    revisions = "".join(f"{revision}\n" for revision in (*known, *([f"^{base}^@"] if base else [])))
    stdin = os.fsencode(revisions)
    items = git.run_checked("log", "-z", f"--format={_FORMAT}", "--no-show-signature", "--stdin", stdin=stdin).items
    # Without `--full-history` git leaves out a branch whose merge has the VERSION of its first parent.
    options = ("--full-history", "--no-merges", "--stdin", "--", f":(top,literal){version_path}")
    version_commits = frozenset(git.run_checked("rev-list", *options, stdin=stdin).text.split())
    return dict(_parse(item, version_commits) for item in items)


def _parse(item: str, version_commits: Container[str]) -> tuple[str, Commit]:
    name, seconds, parents, environment = item.split(_FIELD_END)
    at = datetime.fromtimestamp(min(int(seconds), _LAST_SECOND), UTC)
    return name, Commit(
        at=at,
        parents=tuple(parents.split()),
        sets_version=name in version_commits,
        environment=environment.strip(),
    )
