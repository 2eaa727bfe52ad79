"""Commits of the app's history."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen


@frozen(kw_only=True)
class Commit:
    """A commit, without its content.

    Attributes:
        at: when it was committed, by the clock of who committed it, in UTC.
        parents: full hashes of its parents.
        sets_version: whether it changes VERSION, as the commit of a release does.
        environment: the environment whose hotfix it is the release commit of, or empty.
    """

    at: datetime
    parents: tuple[str, ...] = ()
    sets_version: bool = False
    environment: str = ""
