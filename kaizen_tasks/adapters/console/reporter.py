"""Shows what happens: rich on a terminal, plain lines everywhere else, and JSON lines in a file when asked for."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from kaizen_tasks.adapters.console.progress import RolloutProgress
from kaizen_tasks.adapters.console.verdicts import decision_text, verdict
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.domain import duration
from kaizen_tasks.domain.decision import Decision, Refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kaizen_tasks.domain.release import StepLabel
    from kaizen_tasks.ports.clock import Clock
    from kaizen_tasks.ports.reporter import Reporter

EVENTS_VARIABLE = "KAIZEN_EVENTS"
"""The environment variable that names the file for events."""

LABEL_WIDTH = 16
"""Columns for a step's name and its environment's."""


def create_reporter(stream: TextIO, *, dry: bool, clock: Clock | None = None) -> Reporter:
    """Return the reporter that fits a stream: a terminal, or a file, a pipe, a CI log.

    Args:
        stream: where people read.
        dry: whether acts are only announced.
        clock: for timestamps and durations.

    Raises:
        UsageError: the file that `KAIZEN_EVENTS` names cannot be written.
    """
    clock = clock or SystemClock()
    reporter = _console_reporter(stream, dry=dry, clock=clock)
    path = os.environ.get(EVENTS_VARIABLE)
    if not path:
        return reporter
    from kaizen_tasks.adapters.console.events import EventReporter

    return EventReporter(reporter, Path(path), dry=dry, clock=clock)


def _console_reporter(stream: TextIO, *, dry: bool, clock: Clock) -> Reporter:
    if dry or not is_interactive(stream):
        return PlainReporter(stream, dry=dry, clock=clock)
    from kaizen_tasks.adapters.console.rich_reporter import RichReporter  # rich is slow to import

    return RichReporter(stream, clock=clock)


def is_interactive(stream: TextIO) -> bool:
    """Return whether the stream is a terminal that can move its cursor, with a person in front of it.

    Some CI runners give a pseudo-terminal to their jobs, and keep every frame in the log.
    """
    has_cursor = os.environ.get("TERM", "") not in {"dumb", "unknown"}
    return stream.isatty() and has_cursor and os.environ.get("CI", "").lower() in {"", "0", "false"}


class PlainReporter:
    """Writes one line for each event, without escape codes.

    During a rollout every line begins with the time, in UTC.

    Args:
        stream: where people read.
        dry: whether acts are only announced.
        clock: for timestamps and durations.
    """

    def __init__(self, stream: TextIO, *, dry: bool = False, clock: Clock | None = None) -> None:
        self._stream = stream
        self._dry = dry
        self._clock = clock or SystemClock()
        self._rollout: RolloutProgress | None = None
        self._lock = threading.Lock()

    def _line(self, verdict: str, label: object, text: str) -> None:
        self._write(f"  {verdict:<12}  {label!s:<{LABEL_WIDTH}}  {text}".rstrip())

    def heading(self, text: str) -> None:
        """Write what is about to happen to which environments."""
        self.note(text)

    def decided(self, label: StepLabel, decision: Decision) -> None:
        """Write what a step has decided; a refusal is printed later, as an error."""
        text = decision_text(decision)
        if self._rollout is not None and label.environment in self._rollout:
            self._rollout.start_step(label.environment, label.step, text)
        if not isinstance(decision, Refuse):
            self._line(verdict(label, decision, dry=self._dry), label, text)

    def progress(self, label: StepLabel, text: str) -> None:
        """Write how far an act is."""
        self._line("…", label, text)

    def checked(self, label: StepLabel, text: str, *, ok: bool) -> None:
        """Write the result of one of several checks."""
        self._line("ok" if ok else "wrong", label, text)

    def succeeded(self, label: StepLabel, reason: str, seconds: float) -> None:
        """Write that an act has succeeded."""
        self._line("done", label, f"{reason} ({duration.format_duration(seconds)})")

    def failed(self, label: StepLabel, seconds: float) -> None:
        """Write that an act has failed."""
        self._line("failed", label, f"after {duration.format_duration(seconds)}")

    def note(self, text: str) -> None:
        """Write a line."""
        self._write(text if self._rollout is None else f"  {text}")

    @contextmanager
    def rollout_table(
        self, environments: Sequence[str], typical_duration: Callable[[str], float | None]
    ) -> Iterator[None]:
        """Put the time before every line, except in a plan."""
        self._rollout = None if self._dry else RolloutProgress(environments, self._clock.monotonic)
        try:
            yield
        finally:
            self._rollout = None

    def environment_finished(self, environment: str, error: str) -> None:
        """Write the environment's result, and how many have ended."""
        if self._rollout is None:
            return
        progress = self._rollout.finish(environment, error)
        finished_count = sum(progress.finished_at is not None for progress in self._rollout.environments)
        elapsed = duration.format_duration(progress.elapsed(self._clock.monotonic()) or 0)
        text = f"{finished_count} of {len(self._rollout.environments)} ({elapsed}){f': {error}' if error else ''}"
        self._line("gave up" if error else "complete", environment, text)

    def _write(self, line: str) -> None:
        with self._lock:  # a line of several threads must stay whole
            timestamp = "" if self._rollout is None else f"{self._clock.now():%H:%M:%S}Z"
            self._stream.write(f"{timestamp}{line}\n")
            self._stream.flush()
