"""Turns what a run reports into events, which the console shows and `KAIZEN_EVENTS` writes to a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from attrs import evolve

from kaizen_tasks.adapters.console.ci_output import find_output_group
from kaizen_tasks.adapters.console.events import EVENTS_VARIABLE, EventLog, EventType, RunEvent
from kaizen_tasks.adapters.console.heartbeat import Heartbeat
from kaizen_tasks.adapters.console.plain_view import PlainView, label_width
from kaizen_tasks.adapters.console.run_log import RunLog
from kaizen_tasks.adapters.console.terminal import is_interactive
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.host.program_path import typeable
from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.release import StepLabel
from kaizen_tasks.domain.text.printable import printable
from kaizen_tasks.ports.clock import Clock

if TYPE_CHECKING:
    from kaizen_tasks.adapters.console.rollout.large_plan import LargePlan

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
    app: str = "",
) -> EventReporter:
    """Return a reporter that writes to a stream: a terminal, a file, a pipe or a CI log.

    Args:
        stream: stream to write to.
        dry: whether steps only announce what they would do.
        clock: clock for timestamps and durations.
        environments: names that steps may have in their labels.
        has_heartbeat: whether a log gets a line for each step that has been silent for long.
        app: name of the app, for the file that gets the lines which the console leaves out; empty for no such file.

    Raises:
        UsageError: the file that `KAIZEN_EVENTS` names cannot be written.
    """
    clock, width = clock or SystemClock(), label_width(environments)
    path = os.environ.get(EVENTS_VARIABLE)
    log = EventLog(Path(path)) if path else None
    run_log = RunLog(app, clock, width) if app and not dry else None
    if is_interactive(stream):
        from kaizen_tasks.adapters.console.rich_view import RichView  # rich is slow to import

        return EventReporter(RichView(stream, clock, width), dry=dry, clock=clock, log=log, run_log=run_log)
    heartbeat, output = Heartbeat(clock.monotonic) if has_heartbeat else None, find_output_group(os.environ)
    view = PlainView(stream, clock, width, heartbeat, output=output)
    return EventReporter(view, dry=dry, clock=clock, log=log, run_log=run_log, shows_output=output is not None)


class EventReporter:
    """The implementation of the port `Reporter`.

    Args:
        view: shows the events.
        dry: whether steps only announce what they would do.
        clock: clock for the time of each event.
        log: file to which events are appended, or None.
        run_log: file for the lines of a run of which the view leaves some out, or None.
        shows_output: whether the view shows every line that other programs print.
    """

    def __init__(
        self,
        view: View,
        *,
        dry: bool,
        clock: Clock,
        log: EventLog | None = None,
        run_log: RunLog | None = None,
        shows_output: bool = False,
    ) -> None:
        self.view = view
        self._run_log = run_log
        self._shows_output = shows_output
        self._plan: LargePlan | None = None
        self._is_in_rollout = False
        self._dry = dry
        self._clock = clock
        self._log = log

    def _emit(
        self, event_type: EventType, label: StepLabel, verdict: str = "", reason: str = "", seconds: float | None = None
    ) -> None:
        event = RunEvent(
            type=event_type,
            time=self._clock.now(),
            step=label.step,
            environment=label.environment,
            verdict=verdict,
            reason=reason,
            seconds=seconds,
        )
        self._show(event)

    def _show(self, event: RunEvent) -> None:
        log = self._log
        if log is not None:
            try:
                log.append(event)
            except OSError as error:  # a full disk must not stop a deployment half-way
                self._log = None
                self.note(f"no further events are written to {log.path}: {error.strerror}")
        self._show_and_log(event.printable)

    def _show_and_log(self, event: RunEvent) -> None:
        for visible_event in self._plan.visible(event) if self._plan is not None else (event,):
            self.view.show(visible_event)
        if self._run_log is not None:
            self._run_log.show(event)
            if failure := self._run_log.pop_failure():
                self._tell(failure)

    def _tell(self, text: str) -> None:
        """Show a line that is about the console itself, and so in no file."""
        self.view.show(RunEvent(type=EventType.NOTE, time=self._clock.now(), text=printable(text)))

    def _name_log(self) -> None:
        """Say where all lines are, if the console has left some out."""
        if self._run_log is not None and self._run_log.path is not None:
            self._tell(f"full log: {self._run_log.shown_path}")

    def heading(self, text: str) -> None:
        """Show what is about to happen to which environments."""
        self._show(RunEvent(type=EventType.HEADING, time=self._clock.now(), text=text))

    def note(self, text: str, label: StepLabel | None = None) -> None:
        """Show a line of text; of a step's output, a large rollout shows the last lines if the step fails."""
        event = RunEvent(type=EventType.NOTE, time=self._clock.now(), text=typeable(text))
        self._show(event if label is None else evolve(event, step=label.step, environment=label.environment))

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
        event = RunEvent(
            type=EventType.PROGRESS,
            time=self._clock.now(),
            step=label.step,
            environment=label.environment,
            reason=text,
            typical_seconds=typical_seconds or None,
        )
        self._show(event)

    def activity(self, label: StepLabel, text: str, *, replaces: bool = False) -> None:
        """Show what a step that acts is doing, for as long as it acts."""
        verdict = "replaces" if replaces else ""
        visible_text = text.rstrip().rpartition("\r")[2]  # of a line that a program has overwritten
        event = RunEvent(type=EventType.ACTIVITY, time=self._clock.now(), verdict=verdict, reason=visible_text)
        if self._run_log is not None and not (replaces or self._shows_output):
            self._run_log.open()
        self._show_and_log(evolve(event, step=label.step, environment=label.environment).printable)

    def checked(self, label: StepLabel, text: str, *, ok: bool) -> None:
        """Show the result of one of several checks of a step."""
        self._emit(EventType.CHECKED, label, "ok" if ok else "wrong", text)

    def succeeded(self, label: StepLabel, reason: str, seconds: float) -> None:
        """Show that a step has succeeded."""
        self._emit(EventType.FINISHED, label, "done", reason, seconds)

    def failed(self, label: StepLabel, seconds: float) -> None:
        """Show that a step has failed; the error itself is printed later."""
        self._emit(EventType.FINISHED, label, "failed", seconds=seconds)
        self._name_log() if not self._is_in_rollout else None

    def summary(self, text: str, next_step: str, seconds: float) -> None:
        """Show the last line of a command that has succeeded."""
        event = RunEvent(type=EventType.SUMMARY, time=self._clock.now(), text=text, reason=typeable(next_step))
        self._show(evolve(event, seconds=seconds))

    def interrupted(self, label: StepLabel, seconds: float) -> None:
        """Show that Ctrl-C or a signal has ended a step."""
        self._emit(EventType.FINISHED, label, "interrupted", seconds=seconds)
        self._name_log() if not self._is_in_rollout else None

    @contextmanager
    def rollout_table(
        self, environments: Sequence[str], typical_duration: Callable[[str], float | None]
    ) -> Iterator[None]:
        """Show a table of several environments while the context lasts; a dry run shows no table.

        Of a large rollout, each environment has one line, and all lines are in a file that is named.
        """
        from kaizen_tasks.adapters.console.rollout.large import MAX_DETAILED
        from kaizen_tasks.adapters.console.rollout.large_plan import LargePlan

        self._show(RunEvent(type=EventType.ROLLOUT_STARTED, time=self._clock.now(), environments=environments))
        is_large = len(environments) > MAX_DETAILED
        if self._dry:
            self._plan = LargePlan(environments) if is_large else None
            yield
            self._plan = None
            return
        if is_large:
            self._begin_large(len(environments))
        self._is_in_rollout = True
        try:
            with self._logged(environments), self.view.rollout(environments, typical_duration):
                yield
        finally:
            self._is_in_rollout = False
            if is_large:
                self._name_log()

    def _begin_large(self, count: int) -> None:
        """Open the log of a large rollout, and name it now, since the run may be killed."""
        place = ""
        if self._run_log is not None:
            self._run_log.open()
            place = f", all lines in {self._run_log.shown_path}" if self._run_log.path else ""
        self._tell(f"{count} environments: a line for each that ends{place}")

    def _logged(self, environments: Sequence[str]) -> AbstractContextManager[None]:
        return self._run_log.rollout(environments, lambda _: None) if self._run_log is not None else nullcontext()

    def environment_finished(self, environment: str, error: str, *, interrupted: bool = False) -> None:
        """Show that one of several environments has ended, with its error; an empty error means success."""
        failed = "interrupted" if interrupted else "gave up"
        event = RunEvent(
            type=EventType.ENVIRONMENT_FINISHED,
            time=self._clock.now(),
            environment=environment,
            verdict=failed if error else "complete",
            reason=error,
        )
        if not self._dry:
            self._show(event)
        elif self._plan is not None:
            self._show_and_log(event.printable)
