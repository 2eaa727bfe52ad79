"""The pages on which people see what a run does, in memory."""

from __future__ import annotations

from collections.abc import Callable

from attrs import Factory, define

from kaizen_tasks.domain.ledger import LedgerEntry


@define
class FakeRunReport:
    """Remembers what it is told.

    Attributes:
        entries: the entries that were recorded, oldest first.
        ends: title, text and next step of each command that has ended.
        problems: what it says that it could not show.
        on_finish: called when a command ends.
    """

    entries: list[LedgerEntry] = Factory(list)
    ends: list[tuple[str, str, str]] = Factory(list)
    problems: tuple[str, ...] = ()
    on_finish: Callable[[], object] = bool

    def record(self, entry: LedgerEntry) -> None:
        self.entries.append(entry)

    def finish(self, title: str, *, text: str = "", next_step: str = "") -> tuple[str, ...]:
        self.on_finish()
        self.ends.append((title, text, next_step))
        return self.problems
