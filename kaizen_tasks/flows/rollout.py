"""Takes a release to the environments of a stage, in waves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.environment import Stage
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.rollout import waves
from kaizen_tasks.errors import KaizenError, RolloutFailed
from kaizen_tasks.flows.recovery import run_or_go_back
from kaizen_tasks.flows.runner import Executor, perform

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.ports import Tools

FlowFor = Callable[["Environment"], "Flow"]
Failures = dict[str, KaizenError]


@frozen(kw_only=True)
class Rollout:
    """One release going to the environments of a stage.

    Attributes:
        stage: where to.
        release: what.
        flow_for: the flow of one environment.
        again: the command that continues, for the error.
        go_back: whether an environment whose app does not prove itself gets its last verified release again.
    """

    stage: Stage
    release: Release
    flow_for: FlowFor
    again: str
    go_back: bool = True


def roll_out(rollout: Rollout, tools: Tools, execute: Executor = perform) -> None:
    """Run the flow of every environment: the canaries, then wave after wave.

    Args:
        rollout: what goes where.
        tools: the outside world.
        execute: `perform`, or `display` for a dry run.

    Raises:
        KaizenError: of the environment itself, when the stage has only one.
        RolloutFailed: when some of several environments failed.
    """
    stage = rollout.stage

    def attempt(environment: Environment) -> None:
        flow = rollout.flow_for(environment)
        run_or_go_back(flow, rollout.release, tools, execute, go_back=rollout.go_back)

    if len(stage.environments) == 1:
        attempt(stage.environments[0])
        return
    rules, failures, reached = tools.settings.rollout, Failures(), 0
    plan = waves(stage.environments, rules)
    for number, wave in enumerate(plan):
        if number:
            tools.clock.sleep(rules.bake)
        failures |= _wave(wave, attempt)
        reached += len(wave)
        if len(failures) > rules.max_failures:
            break
    if failures:
        raise _summary(stage, failures, reached, rollout.again)


def _wave(wave: tuple[Environment, ...], attempt: Callable[[Environment], None]) -> Failures:
    def outcome(environment: Environment) -> KaizenError | None:
        try:
            attempt(environment)
        except KaizenError as error:
            return error
        return None

    with ThreadPoolExecutor(max_workers=len(wave), thread_name_prefix="rollout") as pool:
        outcomes = zip(wave, pool.map(outcome, wave), strict=True)
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
