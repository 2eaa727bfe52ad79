"""What a run reports, as JSON lines for programs: `KAIZEN_EVENTS=path inv release-staging`."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

import attrs
from attrs import field, frozen

from kaizen_tasks.adapters.console.reporter import EVENTS_VARIABLE
from kaizen_tasks.adapters.console.verdicts import decision_text, verdict
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.domain.release import StepLabel
    from kaizen_tasks.ports.clock import Clock
    from kaizen_tasks.ports.reporter import Reporter


class EventType(StrEnum):
    """What happened. The values are the words of the file.

    Attributes:
        HEADING: a command is about to change something; `text` says what and where.
        DECIDED: a step has compared the actual state with the intended one; `verdict` and `reason` say what follows.
        PROGRESS: a step that acts has come further; `reason` says how far.
        CHECKED: one of several checks of a step has ended; `verdict` is `ok` or `wrong`.
        FINISHED: a step that acted has ended; `verdict` is `done` or `failed`, `seconds` its duration.
        NOTE: anything else that is shown; see `text`.
        ROLLOUT_STARTED: a release goes to several `environments`, in parallel.
        ENVIRONMENT_FINISHED: one environment of a rollout has ended; `verdict` is `complete` or `gave up`.
    """

    HEADING = "heading"
    DECIDED = "decided"
    PROGRESS = "progress"
    CHECKED = "checked"
    FINISHED = "finished"
    NOTE = "note"
    ROLLOUT_STARTED = "rollout-started"
    ENVIRONMENT_FINISHED = "environment-finished"


def _to_tuple(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(names)


@frozen(kw_only=True)
class RunEvent:
    """One line of the file: a JSON object with the fields that are not empty.

    Attributes:
        type: what happened.
        time: when, in UTC, as ISO 8601.
        pid: identifier of the process that writes.
        step: name of the step, such as `deploy`.
        environment: the environment that it is about.
        verdict: `ok`, `wrong`, `already done`, `begin`, `would` (with `--dry`), `refused`, `done`, `failed`, `complete`
            or `gave up`.
        reason: why, what will happen or what has happened, as people read it.
        seconds: how long the step acted.
        environments: names of all environments of a rollout, in order.
        text: what is shown, of an event that is about no single step.
    """

    type: EventType = field(converter=EventType)
    time: str
    pid: int = field(factory=os.getpid)
    step: str = ""
    environment: str = ""
    verdict: str = ""
    reason: str = ""
    seconds: float | None = None
    environments: tuple[str, ...] = field(default=(), converter=_to_tuple)
    text: str = ""

    @classmethod
    def parse(cls, line: str) -> RunEvent:
        """Read a line of the file; fields of later versions are left out."""
        names = {attribute.name for attribute in attrs.fields(cls)}
        return cls(**{name: value for name, value in json.loads(line).items() if name in names})

    @property
    def line(self) -> str:
        """The line of the file."""
        return json.dumps(attrs.asdict(self, filter=lambda _, value: value not in {"", (), None})) + "\n"


class EventReporter:
    """Writes everything that is reported to a file, and hands it on to another reporter.

    Each event is appended by one write to a file opened for appending, so that lines of several threads and processes
    never mix on a local file system: https://man7.org/linux/man-pages/man2/open.2.html (O_APPEND).

    Args:
        reporter: shows the same to people.
        path: the file; created when missing.
        dry: whether acts are only announced.
        clock: for the time of each event.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(self, reporter: Reporter, path: Path, *, dry: bool, clock: Clock) -> None:
        self._reporter = reporter
        self._path = path.absolute()
        self._dry = dry
        self._clock = clock
        self._is_writable = True
        try:
            self._path.open("ab").close()
        except OSError as error:
            raise UsageError(
                f"{EVENTS_VARIABLE}={path}: cannot be written: {error.strerror}",
                hint=f"set {EVENTS_VARIABLE} to a file in a folder that exists, or unset it",
            ) from error

    def _append(self, event: RunEvent) -> None:
        if not self._is_writable:
            return
        try:
            with self._path.open("ab", buffering=0) as file:
                file.write(event.line.encode())
        except OSError as error:  # a full disk must not stop a deployment half-way
            self._is_writable = False
            self._reporter.note(f"no further events are written to {self._path}: {error.strerror}")

    def _append_text(self, event_type: EventType, text: str) -> None:
        self._append(RunEvent(type=event_type, time=self._time, text=text))

    def _append_step(
        self,
        event_type: EventType,
        label: StepLabel,
        *,
        verdict: str = "",
        reason: str = "",
        seconds: float | None = None,
    ) -> None:
        event = RunEvent(
            type=event_type,
            time=self._time,
            step=label.step,
            environment=label.environment,
            verdict=verdict,
            reason=reason,
            seconds=None if seconds is None else round(seconds, 3),
        )
        self._append(event)

    @property
    def _time(self) -> str:
        return self._clock.now().isoformat()

    def heading(self, text: str) -> None:
        """See `Reporter`."""
        self._append_text(EventType.HEADING, text)
        self._reporter.heading(text)

    def decided(self, label: StepLabel, decision: Decision) -> None:
        """See `Reporter`."""
        word = verdict(label, decision, dry=self._dry)
        self._append_step(EventType.DECIDED, label, verdict=word, reason=decision_text(decision))
        self._reporter.decided(label, decision)

    def progress(self, label: StepLabel, text: str) -> None:
        """See `Reporter`."""
        self._append_step(EventType.PROGRESS, label, reason=text)
        self._reporter.progress(label, text)

    def checked(self, label: StepLabel, text: str, *, ok: bool) -> None:
        """See `Reporter`."""
        self._append_step(EventType.CHECKED, label, verdict="ok" if ok else "wrong", reason=text)
        self._reporter.checked(label, text, ok=ok)

    def succeeded(self, label: StepLabel, reason: str, seconds: float) -> None:
        """See `Reporter`."""
        self._append_step(EventType.FINISHED, label, verdict="done", reason=reason, seconds=seconds)
        self._reporter.succeeded(label, reason, seconds)

    def failed(self, label: StepLabel, seconds: float) -> None:
        """See `Reporter`."""
        self._append_step(EventType.FINISHED, label, verdict="failed", seconds=seconds)
        self._reporter.failed(label, seconds)

    def note(self, text: str) -> None:
        """See `Reporter`."""
        self._append_text(EventType.NOTE, text)
        self._reporter.note(text)

    @contextmanager
    def rollout_table(
        self, environments: Sequence[str], typical_duration: Callable[[str], float | None]
    ) -> Iterator[None]:
        """See `Reporter`."""
        self._append(RunEvent(type=EventType.ROLLOUT_STARTED, time=self._time, environments=environments))
        with self._reporter.rollout_table(environments, typical_duration):
            yield

    def environment_finished(self, environment: str, error: str) -> None:
        """See `Reporter`."""
        word = "gave up" if error else "complete"
        event = RunEvent(
            type=EventType.ENVIRONMENT_FINISHED, time=self._time, environment=environment, verdict=word, reason=error
        )
        self._append(event)
        self._reporter.environment_finished(environment, error)
