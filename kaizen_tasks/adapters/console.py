"""Tells people what happens: rich on a terminal, plain lines everywhere else."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TextIO

from kaizen_tasks.domain import duration
from kaizen_tasks.domain.plan import Act, Decision, Done

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from kaizen_tasks.domain.release import Label
    from kaizen_tasks.ports import Reporter

CHECKS = ("preflight", "evidence")
"""Steps that look and never act: finding nothing wrong is not work that was done before."""


def reporter(stream: TextIO, *, dry: bool) -> Reporter:
    """Return what fits the stream: a person who watches, or a file, a pipe, a CI log.

    Args:
        stream: where to.
        dry: whether acts are only announced.
    """
    if stream.isatty() and not dry:
        return RichReporter(stream)
    return PlainReporter(stream, dry=dry)


def _verdict(label: Label, _done: Done) -> str:
    return "ok" if label.step in CHECKS else "already done"


class PlainReporter:
    """One line for each thing that happens, without escape codes."""

    def __init__(self, stream: TextIO, *, dry: bool = False) -> None:
        self._stream = stream
        self._begin = "would" if dry else "begin"
        self._lock = threading.Lock()

    def _line(self, verdict: str, label: Label, text: str) -> None:
        self.note(f"  {verdict:<12}  {label!s:<16}  {text}".rstrip())

    def heading(self, text: str) -> None:
        """Say what is about to happen to which environments."""
        self.note(text)

    def decided(self, label: Label, decision: Decision) -> None:
        """Say what a step has decided; a refusal says itself, as an error."""
        if isinstance(decision, Done):
            self._line(_verdict(label, decision), label, decision.reason)
        elif isinstance(decision, Act):
            self._line(self._begin, label, decision.what)

    def progress(self, label: Label, text: str) -> None:
        """Say how far an act is."""
        self._line("…", label, text)

    def acted(self, label: Label, reason: str, seconds: float) -> None:
        """Say that an act has ended well."""
        self._line("done", label, f"{reason} ({duration.show(seconds)})")

    def failed(self, label: Label, seconds: float) -> None:
        """Say that an act has ended badly."""
        self._line("failed", label, f"after {duration.show(seconds)}")

    def note(self, text: str) -> None:
        """Write one line at once, whole."""
        with self._lock:
            self._stream.write(f"{text}\n")
            self._stream.flush()


class RichReporter:
    """Finished steps as lines; below them a spinner with the elapsed time for each step that is running."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console

        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._lock = threading.Lock()
        self._live: Progress | None = None
        self._running: dict[Label, TaskID] = {}

    def _line(self, mark: str, style: str, label: Label, text: str) -> None:
        from rich.table import Table
        from rich.text import Text

        row = Table.grid(padding=(0, 1))
        row.add_column(width=1)
        row.add_column(width=16)
        row.add_column()
        row.add_row(Text(mark, style), Text(str(label)), Text(text, "dim" if mark == "·" else ""))
        self._console.print(row)

    def heading(self, text: str) -> None:
        """Say what is about to happen to which environments."""
        from rich.text import Text

        self._console.print(Text(text, "bold"))

    def decided(self, label: Label, decision: Decision) -> None:
        """Say what a step has decided; an act gets a spinner."""
        if isinstance(decision, Done):
            checked = _verdict(label, decision) == "ok"
            text = decision.reason if checked else f"already done: {decision.reason}"
            self._line("✓" if checked else "·", "green", label, text)
        elif isinstance(decision, Act):
            self._spin(label, decision.what)

    def _spin(self, label: Label, text: str) -> None:
        with self._lock:
            if self._live is None:
                self._live = self._spinners()
                self._live.start()
            self._running[label] = self._live.add_task(text, label=str(label))

    def _spinners(self) -> Progress:
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        return Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[label]:<16}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            transient=True,
        )

    def _stop(self, label: Label) -> None:
        with self._lock:
            task = self._running.pop(label, None)
            if self._live is None or task is None:
                return
            self._live.remove_task(task)
            if not self._running:
                self._live.stop()
                self._live = None

    def progress(self, label: Label, text: str) -> None:
        """Say beside the spinner how far an act is."""
        with self._lock:
            if self._live is not None and label in self._running:
                self._live.update(self._running[label], description=text)

    def acted(self, label: Label, reason: str, seconds: float) -> None:
        """Replace the spinner by a line."""
        self._stop(label)
        self._line("✓", "green", label, f"{reason} ({duration.show(seconds)})")

    def failed(self, label: Label, seconds: float) -> None:
        """Replace the spinner by a line."""
        self._stop(label)
        self._line("✗", "red", label, f"failed after {duration.show(seconds)}")

    def note(self, text: str) -> None:
        """Say something else that people should know; a long line stays one, so that it can be copied."""
        self._console.print(text, soft_wrap=True)
