"""Reads the commits between releases, in two calls of git."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from kaizen_tasks.adapters.git.command import Git
from kaizen_tasks.domain.git.commit import Commit
from kaizen_tasks.domain.release import ENVIRONMENT_TRAILER

_HASH = re.compile(r"[0-9a-f]{40,64}")
_FIELD_END = "\x1f"
_TRAILER = f"%(trailers:key={ENVIRONMENT_TRAILER},valueonly=true,separator=%x2C)"
_FORMAT = "%x1f".join(("%H", "%ct", "%P", "%D", _TRAILER))
_LAST_SECOND = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())  # git accepts later times, and datetime none


def read_log(git: Git, tips: Iterable[str]) -> dict[str, Commit]:
    """Return the commits that lead to some commits, by full hash, down to the last one that all of them share.

    Args:
        git: the repository.
        tips: full hashes; those that are not in this clone are left out.
    """
    known = sorted({*git.resolve_commits(*filter(_HASH.fullmatch, tips))} - {""})
    if not known:
        return {}
    base = git.run("merge-base", "--octopus", *known).text if len(known) > 1 else known[0]
    revisions = "".join(f"{revision}\n" for revision in (*known, *([f"^{base}^@"] if base else [])))
    options = ("-z", f"--format={_FORMAT}", "--no-show-signature", "--decorate-refs=refs/tags/", "--stdin")
    return dict(_parse(item) for item in git.run_checked("log", *options, stdin=os.fsencode(revisions)).items)


def _parse(item: str) -> tuple[str, Commit]:
    name, seconds, parents, decorations, environment = item.split(_FIELD_END)
    tags = [each.removeprefix("tag: ") for each in decorations.split(", ") if each.startswith("tag: ")]
    at = datetime.fromtimestamp(min(int(seconds), _LAST_SECOND), UTC)
    return name, Commit(at=at, parents=tuple(parents.split()), tags=tuple(tags), environment=environment.strip())
