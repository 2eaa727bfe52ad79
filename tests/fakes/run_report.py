"""The pages on which people see what a run does, in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import Factory, define

from kaizen_tasks.domain.ledger import LedgerEntry
from kaizen_tasks.ports.run_report import NO_HOLDS


@define
class FakeRunReport:
    """Remembers what it is told.

    Attributes:
        entries: the entries that were recorded, oldest first.
        ends: title, text and next step of each command that has ended.
        problems: what it says that it could not show.
        on_finish: called when a command ends.
        rows: names of the environments that each of them was for, with why it was left out, or an empty text.
        has_failure: whether the page has a section about a command that failed.
    """

    entries: list[LedgerEntry] = Factory(list)
    ends: list[tuple[str, str, str]] = Factory(list)
    problems: tuple[str, ...] = ()
    on_finish: Callable[[], object] = bool
    rows: list[dict[str, str]] = Factory(list)
    has_failure: bool = False

    def record(self, entry: LedgerEntry) -> None:
        self.entries.append(entry)

    def finish(
        self,
        title: str,
        *,
        text: str = "",
        next_step: str = "",
        environments: Sequence[str] = (),
        holds: Mapping[str, str] = NO_HOLDS,
    ) -> tuple[str, ...]:
        self.on_finish()
        self.ends.append((title, text, next_step))
        self.rows.append({name: holds.get(name, "") for name in environments})
        self.has_failure = not text
        return self.problems
