"""Runs other programs from argv lists, without a shell."""

from __future__ import annotations

import os
import select
import selectors
import shlex
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

from attrs import field, frozen

from kaizen_tasks.adapters.host.pseudo_terminal import as_lines, open_terminal, read_chunk
from kaizen_tasks.errors import Interrupted, NotFound, Unreachable
from kaizen_tasks.ports.attempts import attempt_seconds

if TYPE_CHECKING:
    from kaizen_tasks.ports.secrets import Secret

GRACE_SECONDS = 5.0  # time for a program to end after SIGTERM, before SIGKILL
LINGER_SECONDS = 0.5  # time without output after the program has ended; a background process may keep its pipes open
TAIL_LINES = 20

Child = subprocess.Popen[bytes]


@frozen(kw_only=True)
class CompletedProcess:
    """Exit code and output of a program.

    Attributes:
        code: exit code; the negative signal number when a signal ended it.
        out: stdout, redacted.
        err: stderr, redacted.
        tail: the last lines of stdout and stderr, in the order of arrival.
        raw: stdout as bytes, not redacted.
    """

    code: int
    out: str
    err: str
    tail: tuple[str, ...]
    raw: bytes = field(default=b"", repr=False)

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.code == 0

    @property
    def last_line(self) -> str:
        """The last output line that is not blank; without one, a text with the exit code."""
        lines = [line.strip() for line in self.tail if line.strip()]
        return lines[-1] if lines else f"exit code {self.code}, without any output"


def shell_join(argv: Sequence[str]) -> str:
    """Return a command line as typed in a shell."""
    return shlex.join(argv)


def run(  # noqa: PLR0913 - one for each way in which a program is run
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    stream: Callable[[str], None] | None = None,
    timeout: float | None = None,
    secrets: Sequence[Secret] = (),
    terminal: str = "",
) -> CompletedProcess:
    """Run a program and return its result, whatever its exit code.

    The program stays in this process group, so that Ctrl-C in a terminal reaches the program as well. Before an
    exception is raised, such as Interrupted on SIGTERM, the program is stopped.

    Args:
        argv: program and arguments.
        cwd: the program's working directory.
        env: variables in addition to this process's own.
        stdin: the program's standard input; None for an empty input.
        stream: called with each line of stdout and stderr as it arrives, redacted, without its line end.
        timeout: seconds after which the program is stopped.
        secrets: values that are redacted in the output, except in `raw`.
        terminal: `stdout` or `stderr` for the one that shall be a terminal, as programs require that show progress;
            each text that the cursor was moved to is a line of it.

    Raises:
        NotFound: the program does not exist.
        Unreachable: the program did not end within `timeout`.
        Interrupted: this process received SIGTERM.
        Locked: the change that the program makes must not go on.
    """
    values = tuple(secret.reveal() for secret in secrets)
    collector = _OutputCollector(secrets=values, stream=stream, terminal=terminal)
    with sigterm_raises(), _running_child(argv, cwd=cwd, env=env, stdin=stdin, terminal=terminal) as child:
        try:
            _communicate(child, collector, stdin, None if timeout is None else time.monotonic() + timeout)
        except TimeoutError as error:
            raise Unreachable(f"`{shell_join(argv)}` did not answer within {timeout:g} s") from error
    return collector.result(child.returncode)


def _remaining(deadline: float | None) -> float | None:
    """Return the seconds until a deadline, or None without one; raise TimeoutError when the deadline has passed."""
    seconds = None if deadline is None else deadline - time.monotonic()
    if seconds is not None and seconds <= 0:
        raise TimeoutError
    return seconds


class _OutputCollector:
    """The output that a program has written so far."""

    def __init__(self, *, secrets: tuple[str, ...], stream: Callable[[str], None] | None, terminal: str) -> None:
        self.secrets, self.stream, self.terminal = secrets, stream, terminal
        self.tail = deque[str](maxlen=TAIL_LINES)
        self._raw = {"stdout": bytearray(), "stderr": bytearray()}
        self._emitted_bytes = {"stdout": 0, "stderr": 0}

    def add(self, name: str, chunk: bytes) -> None:
        """Add a chunk of an output, and emit the lines that the chunk completes; an empty chunk is the output's end."""
        raw = self._raw[name]
        raw += as_lines(chunk) if name == self.terminal else chunk
        end = raw.rfind(b"\n") if chunk else len(raw)
        if end > self._emitted_bytes[name]:
            lines = bytes(raw[self._emitted_bytes[name] : end])
            self._emitted_bytes[name] = min(end + 1, len(raw))
            for line in lines.split(b"\n"):
                if line or name != self.terminal:
                    self._emit(self._redact(line).rstrip("\r"))

    def result(self, code: int) -> CompletedProcess:
        raw, err = bytes(self._raw["stdout"]), bytes(self._raw["stderr"])
        return CompletedProcess(code=code, out=self._redact(raw), err=self._redact(err), tail=tuple(self.tail), raw=raw)

    def _emit(self, line: str) -> None:
        self.tail.append(line)
        if self.stream is not None:
            self.stream(line)

    def _redact(self, raw: bytes) -> str:
        text = raw.decode(errors="replace")
        for secret in filter(None, self.secrets):
            text = text.replace(secret, "[redacted]")
        return text


