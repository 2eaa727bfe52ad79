"""The state folder: private to one user, used by one cloud at a time, and of a known format."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import attrs

from kaizen_tasks.errors import Refused
from kaizen_tasks.localcloud.atomic_write import write_atomically
from kaizen_tasks.localcloud.state.damaged import load_state

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE_FORMAT = 2
"""Number of the format that is written; increase it when an older version could not read the folder any more.

1: no file `format`; requests in the journal have no time.
2: the journal may hold snapshots.
"""

_PRIVATE_UMASK = 0o077
_LOCK_FILE = "lock"
_OUTPUT_FILE = "output"  # the client redirects this process's output to it
_NOTHING_STARTED = "nothing was started"


@attrs.frozen(kw_only=True)
class StateFolder:
    """A state folder that this process has locked.

    Args:
        path: the folder.
        lock: the open lock file.
    """

    path: Path
    lock: IO[str]

    @property
    def is_lost(self) -> bool:
        """Return whether the folder has been deleted or replaced since it was locked."""
        try:
            return not os.path.samestat((self.path / _LOCK_FILE).stat(), os.fstat(self.lock.fileno()))
        except OSError:
            return True


class Owner:
    """The process that has locked the folder above the state folder: a demo or a rehearsal, with which the cloud ends.

    Args:
        state: the state folder.
    """

    def __init__(self, state: Path) -> None:
        self._descriptor = os.open(state.parent, os.O_RDONLY)
        self._exists = self._is_locked()

    @property
    def has_ended(self) -> bool:
        """Return whether there was one and it has unlocked the folder, as its end does however it comes."""
        return self._exists and not self._is_locked()

    def close(self) -> None:
        """Close the folder."""
        os.close(self._descriptor)

    def _is_locked(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        return False


@contextmanager
def lock_state_folder(path: Path) -> Iterator[StateFolder]:
    """Create a state folder if there is none, and lock it; only one cloud may use it at a time.

    Raises:
        Refused: another cloud uses it, other users can access it, or it was written by a newer version.
    """
    path.mkdir(parents=True, exist_ok=True)
    _make_private(path)
    with (path / _LOCK_FILE).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _in_use(path) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")  # clients signal the process that holds the lock
        file.flush()
        _check_format(path)
        yield StateFolder(path=path, lock=file)


def _make_private(path: Path) -> None:
    """Deny other users access to the state folder, unless it may have been given to them on purpose."""
    status = path.stat()
    if not status.st_mode & _PRIVATE_UMASK and status.st_uid == os.geteuid():
        return
    is_own = (path / _LOCK_FILE).exists() or {child.name for child in path.iterdir()} <= {_OUTPUT_FILE}
    if status.st_uid != os.geteuid() or not is_own:
        raise Refused(
            f"other users can access {path}, which is not the folder of a local cloud",
            state=_NOTHING_STARTED,
            hint=f"chmod 700 {path}, or choose another --state",
        )
    path.chmod(0o700)


def _in_use(path: Path) -> Refused:
    """Return the refusal that names the cloud which uses the folder."""
    try:
        document = json.loads((path / "cloud.json").read_bytes())
        owner = f"process {document['pid']}, at {document['endpoint_url']}"
    except (OSError, ValueError, LookupError, TypeError):  # it is just starting
        owner = f"process {(path / _LOCK_FILE).read_text().strip()}"
    return Refused(
        f"another local cloud is running on {path}: {owner}",
        state=_NOTHING_STARTED,
        hint=f"stop it (kaizen local.down --state {path}), or choose another --state",
    )


def _check_format(path: Path) -> None:
    """Refuse the folder of a newer version; mark any other one with the format that is written from now on."""
    file = path / "format"
    found_format = load_state(file, int) if file.exists() else 1
    if found_format > STATE_FORMAT:
        raise Refused(
            f"{path} is in format {found_format} of a newer kaizen-tasks; this one reads formats up to {STATE_FORMAT}",
            state=_NOTHING_STARTED,
            hint="upgrade kaizen-tasks, or choose another --state",
        )
    if found_format < STATE_FORMAT or not file.exists():
        write_atomically(file, f"{STATE_FORMAT}\n".encode())
