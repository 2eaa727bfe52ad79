"""The steps that record something for later runs: a verified release, the start of a rollback, a hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import evolve, frozen

from kaizen_tasks.domain.decision import Act, Decision, Done
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import Event, open_rollback
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.holds import add_hold
from kaizen_tasks.flows.ledger import entries as ledger

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools

HELD_BEFORE = "; held before: "
"""Joins the reason of a hold and that of the hold that it has replaced."""


@frozen(kw_only=True)
class Record(EnvironmentStep):
    """Record in the ledger that the release was verified.

    Attributes:
        environment: the environment.
        is_hotfix: whether the release is a hotfix for it.
    """

    step_name: ClassVar[str] = "record"
    is_hotfix: bool = False

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the newest ledger entry."""
        latest_entry = ledger.read_latest_entry(self.environment, tools)
        is_written = release.outcome is None and ledger.is_verification_of(release, latest_entry)
        if latest_entry is not None and is_written:
            tools.run_report.record(latest_entry)  # the run that has written it may have been killed just then
            return Done(f"the ledger says {release.name} is verified in {self.environment.name}", release)
        return Act(f"record in the ledger that {release.name} is verified in {self.environment.name}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Append the entry, after that of the deployment if this run has made it."""
        verification = ledger.new_entry(Event.VERIFIED, self.environment, release, tools)
        outcome = (release.outcome,) if release.outcome else ()
        ledger.write_all((*outcome, verification), tools, is_hotfix=self.is_hotfix)
        return evolve(release, outcome=None)


@frozen(kw_only=True)
class MarkRollback(EnvironmentStep):
    """Record in the ledger that a rollback starts, so that the same command finishes it and does not go further back.

    Attributes:
        environment: the environment that is rolled back.
        reason: why, for the ledger.
    """

    step_name: ClassVar[str] = "mark rollback"
    reason: str

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for a rollback to this release with no other deployment after it."""
        pending_rollback = open_rollback(tools.ledger.entries(self.environment.name, limit=ledger.HISTORY_LIMIT))
        if pending_rollback is not None and pending_rollback.digest == release.digest:
            return Done(f"{pending_rollback.actor} rolls back to {release.name}: {pending_rollback.reason}", release)
        return Act(f"record the rollback to {release.name} in the ledger: {self.reason}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Append the entry."""
        ledger.append(Event.ROLLBACK, self.environment, release, tools, reason=self.reason)
        return release


@frozen(kw_only=True)
class AddHold(EnvironmentStep):
    """Hold the environment, so that promotions leave it alone until the hold is removed; rollbacks end with it.

    Attributes:
        environment: the environment to hold.
        reason: why, in one line.
        replaces: whether the hold replaces one with another reason, which its own reason then ends with.
    """

    step_name: ClassVar[str] = "hold"
    reason: str
    replaces: bool = False

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the environment's hold, which anybody may have added."""
        hold = tools.holds.get(self.environment.name)
        if hold is not None and not self._must_replace(hold):
            return Done(f"{self.environment.name} is {hold}", release)
        return Act(f"hold {self.environment.name} until inv hold.remove: {self._full_reason(hold)}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Add the hold, in place of the one that it replaces."""
        previous = tools.holds.get(self.environment.name) if self.replaces else None
        if previous is not None:
            tools.holds.remove(self.environment.name)
        hold = Hold(
            environment=self.environment.name,
            reason=self._full_reason(previous),
            actor=tools.actor,
            since=tools.clock.now(),
            run_url=tools.run_url,
        )
        add_hold(hold, tools)
        return release

    def _must_replace(self, hold: Hold) -> bool:
        return (
            self.replaces and hold.reason != self.reason and not hold.reason.startswith(f"{self.reason}{HELD_BEFORE}")
        )

    def _full_reason(self, previous: Hold | None) -> str:
        return f"{self.reason}{HELD_BEFORE}{previous.reason}" if previous else self.reason
