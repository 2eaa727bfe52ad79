"""Chooses the pages on which this run is shown, by the variables of its CI service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from kaizen_tasks.domain.ledger import LedgerEntry


@frozen(kw_only=True)
class CiRunReport:
    """The pages of a run in CI; implements the port `RunReport`."""

    def record(self, entry: LedgerEntry) -> None:
        """Show an entry on each page."""

    def finish(self, title: str, *, text: str = "", next_step: str = "") -> tuple[str, ...]:
        """Show the end on each page, and return what could not be shown."""
        return ()
