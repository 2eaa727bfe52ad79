"""Plans `inv command.resolve`: a person says how a command ended whose task was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.command import CommandState
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.execution import Change, Execution, HoldPolicy
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.ledger.verifications import age_and_actor
from kaizen_tasks.flows.outcome import Outcome

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.ledger import LedgerEntry
    from kaizen_tasks.ports.tools import Tools

OUTCOMES = {"succeeded": Event.COMMAND_SUCCEEDED, "failed": Event.COMMAND_FAILED}
"""What a command can be said to have done: it is not run again in its release, or it is."""


def plan_resolution(
    environment: Environment, name: str, outcome: str, *, reason: str, release_name: str, tools: Tools
) -> Change:
    """Return the change that records how the last attempt of a command ended.

    Args:
        environment: where it was started.
        name: the command's name.
        outcome: one of `OUTCOMES`.
        reason: why, for the ledger.
        release_name: the release that it was started for; empty for the last one.
        tools: the ports.

    Raises:
        Refused: it was never started, or its task still exists.
    """
    attempt = _last_attempt(environment, name, release_name, tools)
    event = OUTCOMES[outcome]

    def run(execution: Execution) -> Outcome:
        if not execution.tools.dry:
            entry = evolve(attempt, event=event, at=tools.clock.now(), actor=tools.actor, run_url=tools.run_url)
            ledger.write(evolve(entry, reason=reason, number=0), execution.tools)
        effect = "does not run again" if event is Event.COMMAND_SUCCEEDED else "runs again with the next deployment"
        return Outcome(text=f"{name} of {attempt.version} has {outcome} in {environment.name}, so it {effect}")

    return Change(
        title=f"record that {name} of {attempt.version} has {outcome} in {environment.name}",
        environments=(environment,),
        hold_policy=HoldPolicy.IGNORE,
        preflight=lambda: _require_gone(environment, attempt, tools),
        run=run,
    )


def _last_attempt(environment: Environment, name: str, release_name: str, tools: Tools) -> LedgerEntry:
    history = tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)
    attempts = [entry for entry in history if entry.event.concerns_command and entry.event is not Event.RAN]
    named = [item for item in attempts if item.command == name and release_name in {"", item.version}]
    if named:
        return named[0]
    names = ", ".join(dict.fromkeys(item.command for item in attempts))
    of_release = f" of {release_name}" if release_name else ""
    raise Refused(
        f"{environment.name}: the command {name}{of_release} was never started there",
        state=NOTHING_CHANGED,
        hint=f"commands that were: {names}" if names else f"see its ledger: inv history --env {environment.name}",
    )


def _require_gone(environment: Environment, attempt: LedgerEntry, tools: Tools) -> None:
    """Refuse while the platform itself knows how the command ends."""
    if attempt.event is not Event.COMMAND_STARTED or not attempt.operation:
        return
    status = tools.at(environment).commands.status(environment, attempt.operation)
    if status.state is not CommandState.GONE:
        how = "it has ended" if status.state is CommandState.ENDED else f"it is {status.state}"
        raise Refused(
            f"{environment.name}: the task of {attempt.command} is not lost, {how}: {attempt.operation}, started "
            f"{age_and_actor(attempt, tools)}",
            state=NOTHING_CHANGED,
            hint="run the release again: it follows the task, and records how it ends",
        )
