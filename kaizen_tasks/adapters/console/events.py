"""Events of a run, which the console shows and `KAIZEN_EVENTS=path` writes to the event file, as JSON lines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import attrs
from attrs import field, frozen

from kaizen_tasks.domain.release import StepLabel
from kaizen_tasks.domain.text.printable import escape_json, printable
from kaizen_tasks.errors import UsageError

EVENTS_VARIABLE = "KAIZEN_EVENTS"  # the environment variable that names the file


class EventType(StrEnum):
    """The type of an event; the values are those of `type` in the event file.

    Attributes:
        HEADING: a command is about to start; `text` says what it will do, and where.
        DECIDED: a step has compared the actual state with the intended one; `verdict` and `reason` are its decision.
        PROGRESS: a step that acts reports its progress in `reason`.
        ACTIVITY: a step that acts is doing what `reason` says; shown while it acts, and not in the event file.
            `verdict` is `replaces` for a state that takes the place of the last one.
        CHECKED: one of several checks of a step has ended; `verdict` is `ok` or `wrong`.
        FINISHED: a step that acted has ended; `verdict` is `done`, `failed` or `interrupted`, `seconds` is the step's
            duration.
        NOTE: another line for the console, in `text`.
        ROLLOUT_STARTED: a release goes to several `environments`, in parallel.
        ENVIRONMENT_FINISHED: one environment of a rollout has ended; `verdict` is `complete`, `gave up` or
            `interrupted`.
        SUMMARY: a command has succeeded; `text` says what serves where, `reason` what to type next, `seconds` is the
            command's duration.
    """

    HEADING = "heading"
    DECIDED = "decided"
    PROGRESS = "progress"
    ACTIVITY = "activity"
    CHECKED = "checked"
    FINISHED = "finished"
    NOTE = "note"
    ROLLOUT_STARTED = "rollout-started"
    ENVIRONMENT_FINISHED = "environment-finished"
    SUMMARY = "summary"


def _to_tuple(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(names)


def _to_milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


@frozen(kw_only=True)
class RunEvent:
    """One event; in the event file, a line with a JSON object of the fields that are not empty.

    Attributes:
        type: what happened.
        time: when it happened, in UTC, as ISO 8601.
        pid: identifier of the process that reports the event.
        step: name of the step, such as `deploy`.
        environment: name of the environment.
        verdict: `ok`, `wrong`, `already done`, `begin`, `would` (with `--dry`), `refused`, `done`, `failed`,
            `interrupted`, `complete` or `gave up`.
        reason: what was found, what will happen or what has happened, in words.
        seconds: how long the step or the command acted.
        typical_seconds: how long the step usually takes, by the ledger.
        environments: names of all environments of a rollout, in order.
        text: the text of a heading, a note or a summary.
    """

    type: EventType = field(converter=EventType)
    time: datetime
    pid: int = field(factory=os.getpid)
    step: str = ""
    environment: str = ""
    verdict: str = ""
    reason: str = ""
    seconds: float | None = field(default=None, converter=_to_milliseconds)
    typical_seconds: float | None = field(default=None, converter=_to_milliseconds)
    environments: tuple[str, ...] = field(default=(), converter=_to_tuple)
    text: str = ""

    @property
    def label(self) -> StepLabel:
        """The label of the step: its name and environment."""
        return StepLabel(self.step, self.environment)

    @property
    def printable(self) -> RunEvent:
        """The event with texts that are safe to show, each on one line; the event file has them as they are."""
        texts = self.step, self.environment, self.reason, self.text, *self.environments
        printable_texts = tuple(map(printable, texts))
        if printable_texts == texts:
            return self
        step, environment, reason, text, *environments = printable_texts
        return attrs.evolve(
            self, step=step, environment=environment, reason=reason, text=text, environments=environments
        )

    @classmethod
    def parse(cls, line: str) -> RunEvent:
        """Return the event in a line of an event file; fields that only later versions know are ignored."""
        document, names = json.loads(line), {attribute.name for attribute in attrs.fields(cls)}
        document["time"] = datetime.fromisoformat(document["time"])
        return cls(**{name: value for name, value in document.items() if name in names})

    @property
    def line(self) -> str:
        """The event as a line of the event file, with its line feed."""
        fields = attrs.asdict(self, filter=lambda _, value: value not in ("", (), None))
        return escape_json(json.dumps({**fields, "time": self.time.isoformat()})) + "\n"


class EventLog:
    """An event file, to which events are appended.

    Each event is appended by one write to a file opened for appending, so that lines of several threads and processes
    never mix on a local file system: https://man7.org/linux/man-pages/man2/open.2.html (O_APPEND).

    Args:
        path: path of the event file, which is created when missing.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            self.path.open("ab").close()
        except OSError as error:
            raise UsageError(
                f"{EVENTS_VARIABLE}={path}: cannot be written: {error.strerror}",
                hint=f"set {EVENTS_VARIABLE} to a file in a folder that exists, or unset it",
            ) from error

    def append(self, event: RunEvent) -> None:
        """Append an event to the file.

        Raises:
            OSError: the file can no longer be written.
        """
        with self.path.open("ab", buffering=0) as file:
            file.write(event.line.encode())
