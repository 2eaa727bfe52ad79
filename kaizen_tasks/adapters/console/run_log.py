"""The file with every line of a run, of which the console leaves some out: of large rollouts, and of builds."""

from __future__ import annotations

import os
import re
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from kaizen_tasks.adapters.console.ci_output import LINES
from kaizen_tasks.adapters.console.events import RunEvent
from kaizen_tasks.adapters.console.plain_view import LABEL_WIDTH, PlainView
from kaizen_tasks.adapters.host.user_folders import home_folder, state_folder
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.ports.clock import Clock

FOLDER_VARIABLE = "KAIZEN_LOGS"  # the environment variable that names the folder
MAX_LOGS = 50  # of an app: the oldest are removed
MAX_EARLIER_LINES = 5_000  # of the run before its log is needed

_open_logs: list[RunLog] = []  # of this process


def log_folder() -> Path:
    """Return the folder for the logs of runs. It may not exist yet.

    Raises:
        Refused: this user can write to no suitable folder.
    """
    configured = os.environ.get(FOLDER_VARIABLE)
    return Path(configured).absolute() if configured else state_folder() / "logs"


def end_logs(error: str) -> None:
    """Write the error that ends the run into its log, if it has one: what is wrong, what is done, what to type next."""
    for log in _open_logs:
        for line in error.splitlines():
            log.write(f"{line}\n")
    _open_logs.clear()


class RunLog:
    """The log of a run, which `open` creates and which then gets each line at once. Safe to use from several threads.

    Only this user can read it. A log that cannot be written stops nothing.

    Args:
        app: name of the app, with which the file's name begins.
        clock: for the time of each line, and for durations.
        label_width: columns for labels.
        folder: returns the folder of all logs, which is created when missing.

    Attributes:
        path: the file; None before it is there.
    """

    def __init__(
        self,
        app: str,
        clock: Clock,
        label_width: int = LABEL_WIDTH,
        *,
        folder: Callable[[], Path] = log_folder,
    ) -> None:
        self.path: Path | None = None
        self._app = re.sub(r"[^\w.-]", "_", app)
        self._clock = clock
        self._folder = folder
        self._descriptor: int | None = None
        self._earlier_lines: deque[str] = deque(maxlen=MAX_EARLIER_LINES)
        self._failure = ""
        self._is_open = False
        self._lock = threading.Lock()
        self._view = PlainView(self, clock, label_width, output=LINES, is_complete=True)

    def show(self, event: RunEvent) -> None:
        """Write the line of an event."""
        self._view.show(event)

    def rollout(
        self, environments: Sequence[str], typical_duration: Callable[[str], float | None]
    ) -> AbstractContextManager[None]:
        """Count the environments that have ended while the context lasts."""
        return self._view.rollout(environments, typical_duration)

    def open(self) -> None:
        """Create the file with what has been reported so far, unless that was tried before."""
        with self._lock:
            if self._is_open:
                return
            self._is_open = True
            try:
                self.path, self._descriptor = self._create()
            except (OSError, KaizenError) as error:
                self._failure = f"there is no full log: {_reason(error)}"
            self._append("".join(self._earlier_lines))
            self._earlier_lines.clear()
            _open_logs.append(self)

    @property
    def shown_path(self) -> str:
        """The file as it is typed, from the home folder on: `~/…`; empty before it is there."""
        home = home_folder()
        if self.path is None or home is None or home == Path("/") or not self.path.is_relative_to(home):
            return str(self.path or "")
        return f"~/{self.path.relative_to(home)}"

    def pop_failure(self) -> str:
        """Return why the log lacks lines, but only once; empty if it lacks none."""
        failure, self._failure = self._failure, ""
        return failure

    def write(self, text: str) -> None:
        """Write a line behind the time; keep it until the file is there."""
        line = f"{self._clock.now():%Y-%m-%d %H:%M:%S}  {text}"
        with self._lock:
            if self._is_open:
                self._append(line)
            else:
                self._earlier_lines.append(line)

    def flush(self) -> None:
        """Do nothing: a line is in the file at once, so that it is there also after the process was killed."""

    def _create(self) -> tuple[Path, int]:
        """Create the file, and remove the oldest ones of the app."""
        folder = self._folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{self._app}-{self._clock.now():%Y%m%dT%H%M%SZ}-{os.getpid()}.log"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        _remove_oldest(folder, re.compile(rf"{re.escape(self._app)}-\d{{8}}T\d{{6}}Z-\d+\.log"))
        return path, descriptor

    def _append(self, text: str) -> None:
        if self._descriptor is None:
            return
        content = text.encode(errors="replace")
        try:
            while content:
                content = content[os.write(self._descriptor, content) :]
        except OSError as error:  # a full disk must not stop a deployment half-way
            os.close(self._descriptor)
            self._descriptor = None
            self._failure = f"no further lines are written to {self.path}: {_reason(error)}"


def _remove_oldest(folder: Path, pattern: re.Pattern[str]) -> None:
    """Remove the oldest logs, which have their time in their names; what else is in the folder is not ours."""
    names = sorted(entry.name for entry in folder.iterdir() if pattern.fullmatch(entry.name))
    for name in names[:-MAX_LOGS]:
        with suppress(OSError):  # another run may have removed it
            (folder / name).unlink()


def _reason(error: OSError | KaizenError) -> str:
    if isinstance(error, KaizenError):
        return error.message
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
