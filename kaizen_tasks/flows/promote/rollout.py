"""Takes a release to the environments of a stage: to the canaries, then to the others, so many at a time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from kaizen_tasks.domain.environment import Stage
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.rollout import RolloutRules, waves
from kaizen_tasks.errors import KaizenError, RolloutFailed
from kaizen_tasks.flows.ledger import durations, entries
from kaizen_tasks.flows.locking.session import heed
from kaizen_tasks.flows.rollback.automatic import run_or_go_back
from kaizen_tasks.flows.runner import Executor, perform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.ports.tools import Tools

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
        skip_held: whether leaving out held environments is success.
        heed_holds: whether holds matter at all: looking at an environment does not change it.
        sharded: whether this is a shard of a stage, whose canaries have proven the release before.
    """

    stage: Stage
    release: Release
    flow_for: FlowFor
    again: str
    go_back: bool = True
    skip_held: bool = False
    heed_holds: bool = True
    sharded: bool = False


def roll_out(rollout: Rollout, tools: Tools, execute: Executor = perform) -> None:
    """Run the flow of every environment: of the canaries, then of the others.

    Args:
        rollout: what goes where.
        tools: the outside world.
        execute: `perform`, or `display` for a dry run.

    Raises:
        Locked: the only environment is held.
        KaizenError: of the environment itself, when the stage has only one.
        RolloutFailed: when some of several environments failed, or were left out because they are held.
    """
    stage = rollout.stage

    def attempt(environment: Environment) -> None:
        flow = rollout.flow_for(environment)
        run_or_go_back(flow, rollout.release, tools, execute, go_back=rollout.go_back)

    if len(stage.environments) == 1 and not rollout.sharded:
        if rollout.heed_holds:
            heed(stage.environments[0].name, tools)
        attempt(stage.environments[0])
        return
    held = _held(rollout, tools) if rollout.heed_holds else ()
    free = tuple(environment for environment in stage.environments if environment.name not in held)
    rules = tools.settings.rollout
    rules = evolve(rules, canary=0) if rollout.sharded else rules
    with tools.reporter.side_by_side([each.name for each in free], lambda name: durations.seconds(name, tools)):
        course = _in_waves(free, attempt, rules, tools)
    if course.failures or (held and not rollout.skip_held):
        raise _summary(rollout, course, held)


def _held(rollout: Rollout, tools: Tools) -> tuple[str, ...]:
    """Return the environments to leave out, and say why; a promotion must not undo a tenant's hotfix unnoticed."""
    names = [environment.name for environment in rollout.stage.environments]
    holds = tools.holds.all_of(names)
    held = tuple(name for name in names if name in holds)
    for name in held:
        tools.reporter.note(f"leaving out {name}, {holds[name]}{_lacking(name, rollout.release, tools)}")
    return held


def _lacking(name: str, release: Release, tools: Tools) -> str:
    """Say when what runs in a held environment is not part of the release, as far as this checkout can tell."""
    entry = entries.newest(tools.settings.environments[name], tools)
    try:
        if entry is None or tools.scm.is_ancestor(entry.commit, release.commit):
            return ""
    except KaizenError:
        return ""  # not every rollout starts from a clone of the app
    return f"; its {entry.version} has commits that {release.name} lacks"


@define
class _Course:
    """How a rollout goes.

    Attributes:
        rules: how careful it is.
        reached: environments that were begun; only the thread that begins them touches it.
        failures: by environment; safe for several threads.
    """

    rules: RolloutRules
    reached: list[str] = field(factory=list)
    failures: Failures = field(factory=dict)

    @property
    def stopped(self) -> bool:
        """Whether nothing more is begun."""
        return len(self.failures) > self.rules.max_failures


def _in_waves(
    environments: tuple[Environment, ...], attempt: Callable[[Environment], None], rules: RolloutRules, tools: Tools
) -> _Course:
    """Attempt the canaries, let them bake, and attempt the others."""
    course = _Course(rules=rules)
    for number, wave in enumerate(waves(environments, rules)):
        if course.stopped:
            break
        if number:
            tools.clock.sleep(rules.bake)
        _side_by_side(wave, attempt, course, tools)
    return course


def _side_by_side(
    wave: tuple[Environment, ...], attempt: Callable[[Environment], None], course: _Course, tools: Tools
) -> None:
    """Attempt so many at a time; each one that ends lets the next begin, unless too many have failed."""
    ended = Semaphore(0)

    def take(environment: Environment) -> None:
        try:
            attempt(environment)
        except KaizenError as error:
            course.failures[environment.name] = error
            tools.reporter.ended(environment.name, error.what)
        else:
            tools.reporter.ended(environment.name, "")
        finally:
            ended.release()

    with ThreadPoolExecutor(max_workers=course.rules.parallel, thread_name_prefix="rollout") as pool:
        try:
            for future in [pool.submit(take, environment) for environment in _due(wave, course, ended)]:
                future.result()
        except KeyboardInterrupt:
            tools.clock.interrupt()
            tools.reporter.note("interrupted: no other environment is begun, and nothing is waited for any more")
            raise


def _due(wave: tuple[Environment, ...], course: _Course, ended: Semaphore) -> Iterator[Environment]:
    """Yield each environment when there is room for it, until the rollout is stopped."""
    for number, environment in enumerate(wave):
        if number >= course.rules.parallel:
            ended.acquire()
            if course.stopped:
                return
        course.reached.append(environment.name)
        yield environment


def _summary(rollout: Rollout, course: _Course, held: tuple[str, ...]) -> RolloutFailed:
    reached, failures = course.reached, course.failures
    names = [environment.name for environment in rollout.stage.environments]
    groups = {
        "done": [name for name in reached if name not in failures],
        "failed": list(failures),
        "held": list(held),
        "untouched": [name for name in names if name not in reached and name not in held],
    }
    why = "; ".join(f"{name}: {error.what.removeprefix(f'{name}: ')}" for name, error in failures.items())
    short = len(names) - len(groups["done"])
    lack = f"{'environment' if len(names) == 1 else 'environments'} {'does' if short == 1 else 'do'} not have"
    what = f"{rollout.stage.name}: {short} of {len(names)} {lack} {rollout.release.name}"
    only_held = "--skip-held makes that a success; inv hold.remove ends a hold"
    return RolloutFailed(
        f"{what}. {why}" if why else what,
        state="; ".join(f"{group}: {', '.join(members)}" for group, members in groups.items() if members),
        hint=f"{rollout.again} continues" if failures else only_held,
    )
