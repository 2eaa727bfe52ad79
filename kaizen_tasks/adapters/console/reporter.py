"""Turns what a run reports into events, which the console shows and `KAIZEN_EVENTS` writes to a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol, TextIO

from attrs import evolve

from kaizen_tasks.adapters.console.events import EVENTS_VARIABLE, EventLog, EventType, RunEvent
from kaizen_tasks.adapters.console.heartbeat import Heartbeat
from kaizen_tasks.adapters.console.plain_view import PlainView, label_width
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.host.program_path import typeable
from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.release import StepLabel
from kaizen_tasks.ports.clock import Clock

CHECK_STEPS = ("preflight", "evidence", "pull request", "announce")
"""Steps that only check: "already done" would be wrong when they find nothing to do."""


class View(Protocol):
    """A way to show events to people. Safe to use from several threads."""

    def show(self, event: RunEvent) -> None:
        """Show an event."""

    def rollout(
        self, environments: Sequence[str], typical_duration: Callable[[str], float | None]
    ) -> AbstractContextManager[None]:
        """Return the context manager for `Reporter.rollout_table`."""


def create_reporter(
    stream: TextIO,
    *,
    dry: bool,
    clock: Clock | None = None,
    environments: Iterable[str] = (),
    has_heartbeat: bool = False,
) -> EventReporter:
    """Return a reporter that writes to a stream: a terminal, a file, a pipe or a CI log.

    Args:
        stream: stream to write to.
        dry: whether steps only announce what they would do.
        clock: clock for timestamps and durations.
        environments: names that steps may have in their labels.
        has_heartbeat: whether a log gets a line for each step that has been silent for long.

    Raises:
        UsageError: the file that `KAIZEN_EVENTS` names cannot be written.
    """
    clock, width = clock or SystemClock(), label_width(environments)
    path = os.environ.get(EVENTS_VARIABLE)
    log = EventLog(Path(path)) if path else None
    if not is_interactive(stream):
        heartbeat = Heartbeat(clock.monotonic) if has_heartbeat else None
        return EventReporter(PlainView(stream, clock, width, heartbeat), dry=dry, clock=clock, log=log)
    from kaizen_tasks.adapters.console.rich_view import RichView  # rich is slow to import

    return EventReporter(RichView(stream, clock, width), dry=dry, clock=clock, log=log)


def is_interactive(stream: TextIO) -> bool:
    """Return whether the stream is a terminal that can move its cursor, and not that of a CI runner.

    Some CI runners give a pseudo-terminal to their jobs, and keep every frame in the log.
    """
    has_cursor = os.environ.get("TERM", "") not in {"dumb", "unknown"}
    return stream.isatty() and has_cursor and os.environ.get("CI", "").lower() in {"", "0", "false"}


class EventReporter:
    """The implementation of the port `Reporter`.

    Args:
        view: shows the events.
        dry: whether steps only announce what they would do.
        clock: clock for the time of each event.
        log: file to which events are appended, or None.
    """

    def __init__(self, view: View, *, dry: bool, clock: Clock, log: EventLog | None = None) -> None:
        self.view = view
        self._dry = dry
        self._clock = clock
        self._log = log

    def _emit(
        self, event_type: EventType, label: StepLabel, verdict: str = "", reason: str = "", seconds: float | None = None
    ) -> None:
        event = RunEvent(type=event_type, time=self._clock.now(), verdict=verdict, reason=reason, seconds=seconds)
        self._show(evolve(event, step=label.step, environment=label.environment))

    def _show(self, event: RunEvent) -> None:
        log = self._log
        if log is not None:
            try:
                log.append(event)
            except OSError as error:  # a full disk must not stop a deployment half-way
                self._log = None
                self.note(f"no further events are written to {log.path}: {error.strerror}")
        self.view.show(event.printable)

    def heading(self, text: str) -> None:
        """Show what is about to happen to which environments."""
        self._show(RunEvent(type=EventType.HEADING, time=self._clock.now(), text=text))

    def note(self, text: str) -> None:
        """Show a line of text."""
        self._show(RunEvent(type=EventType.NOTE, time=self._clock.now(), text=typeable(text)))

    def decided(self, label: StepLabel, decision: Decision) -> None:
        """Show what a step has decided; a refusal is printed later, as an error."""
        match decision:
            case Done(reason=reason):
                verdict = "ok" if label.step in CHECK_STEPS else "already done"
            case Act(description=reason):
                verdict = "would" if self._dry else "begin"
            case Refuse(reasons=reasons):
                verdict, reason = "refused", "; ".join(reasons)
        self._emit(EventType.DECIDED, label, verdict, reason)

    def progress(self, label: StepLabel, text: str, *, typical_seconds: float = 0) -> None:
        """Show the progress of a step that acts."""
        event = RunEvent(type=EventType.PROGRESS, time=self._clock.now(), reason=text)
        event = evolve(event, step=label.step, environment=label.environment)
        self._show(evolve(event, typical_seconds=typical_seconds or None))

    def activity(self, label: StepLabel, text: str, *, replaces: bool = False) -> None:
        """Show what a step that acts is doing, for as long as it acts."""
        verdict = "replaces" if replaces else ""
        visible_text = text.rstrip().rpartition("\r")[2]  # of a line that a program has overwritten
        event = RunEvent(type=EventType.ACTIVITY, time=self._clock.now(), verdict=verdict, reason=visible_text)
        self.view.show(evolve(event, step=label.step, environment=label.environment).printable)

    def checked(self, label: StepLabel, text: str, *, ok: bool) -> None:
        """Show the result of one of several checks of a step."""
        self._emit(EventType.CHECKED, label, "ok" if ok else "wrong", text)

    def succeeded(self, label: StepLabel, reason: str, seconds: float) -> None:
        """Show that a step has succeeded."""
        self._emit(EventType.FINISHED, label, "done", reason, seconds)

    def failed(self, label: StepLabel, seconds: float) -> None:
        """Show that a step has failed; the error itself is printed later."""
        self._emit(EventType.FINISHED, label, "failed", seconds=seconds)

    def summary(self, text: str, next_step: str, seconds: float) -> None:
        """Show the last line of a command that has succeeded."""
        event = RunEvent(type=EventType.SUMMARY, time=self._clock.now(), text=text, reason=typeable(next_step))
        self._show(evolve(event, seconds=seconds))

    def interrupted(self, label: StepLabel, seconds: float) -> None:
        """Show that Ctrl-C or a signal has ended a step."""
        self._emit(EventType.FINISHED, label, "interrupted", seconds=seconds)

    @contextmanager
    def rollout_table(
        self, environments: Sequence[str], typical_duration: Callable[[str], float | None]
    ) -> Iterator[None]:
        """Show a table of several environments while the context lasts; a dry run shows no table."""
        self._show(RunEvent(type=EventType.ROLLOUT_STARTED, time=self._clock.now(), environments=environments))
        with nullcontext() if self._dry else self.view.rollout(environments, typical_duration):
            yield

    def environment_finished(self, environment: str, error: str, *, interrupted: bool = False) -> None:
        """Show that one of several environments has ended, with its error; an empty error means success."""
        if not self._dry:
            label, failed = StepLabel("", environment), "interrupted" if interrupted else "gave up"
            self._emit(EventType.ENVIRONMENT_FINISHED, label, failed if error else "complete", error)
