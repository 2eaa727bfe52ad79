"""Shows events as plain lines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from kaizen_tasks.adapters.console.events import EventType, RunEvent
from kaizen_tasks.adapters.console.heartbeat import Heartbeat
from kaizen_tasks.adapters.console.progress import RolloutProgress
from kaizen_tasks.domain.release import StepLabel
from kaizen_tasks.domain.text import duration
from kaizen_tasks.ports.clock import Clock

LABEL_WIDTH = 16  # columns for a step's name and its environment's, for short names of environments
LONGEST_STEP = "restore config"


class PlainView:
    """Writes one line for each event, without escape codes and without times, which a CI system adds.

    Args:
        stream: stream to write to.
        clock: clock for durations.
        label_width: columns for labels.
        heartbeat: tells of steps that have been silent for long; None for no such lines.
    """

    def __init__(
        self, stream: TextIO, clock: Clock, label_width: int = LABEL_WIDTH, heartbeat: Heartbeat | None = None
    ) -> None:
        self._heartbeat = heartbeat
        self._label_width = label_width
        self._stream = stream
        self._clock = clock
        self._rollout: RolloutProgress | None = None
        self._lock = threading.Lock()

    def show(self, event: RunEvent) -> None:
        """Write the line of an event, except of a refusal, which is printed later as an error."""
        if self._heartbeat is not None:
            self._watch(event, self._heartbeat)
        if event.type is EventType.ACTIVITY:
            return  # the next heartbeat shows it
        if event.type in {EventType.HEADING, EventType.NOTE, EventType.SUMMARY}:
            text = summary_text(event) if event.type is EventType.SUMMARY else event.text
            self._write(text if self._rollout is None else f"  {text}")
        elif event.type is EventType.ENVIRONMENT_FINISHED:
            self._write_result(event)
        elif event.type is not EventType.ROLLOUT_STARTED:
            self._write_step(event)

    def _write_step(self, event: RunEvent) -> None:
        if event.type is EventType.DECIDED and self._rollout is not None and event.environment in self._rollout:
            self._rollout.start_step(event.environment, event.step, event.reason)
        if event.verdict != "refused":
            self._line(event.verdict or "…", str(event.label), with_duration(event))

    def _watch(self, event: RunEvent, heartbeat: Heartbeat) -> None:
        """Let the heartbeat watch a step from its beginning to its end."""
        match event.type:
            case EventType.DECIDED if event.verdict == "begin":
                heartbeat.start(event.label, event.reason, self._show_heartbeat)
            case EventType.FINISHED:
                heartbeat.stop(event.label)
            case EventType.PROGRESS | EventType.ACTIVITY | EventType.CHECKED:
                heartbeat.update(event.label, with_duration(event), is_shown=event.type is not EventType.ACTIVITY)
            case _:
                pass

    def _show_heartbeat(self, label: StepLabel, text: str) -> None:
        self._line("…", str(label), text)

    def _write_result(self, event: RunEvent) -> None:
        """Write an environment's result, and how many environments of the rollout have ended."""
        if self._rollout is None:
            return
        progress = self._rollout.finish(event.environment, event.reason)
        environments = self._rollout.environments
        finished_count = sum(environment.finished_at is not None for environment in environments)
        elapsed = duration.format_duration(progress.elapsed(self._clock.monotonic()) or 0)
        error = f": {event.reason}" if event.reason else ""
        self._line(event.verdict, event.environment, f"{finished_count} of {len(environments)} ({elapsed}){error}")

    @contextmanager
    def rollout(self, environments: Sequence[str], typical_duration: Callable[[str], float | None]) -> Iterator[None]:
        """While the context lasts, count the environments that have ended."""
        self._rollout = RolloutProgress(environments, self._clock.monotonic)
        try:
            yield
        finally:
            self._rollout = None

    def _line(self, verdict: str, label: str, text: str) -> None:
        self._write(f"  {verdict:<12}  {label:<{self._label_width}}  {text}".rstrip())

    def _write(self, line: str) -> None:
        with self._lock:  # a line of several threads must stay whole
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
