"""Takes a release to the environments of a stage, in waves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from kaizen_tasks.domain.rollout import waves
from kaizen_tasks.errors import KaizenError, RolloutFailed
from kaizen_tasks.flows.runner import Executor, perform, run

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment, Stage
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.ports import Tools

FlowFor = Callable[["Environment"], "Flow"]
Failures = dict[str, KaizenError]


def roll_out(
    stage: Stage,
    flow_for: FlowFor,
    release: Release,
    tools: Tools,
    *,
    again: str,
    execute: Executor = perform,
) -> None:
    """Run a flow for every environment of a stage: the canaries, then wave after wave.

    Args:
        stage: where to.
        flow_for: the flow of one environment.
        release: what.
        tools: the outside world.
        again: the command that continues, for the error.
        execute: `perform`, or `display` for a dry run.

    Raises:
        KaizenError: of the environment itself, when the stage has only one.
        RolloutFailed: when some of several environments failed.
    """
    if len(stage.environments) == 1:
        run(flow_for(stage.environments[0]), release, tools, execute)
        return
    rules, failures, reached = tools.settings.rollout, Failures(), 0
    plan = waves(stage.environments, rules)
    for number, wave in enumerate(plan):
        if number:
            tools.clock.sleep(rules.bake)
        failures |= _wave(wave, flow_for, release, tools, execute)
        reached += len(wave)
        if len(failures) > rules.max_failures:
            break
    if failures:
        raise _summary(stage, failures, reached, again)


def _wave(
    wave: tuple[Environment, ...], flow_for: FlowFor, release: Release, tools: Tools, execute: Executor
) -> Failures:
    def attempt(environment: Environment) -> KaizenError | None:
        try:
            run(flow_for(environment), release, tools, execute)
        except KaizenError as error:
            return error
        return None

    with ThreadPoolExecutor(max_workers=len(wave), thread_name_prefix="rollout") as pool:
        outcomes = zip(wave, pool.map(attempt, wave), strict=True)
        return {environment.name: error for environment, error in outcomes if error is not None}


def _summary(stage: Stage, failures: Failures, reached: int, again: str) -> RolloutFailed:
    names = [environment.name for environment in stage.environments]
    done = [name for name in names[:reached] if name not in failures]
    what = "; ".join(f"{name}: {error.what.removeprefix(f'{name}: ')}" for name, error in failures.items())
    untouched = names[reached:]
    return RolloutFailed(
        f"{stage.name}: {len(failures)} of {len(names)} environments failed. {what}",
        state=f"done: {_list(done)}; failed: {_list(failures)}; untouched: {_list(untouched)}",
        hint=f"{again} continues",
    )


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
