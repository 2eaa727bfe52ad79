"""Who commits and tags: names, addresses and times, as git knows them."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.git.command import source_dates

if TYPE_CHECKING:
    from kaizen_tasks.adapters.git.command import Git

IDENTITY_HINT = "git config user.name 'Your Name' && git config user.email you@example.com"
_VALID = re.compile(r"\w")  # of names that consist of punctuation alone, git says that they are disallowed


def has_identity(git: Git, role: str) -> bool:
    """Return whether git has an `AUTHOR` or a `COMMITTER`; a name and an address that are given need no git to tell.

    https://git-scm.com/docs/git-commit#_commit_information says which one of several counts.
    """
    is_dated = f"GIT_{role}_DATE" in os.environ or bool(source_dates())  # which may be no date
    is_given = not is_dated and all(_is_given(git, role, part) for part in ("NAME", "EMAIL"))
    return is_given or git.run("var", f"GIT_{role}_IDENT").ok


def _is_given(git: Git, role: str, part: str) -> bool:
    value = os.environ.get(f"GIT_{role}_{part}")
    if value is None:
        value = git.config.value(f"{role}.{part}".lower()) or git.config.value(f"user.{part}".lower())
    return _VALID.search(value) is not None


def committer_of(git: Git, commit: str) -> bytes:
    """Return who wrote a commit, and when, as in `Name <address> 1767225600 +0000`; empty without such a commit."""
    header = (git.objects.read(commit, "commit") or b"").partition(b"\n\n")[0].split(b"\n")
    return next((line.removeprefix(b"committer ") for line in header if line.startswith(b"committer ")), b"")


def name_and_address(identity: bytes) -> bytes:
    """Return the identity without its time: `Name <address>`."""
    return identity.rpartition(b"> ")[0] + b">"


def dated_now(identity: bytes) -> bytes:
    """Return the identity at this moment, unless the environment says when it writes."""
    if "GIT_COMMITTER_DATE" in os.environ or source_dates():
        return identity
    return b"%b %d %b" % (name_and_address(identity), int(time.time()), time.strftime("%z").encode())
