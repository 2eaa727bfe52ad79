"""Shows events as plain lines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.adapters.console.ci_output import OUTPUT_MARK, OutputGroup
from kaizen_tasks.adapters.console.events import EventType, RunEvent
from kaizen_tasks.adapters.console.heartbeat import Heartbeat
from kaizen_tasks.domain.release import StepLabel
from kaizen_tasks.domain.text import duration
from kaizen_tasks.domain.text.printable import disarm_commands
from kaizen_tasks.ports.clock import Clock

if TYPE_CHECKING:
    from kaizen_tasks.adapters.console.rollout.large import LargeRollout
    from kaizen_tasks.adapters.console.rollout.progress import RolloutProgress

LABEL_WIDTH = 16  # columns for a step's name and its environment's, for short names of environments
LONGEST_STEP = "restore config"


ROLLOUT = StepLabel("rollout")
"""What stands for all environments of a large rollout where one of them has nothing to show for long."""


class LineWriter(Protocol):
    """What lines are written to, such as a file or a pipe."""

    def write(self, text: str, /) -> object:
        """Write lines, with their line feeds."""

    def flush(self) -> object:
        """Let others see what was written."""


class PlainView:
    """Writes one line for each event, without escape codes and without times, which a CI system adds.

    Args:
        stream: where to write.
        clock: clock for durations.
        label_width: columns for labels.
        heartbeat: tells of steps that have been silent for long; None for no such lines.
        output: how the output of other programs is written; None if it is not.
        is_complete: whether also every step of a large rollout is a line.
    """

    def __init__(
        self,
        stream: LineWriter,
        clock: Clock,
        label_width: int = LABEL_WIDTH,
        heartbeat: Heartbeat | None = None,
        *,
        output: OutputGroup | None = None,
        is_complete: bool = False,
    ) -> None:
        self._heartbeat = heartbeat
        self._label_width = label_width
        self._stream = stream
        self._clock = clock
        self._output = output
        self._is_complete = is_complete
        self._rollout: RolloutProgress | None = None
        self._large: LargeRollout | None = None
        self._group_title = ""
        self._lock = threading.RLock()

    def show(self, event: RunEvent) -> None:
        """Write the line of an event, except of a refusal, which is printed later as an error."""
        if self._heartbeat is not None:
            self._watch(event, self._heartbeat)
        if event.type is EventType.ACTIVITY:
            self._write_output(event)
            return
        with self._lock:  # ends are counted, and lines of several threads must stay whole
            self._track(event)
            for visible_event in self._large.visible(event) if self._large is not None else (event,):
                self._write_event(visible_event)

    def _track(self, event: RunEvent) -> None:
        """Store how far an environment of the rollout is."""
        if self._rollout is None or event.environment not in self._rollout:
            return
        if event.type is EventType.DECIDED:
            self._rollout.start_step(event.environment, event.step, event.reason)
        elif event.type is EventType.ENVIRONMENT_FINISHED:
            self._rollout.finish(event.environment, event.reason)

    def _write_event(self, event: RunEvent) -> None:
        match event.type:
            case EventType.HEADING | EventType.NOTE | EventType.SUMMARY:
                text = summary_text(event) if event.type is EventType.SUMMARY else event.text
                self._write(text if self._rollout is None else f"  {text}")
            case EventType.ENVIRONMENT_FINISHED if self._rollout is not None:
                from kaizen_tasks.adapters.console.rollout.large import result_text

                self._line(
                    event.verdict, event.environment, result_text(self._rollout, event.environment, event.reason)
                )
            case EventType.ENVIRONMENT_FINISHED | EventType.ROLLOUT_STARTED:
                pass
            case _ if event.verdict != "refused":
                self._line(event.verdict or "…", str(event.label), with_duration(event))
            case _:
                pass
        if self._heartbeat is not None:
            self._heartbeat.count_line(ROLLOUT)

    def _write_output(self, event: RunEvent) -> None:
        """Write a line of another program; without `output`, the next heartbeat shows it."""
        if self._output is None or event.verdict == "replaces" or self._large is not None:
            return
        with self._lock:
            title = str(event.label)
            if self._group_title != title:
                self._end_group()
                self._group_title = title
                self._write_marker(self._output.first_line(title, self._clock.now()))
            self._write_line(f"{OUTPUT_MARK}{event.reason}".rstrip())

    def _end_group(self) -> None:
        if self._group_title and self._output is not None:
            title, self._group_title = self._group_title, ""
            self._write_marker(self._output.last_line(title, self._clock.now()))

    def _watch(self, event: RunEvent, heartbeat: Heartbeat) -> None:
        """Let the heartbeat watch a step from its beginning to its end."""
        if self._large is not None and event.environment in self._large:
            return
        match event.type:
            case EventType.DECIDED if event.verdict == "begin":
                heartbeat.start(event.label, event.reason, self._show_heartbeat)
            case EventType.FINISHED:
                heartbeat.stop(event.label)
            case EventType.PROGRESS | EventType.ACTIVITY | EventType.CHECKED:
                heartbeat.update(event.label, with_duration(event), is_shown=self._is_shown(event))
            case _:
                pass

    def _is_shown(self, event: RunEvent) -> bool:
        return event.type is not EventType.ACTIVITY or (self._output is not None and event.verdict != "replaces")

    def _show_heartbeat(self, label: StepLabel, text: str) -> None:
        with self._lock:
            is_in_group = self._group_title == str(label)
            (self._write_line if is_in_group else self._write)(self._columns("…", str(label), text))

    @contextmanager
    def rollout(self, environments: Sequence[str], typical_duration: Callable[[str], float | None]) -> Iterator[None]:
        """While the context lasts, count the environments that have ended; of many, show nothing but their ends."""
        from kaizen_tasks.adapters.console.rollout import large
        from kaizen_tasks.adapters.console.rollout.progress import RolloutProgress

        self._rollout = rollout = RolloutProgress(environments, self._clock.monotonic)
        self._large = None if self._is_complete else large.select_lines(environments)
        if self._large is not None and self._heartbeat is not None:
            self._heartbeat.start(ROLLOUT, partial(large.progress_text, rollout), self._show_heartbeat)
        try:
            yield
        finally:
            if self._heartbeat is not None:
                self._heartbeat.stop(ROLLOUT)
            self._rollout = self._large = None

    def _line(self, verdict: str, label: str, text: str) -> None:
        self._write(self._columns(verdict, label, text))

    def _columns(self, verdict: str, label: str, text: str) -> str:
        return f"  {verdict:<12}  {label:<{self._label_width}}  {text}".rstrip()

    def _write(self, line: str) -> None:
        with self._lock:
            self._end_group()
            self._write_line(line)

    def _write_line(self, line: str) -> None:
        self._stream.write(f"{disarm_commands(line)}\n")
        self._stream.flush()

    def _write_marker(self, line: str) -> None:
        """Write a line that a CI service obeys, if there is one."""
        if line:
            self._stream.write(f"{line}\n")
            self._stream.flush()


def label_width(environments: Iterable[str]) -> int:
    """Return the columns in which the label of every step fits for these environments."""
    return max(LABEL_WIDTH, *(len(f"{LONGEST_STEP} {name}") for name in environments), 0)


def summary_text(event: RunEvent) -> str:
    """Return the last line of a command: what serves where, how long that took, and what to type next."""
    next_step = f"; {event.reason}" if event.reason else ""
    return f"{event.text} ({duration.format_duration(event.seconds or 0)}){next_step}"


def with_duration(event: RunEvent) -> str:
    """Return a step's reason, if it is `done` or in progress, and how long the step acted or usually takes."""
    if event.typical_seconds is not None:
        return f"{event.reason}, which usually takes {duration.format_duration(event.typical_seconds)}"
    if event.seconds is None:
        return event.reason
    seconds = duration.format_duration(event.seconds)
    return f"{event.reason} ({seconds})" if event.verdict == "done" else f"after {seconds}"
