"""Keeps rollbacks from going behind a command that cannot be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import ledger_commands
from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.flows.ledger.entries import HISTORY_LIMIT
from kaizen_tasks.flows.ledger.verifications import age_and_actor

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.ledger import LedgerEntry
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


def find_obstacle(environment: Environment, digest: str, tools: Tools) -> LedgerEntry | None:
    """Return the entry of the irreversible command that a return to a release would go behind, or None."""
    return ledger_commands.irreversible_since(tools.ledger.entries(environment.name, limit=HISTORY_LIMIT), digest)


def find_newer_obstacle(environment: Environment, release: Release, tools: Tools) -> LedgerEntry | None:
    """Return the irreversible command of a later release that deploying a release would go behind, or None."""
    obstacle = find_obstacle(environment, release.digest, tools)
    return obstacle if obstacle and versions.parse_version(obstacle.version) > release.version else None


def describe_obstacle(obstacle: LedgerEntry, tools: Tools) -> str:
    """Return in words which command cannot be undone: `migrate of v1.3.0, which is irreversible and ran 2h ago`."""
    verb = "ran" if obstacle.event is Event.COMMAND_SUCCEEDED else "was started"
    when = age_and_actor(obstacle, tools)
    return f"{obstacle.command} of {obstacle.version}, which is irreversible and {verb} {when}"


def override_command(environment: str, version: str) -> str:
    """Return the command that goes back to a release all the same."""
    return f'inv rollback --env {environment} --release {version} --despite-irreversible "reason"'
