"""What became of a release in an environment, by the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from kaizen_tasks.domain.deployments import Deployment, group_deployments
from kaizen_tasks.domain.ledger import Event, LedgerEntry, find_standing_failure, find_withdrawal

WITHDRAWALS = {Event.ROLLBACK: "rolled back", Event.WITHDRAWN: "given up"}
"""What is said of a release after an entry that is not its own."""


@frozen(kw_only=True)
class ReleaseRecord:
    """What became of a release in an environment.

    Attributes:
        deployment: its last deployment there.
        withdrawal: the entry by which it has failed or was taken back; None if it has not.
        successor: the first entry about another release after it; None if there was none.
    """

    deployment: Deployment
    withdrawal: LedgerEntry | None = None
    successor: LedgerEntry | None = None

    @property
    def outcome(self) -> str:
        """How it ended, or how far it has come: `verified`, `failed`, `rolled back`, `given up`, `started`."""
        if self.withdrawal is not None and self.withdrawal.event in WITHDRAWALS:
            return WITHDRAWALS[self.withdrawal.event]
        return self.deployment.outcome

    @property
    def reason(self) -> str:
        """Why it was made, and why it failed or was taken back."""
        withdrawal = self.withdrawal.reason if self.withdrawal is not None else ""
        return "; ".join(dict.fromkeys(filter(None, (self.deployment.reason, withdrawal))))


def find_release_record(entries: Sequence[LedgerEntry], name: str) -> ReleaseRecord | None:
    """Return what became of a release; None if it was never brought to the environment.

    Args:
        entries: the environment's entries, newest first.
        name: `v1.2.3`.
    """
    deployment = next((each for each in group_deployments(entries) if _is_of(each, name)), None)
    if deployment is None:
        return None
    later = entries[: entries.index(deployment.last)]
    successors = [entry for entry in later if entry.event.concerns_deployment and entry.version != name]
    return ReleaseRecord(
        deployment=deployment,
        withdrawal=find_withdrawal(entries, deployment.last.digest) or find_standing_failure(entries, name),
        successor=successors[-1] if successors else None,
    )


def _is_of(deployment: Deployment, name: str) -> bool:
    concerns_it = deployment.last.event.concerns_deployment or deployment.last.event.concerns_command
    return deployment.last.version == name and concerns_it
