"""The port of the pages beside the ledger on which people see what a run does: of the forge, and of the CI job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kaizen_tasks.domain.ledger import LedgerEntry

NO_HOLDS: Mapping[str, str] = MappingProxyType({})


class RunReport(Protocol):
    """Shows what a run does where people review. It never fails and never delays a run; safe from several threads.

    A run that is on no such page, as on a laptop, has one that shows nothing.
    """

    def record(self, entry: LedgerEntry) -> None:
        """Show an entry of the ledger; returns at once. One that this run has shown already is ignored."""

    @property
    def has_failure(self) -> bool:
        """Whether the CI job's page shows, since the last `finish`, what a command has done that failed."""

    def finish(
        self,
        title: str,
        *,
        text: str = "",
        next_step: str = "",
        environments: Sequence[str] = (),
        holds: Mapping[str, str] = NO_HOLDS,
    ) -> tuple[str, ...]:
        """Show how a command has ended, and wait for what is still on its way, at most a few seconds.

        Args:
            title: what the command does, verb first.
            text: what it has achieved; empty if it has failed.
            next_step: what to type next; empty when nothing follows.
            environments: names of the environments that it is for.
            holds: why some of them were left out, by name.

        Returns:
            what could not be shown, each with why and what to do about it.
        """
