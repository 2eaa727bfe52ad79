"""Refuses to obey files that another user could have written, unless their folder is allowed by name."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from kaizen_tasks.cli.error_text import error_text
from kaizen_tasks.config.ownership import SAFE_VARIABLE, find_exposure
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def require_own_files(root: Path) -> None:
    """Check that nobody else could have written the files that the tasks obey.

    Args:
        root: the folder of the configuration.

    Raises:
        Exit: somebody could, and neither the variable nor git's `safe.directory` allows the folder.
    """
    exposure = find_exposure(root)
    if exposure is None or _is_allowed(exposure.folder, _allowed_folders()):
        return
    from kaizen_tasks.adapters.git.command import trust_command  # noqa: PLC0415 - needed in few folders only

    folder = exposure.folder.resolve()
    error = Refused(
        f"{exposure.path} {exposure.reason}: no file in {exposure.folder} is obeyed",
        state="no task has been run",
        hint=f"if you trust it, set {SAFE_VARIABLE}={shlex.quote(str(folder))}, or: {trust_command(folder)}",
    )
    raise Exit(error_text(error), code=error.exit_code)


def _allowed_folders() -> Iterator[str]:
    yield from filter(None, os.environ.get(SAFE_VARIABLE, "").split(os.pathsep))
    yield from _git_safe_folders()


def _git_safe_folders() -> tuple[str, ...]:
    """Return the values of git's `safe.directory` that a repository cannot set itself.

    https://git-scm.com/docs/git-config#Documentation/git-config.txt-safedirectory
    """
    from kaizen_tasks.adapters.git.command import Git  # noqa: PLC0415 - needed in few folders only

    try:
        items = Git(Path("/")).run("config", "--show-scope", "-z", "--type=path", "--get-all", "safe.directory").items
    except Refused:  # git is not installed
        return ()
    folders: list[str] = []
    for scope, value in zip(items[::2], items[1::2], strict=False):
        if scope in {"system", "global", "command"}:
            folders = [*folders, value] if value else []  # an empty value takes back all before it
    return tuple(folders)


def _is_allowed(folder: Path, allowed_folders: Iterable[str]) -> bool:
    """Return whether a folder is one of those allowed; `*` allows every folder, `/srv/*` those below `/srv`."""
    names = {str(folder), str(folder.resolve())}
    for allowed in allowed_folders:
        prefix = allowed.removesuffix("*")
        if allowed == "*" or allowed.rstrip("/") in names:
            return True
        if allowed.endswith("/*") and any(name.startswith(prefix) for name in names):
            return True
    return False
