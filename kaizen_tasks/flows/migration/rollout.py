"""Does something for several environments: first for the canaries, then for the others, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kaizen_tasks.domain.rollout import split_canaries
from kaizen_tasks.errors import Cancelled, KaizenError, RolloutFailed
from kaizen_tasks.flows.parallel import for_each_parallel

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports.tools import Tools


def run_canary_first(
    environments: Sequence[Environment],
    run: Callable[[Environment], None],
    tools: Tools,
    *,
    goal: str,
    command_line: str,
) -> None:
    """Call `run` for the canaries, and for the others if all of these succeeded.

    Args:
        environments: the environments, in order.
        run: does it for one of them; called from several threads.
        tools: the ports.
        goal: what the failed ones have not: `a service on ECS Express Mode`.
        command_line: what to type to go on.

    Raises:
        RolloutFailed: it failed for some of several environments.
        KaizenError: what `run` raised for the only one.
    """
    if len(environments) == 1:
        run(environments[0])
        return
    failures: dict[str, KaizenError] = {}
    done: list[str] = []

    def attempt(environment: Environment) -> None:
        try:
            run(environment)
        except KaizenError as error:
            failures[environment.name] = error
            is_cancelled = isinstance(error, Cancelled)
            tools.reporter.environment_finished(environment.name, error.message, interrupted=is_cancelled)
        else:
            done.append(environment.name)
            tools.reporter.environment_finished(environment.name, "")

    names, rules = [environment.name for environment in environments], tools.settings.rollout
    with tools.reporter.rollout_table(names, lambda _: None):
        for wave in split_canaries(environments, rules.canary):
            if not failures:
                for_each_parallel(attempt, wave, max_workers=rules.parallel)
    if failures:
        raise _rollout_error(names, done, failures, goal=goal, command_line=command_line)


def _rollout_error(
    names: Sequence[str], done: Sequence[str], failures: dict[str, KaizenError], *, goal: str, command_line: str
) -> RolloutFailed:
    untouched = [name for name in names if name not in done and name not in failures]
    groups = {"done": [name for name in names if name in done], "failed": list(failures), "untouched": untouched}
    reasons = "; ".join(f"{name}: {error.message.removeprefix(f'{name}: ')}" for name, error in failures.items())
    count = len(names) - len(done)
    return RolloutFailed(
        f"{count} of {len(names)} environments {'does' if count == 1 else 'do'} not have {goal}. {reasons}",
        state="; ".join(f"{group}: {', '.join(members)}" for group, members in groups.items() if members),
        hint=f"continue: {command_line}",
    )