@contextmanager
def _running_child(
    argv: Sequence[str], *, cwd: Path | None, env: Mapping[str, str] | None, stdin: bytes | None, terminal: str
) -> Iterator[Child]:
    """Start a program; stop the program if the context ends by an exception."""
    ends = open_terminal() if terminal else None
    outputs: dict[str, int] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if ends:
        outputs[terminal] = ends[1]
    try:
        child = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env={**os.environ, **env} if env else None,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=outputs["stdout"],
            stderr=outputs["stderr"],
        )
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        if error.filename == argv[0] and isinstance(error, FileNotFoundError):
            raise NotFound(f"{argv[0]} is not installed, or not on PATH") from error
        raise NotFound(f"{argv[0]} could not be started: {error.strerror}: {error.filename}") from error
    finally:
        if ends:
            os.close(ends[1])
    if ends:
        setattr(child, terminal, ends[0])  # which the end of the context closes
    with child:
        try:
            yield child
        except BaseException:
            _stop(child)
            raise


def _stop(child: Child) -> None:
    """Terminate a program; kill it after the grace period or on a second interrupt."""
    child.terminate()
    try:
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
    finally:
        child.kill()


def _communicate(child: Child, collector: _OutputCollector, stdin: bytes | None, deadline: float | None) -> None:
    """Write a program's input and read its output until the program has ended."""
    if child.stdin is not None and stdin is not None:
        if len(stdin) <= select.PIPE_BUF:  # which fits into an empty pipe, whether the program reads it or not
            _feed(child.stdin, stdin)
        else:
            threading.Thread(target=_feed, args=(child.stdin, stdin), daemon=True).start()
        child.stdin = None  # the thread closes it; Popen must not do so at the same time
    _read_output(child, collector, deadline)
    try:
        child.wait(_remaining(deadline))
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error


def _feed(pipe: IO[bytes], content: bytes) -> None:
    """Write a program's whole input; ignore that the program ends without reading the input."""
    with suppress(BrokenPipeError), pipe:
        pipe.write(content)


def _read_output(child: Child, collector: _OutputCollector, deadline: float | None) -> None:
    """Read stdout and stderr in one thread, so that neither blocks the other."""
    with selectors.DefaultSelector() as selector:
        for name in ("stdout", "stderr"):
            selector.register(getattr(child, name), selectors.EVENT_READ, name)
        while selector.get_map():
            attempt_seconds()
            ready = selector.select(min(LINGER_SECONDS, _remaining(deadline) or LINGER_SECONDS))
            if not ready and child.poll() is not None:
                break
            for key, _ in ready:
                chunk = read_chunk(key.fd, 65536)
                collector.add(key.data, chunk)
                if not chunk:
                    selector.unregister(key.fileobj)


def kill_process_tree(pid: int) -> None:
    """Kill a process and its descendants, since git does not pass signals on to the programs that it has started."""
    parents = dict(_parent_pids())
    pids = [pid]
    for parent in pids:  # grows meanwhile; parents come first, so that none reacts to the end of its child
        pids += [child for child, its_parent in parents.items() if its_parent == parent]
    for each in pids:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def _parent_pids() -> Iterator[tuple[int, int]]:
    """Yield the numbers of every process and its parent, from /proc or `ps`; slim Linux images have no `ps`."""
    if not Path("/proc/self/stat").exists():
        listing = subprocess.run(("ps", "-A", "-o", "pid=,ppid="), capture_output=True, text=True, check=True).stdout
        for line in listing.splitlines():
            pid, parent = line.split()
            yield int(pid), int(parent)
        return
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            yield int(file.parent.name), int(file.read_text(errors="replace").rpartition(")")[2].split()[1])


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """Raise Interrupted on SIGTERM while the context lasts, if no other handler is installed.

    By default, SIGTERM would end this process at once, and the program that it has started would live on.
    """
    is_main_thread = threading.current_thread() is threading.main_thread()
    if not is_main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _raise_interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _raise_interrupted(_number: int, _frame: object) -> NoReturn:
    raise Interrupted("stopped by SIGTERM", hint="run the same command again to finish")
