"""Finds out whether a release that was verified in an environment still counts as verified there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import ledger
from kaizen_tasks.domain.decision import Refuse
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import ENVIRONMENT_TRAILER
from kaizen_tasks.domain.text import duration
from kaizen_tasks.flows.ledger.entries import HISTORY_LIMIT

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.ledger import LedgerEntry, Verification
    from kaizen_tasks.ports.tools import Tools


def find_verification(
    environment: Environment, tools: Tools, *, digest: str = "", name: str = ""
) -> Verification | None:
    """Return the newest verification of a release in an environment, withdrawn or not, else its failure, or None.

    Args:
        environment: where.
        tools: the ports.
        digest: digest of the release's image.
        name: the release's name, for a release whose digest is unknown; empty means any verified release.
    """
    entries = tools.ledger.entries(environment.name, limit=HISTORY_LIMIT)
    for verification in ledger.verifications(entries):
        if verification.entry.digest == digest if digest else name in {"", verification.entry.version}:
            return verification
    if digest:
        return ledger.find_failure(entries, digest=digest)
    return ledger.find_failure(entries, name=name) if name else None


def refuse_withdrawn(verification: Verification, environment: Environment, tools: Tools) -> Refuse:
    """Return the refusal of a release that failed or was rolled back since its verification: who, when, why."""
    name = verification.entry.version
    anyway = f'to go ahead all the same, add --release {name} --without-evidence "reason"; else '
    entries = tools.ledger.entries(environment.name, limit=HISTORY_LIMIT)
    current = ledger.serving_entry(entries)
    if verification.withdrawal and verification.withdrawal.event is Event.WITHDRAWN:
        remedy = "promote a release that is verified there"
    elif current is not None and current.digest == verification.entry.digest:
        remedy = f"verify it there again: inv verify --env {environment.name} --release {name}"
    else:
        remedy = "release a fix, or promote a release that is verified there"
    return Refuse(reasons=(describe_withdrawal(verification, environment, tools),), hint=f"{anyway}{remedy}")


def describe_withdrawal(verification: Verification, environment: Environment, tools: Tools) -> str:
    """Return in words who took back the verification of a release, when and why."""
    withdrawal = verification.withdrawal or verification.entry
    reason = withdrawal.reason.removeprefix(f"{environment.name}: ") or "no reason was recorded"
    what = f"{verification.entry.version} {verification.withdrawal_verb} in {environment.name}"
    return f"{what} {age_and_actor(withdrawal, tools)}: {reason}"


def age_and_actor(entry: LedgerEntry, tools: Tools) -> str:
    """Return how long ago an entry was written, and by whom."""
    return f"{duration.format_duration(entry_age(entry, tools))} ago by {entry.actor}"


def entry_age(entry: LedgerEntry, tools: Tools) -> float:
    """Return the seconds since an entry was written; zero if the clock of its machine was ahead of this one's."""
    return max(0.0, (tools.clock.now() - entry.at).total_seconds())


def fix_hint(commit: str, tools: Tools) -> str:
    """Return the command that releases a fix of a release which failed: of a hotfix, that of its environment."""
    environment = tools.scm.commit_trailer(commit, ENVIRONMENT_TRAILER) if tools.scm.resolve(commit) else ""
    task = f"hotfix --env {environment}" if environment else f"release-{tools.settings.first_stage.name}"
    return f"after a fix that is noted and committed: inv {task}"
