"""Takes a release to the environments of a stage: first the canaries, then the others in a sliding window."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore

from attrs import define, field, frozen

from kaizen_tasks.config.tables import RolloutRules
from kaizen_tasks.domain.environment import Environment, Stage
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.rollout import Shard, split_canaries
from kaizen_tasks.domain.text.duration import ZERO_SECONDS
from kaizen_tasks.domain.text.listing import MAX_ENVIRONMENTS, counted, list_names
from kaizen_tasks.errors import Cancelled, KaizenError, RolloutFailed, ServiceMissing
from kaizen_tasks.flows.deploy.first_deployment import needs_service
from kaizen_tasks.flows.execution import Change, Execution, HoldPolicy
from kaizen_tasks.flows.ledger import durations, entries
from kaizen_tasks.flows.outcome import Outcome, next_promotion, serving
from kaizen_tasks.flows.readiness import require_ready
from kaizen_tasks.flows.rollback.automatic import run_with_auto_rollback
from kaizen_tasks.flows.step import Flow
from kaizen_tasks.flows.steps import Verify
from kaizen_tasks.ports.tools import Tools

FlowFactory = Callable[[Environment], Flow]
Failures = dict[str, KaizenError]


@frozen(kw_only=True)
class RolloutOptions:
    """What the flags of a rollout ask for.

    Attributes:
        command: the words of the command line that name the task, the environments and a chosen release.
        auto_rollback: whether an environment that fails verification gets its last verified release again.
        skip_held: whether a rollout that leaves out held environments counts as a success.
        shard: which part of the environments; None means all.
        waiver: why no evidence is needed; empty when evidence is needed.
    """

    command: tuple[str, ...]
    auto_rollback: bool = True
    skip_held: bool = False
    shard: Shard | None = None
    waiver: str = ""

    @property
    def resume_command(self) -> str:
        """The command line that continues the rollout."""
        words = (
            *self.command,
            *(("--shard", str(self.shard)) if self.shard else ()),
            *(("--without-evidence", self.waiver) if self.waiver else ()),
            *(("--skip-held",) if self.skip_held else ()),
            *(() if self.auto_rollback else ("--no-rollback",)),
        )
        return shlex.join(("inv", *words))


@frozen(kw_only=True)
class Rollout:
    """One release going to the environments of a stage.

    Attributes:
        stage: the stage, or a shard of one.
        release: the release.
        flow_for: returns the flow of one environment.
        options: what the flags ask for; in a shard, the canaries have already proven the release.
    """

    stage: Stage
    release: Release
    flow_for: FlowFactory
    options: RolloutOptions

    @property
    def has_one_environment(self) -> bool:
        """Whether the rollout is for a single environment, whose own error it raises and which must not be held."""
        return len(self.stage.environments) == 1 and self.options.shard is None

    @property
    def hold_policy(self) -> HoldPolicy:
        """What the rollout does about held environments."""
        return HoldPolicy.REFUSE if self.has_one_environment else HoldPolicy.LEAVE_OUT

    def as_change(self, title: str, tools: Tools) -> Change:
        """Return the change that runs the rollout."""
        return Change(
            title=title,
            environments=self.stage.environments,
            hold_policy=self.hold_policy,
            check_environments=lambda environments: require_ready(
                {environment: self.flow_for(environment) for environment in environments}, self.release, tools
            ),
            run=lambda execution: run_rollout(self, execution),
            verifies=True,
        )


def run_rollout(rollout: Rollout, execution: Execution) -> Outcome:
    """Run the flow of every environment that is not held: of the canaries, then of the others.

    Args:
        rollout: which release goes to which environments.
        execution: how its steps are carried out, and which environments are left out.

    Returns:
        what serves where, and how to promote it further.

    Raises:
        KaizenError: the environment's own error, when the stage has only one.
        RolloutFailed: when some of several environments failed, or were left out because they are held.
    """
    tools, execute = execution.tools, execution.execute

    def run(flow: Flow) -> None:
        run_with_auto_rollback(flow, rollout.release, tools, execute, auto_rollback=rollout.options.auto_rollback)

    def attempt(environment: Environment) -> None:
        run(rollout.flow_for(environment))

    def check_again(canary: Environment) -> None:
        run(tuple(step for step in rollout.flow_for(canary) if isinstance(step, Verify)))

    if rollout.has_one_environment:
        attempt(rollout.stage.environments[0])
        return _outcome(rollout, rollout.stage.environments, tools)
    held_names = _report_held_environments(rollout, execution)
    unheld = tuple(environment for environment in rollout.stage.environments if environment.name not in held_names)
    rules = tools.settings.rollout
    rules = rules._replace(canary=0) if rollout.options.shard else rules
    rules = rules._replace(bake=ZERO_SECONDS) if execution.tools.dry else rules
    unheld = _with_running_canaries(unheld, rules.canary, rollout.release, tools)
    names = [environment.name for environment in unheld]
    with tools.reporter.rollout_table(names, lambda name: durations.median_release_seconds(name, tools)):
        state = _run_waves(unheld, attempt, check_again, rules, tools)
    if state.failures or (held_names and not rollout.options.skip_held):
        raise _rollout_error(rollout, state, held_names)
    return _outcome(rollout, unheld, tools)


def _outcome(rollout: Rollout, environments: tuple[Environment, ...], tools: Tools) -> Outcome:
    """Return what serves where; a flow that does not verify only deploys."""
    if not environments:
        return Outcome(text="every environment is held")
    stage, release = rollout.stage, rollout.release
    if any(isinstance(step, Verify) for step in rollout.flow_for(environments[0])):
        is_whole = len(environments) == len(stage.environments)
        next_step = next_promotion(stage, release, tools.settings) if is_whole else ""
        return Outcome(text=serving(release, environments), next_step=next_step)
    names = list_names([environment.name for environment in environments])
    return Outcome(
        text=f"{release.name} is deployed to {names}",
        next_step=f"next: {shlex.join(('inv', 'verify', *rollout.options.command[1:], '--release', release.name))}",
    )


def _with_running_canaries(
    environments: tuple[Environment, ...], count: int, release: Release, tools: Tools
) -> tuple[Environment, ...]:
    """Return the environments, those without a service after the canaries: they could not prove the release."""
    running = (environment for environment in environments if not needs_service(environment, release, tools))
    canaries = tuple(itertools.islice(running, count if len(environments) > 1 else 0))
    return (*canaries, *(environment for environment in environments if environment not in canaries))


def _report_held_environments(rollout: Rollout, execution: Execution) -> tuple[str, ...]:
    """Report the environments to leave out, and return their names: a promotion must not undo a hotfix unnoticed."""
    tools = execution.tools
    for name, hold in execution.holds.items():
        tools.reporter.note(f"leaving out {name}, {hold}{_missing_commits_note(name, rollout.release, tools)}")
    return tuple(execution.holds)


def _missing_commits_note(name: str, release: Release, tools: Tools) -> str:
    """Return a note if a held environment runs commits that the release lacks by this clone's history, else empty."""
    entry = entries.read_latest_entry(tools.settings.environments[name], tools)
    try:
        if entry is None or tools.scm.is_ancestor(entry.commit, release.commit):
            return ""
    except KaizenError:
        return ""  # a rollout need not run in a clone of the app
    return f"; its {entry.version} has commits that {release.name} lacks"


@define
class _RolloutState:
    """The progress of a rollout.

    Attributes:
        rules: how many canaries, how many environments at a time, how many failures.
        started_names: environments that were started; only the thread that starts them appends names.
        failures: the error of each failed environment, by name; several threads add to it.
    """

    rules: RolloutRules
    started_names: list[str] = field(factory=list)
    failures: Failures = field(factory=dict)

    @property
    def is_stopped(self) -> bool:
        """Whether no further environment is started, because too many have failed."""
        counted = [error for error in self.failures.values() if not isinstance(error, ServiceMissing)]
        return len(counted) > self.rules.max_failures


def _run_waves(
    environments: tuple[Environment, ...],
    attempt: Callable[[Environment], None],
    check_again: Callable[[Environment], None],
    rules: RolloutRules,
    tools: Tools,
) -> _RolloutState:
    """Run the canaries, and the others once the canaries have baked; return how far the rollout got.

    Args:
        environments: the environments in order.
        attempt: brings the release to an environment.
        check_again: checks that a canary still runs the release after the bake: it may have failed, or have been given
            another release meanwhile.
        rules: how many canaries, and how long they bake.
        tools: the ports.
    """
    state = _RolloutState(rules=rules)
    for index, wave in enumerate(waves := split_canaries(environments, rules.canary)):
        if index and rules.bake and not state.is_stopped:
            tools.clock.sleep(rules.bake)
            for canary in waves[0]:
                if canary.name not in state.failures:
                    _run_and_report(canary, check_again, state, tools)
        if state.is_stopped:
            break
        _run_wave(wave, attempt, state, tools)
    return state


def _run_and_report(
    environment: Environment, attempt: Callable[[Environment], None], state: _RolloutState, tools: Tools
) -> None:
    """Call `attempt` for an environment, and report how it ended; add its error to the failures."""
    try:
        attempt(environment)
    except KaizenError as error:
        state.failures[environment.name] = error
        is_cancelled = isinstance(error, Cancelled)
        tools.reporter.environment_finished(environment.name, error.message, interrupted=is_cancelled)
        if error.state and not is_cancelled:
            tools.reporter.note(f"  {environment.name}: {error.state}")
    else:
        tools.reporter.environment_finished(environment.name, "")


def _run_wave(
    wave: tuple[Environment, ...], attempt: Callable[[Environment], None], state: _RolloutState, tools: Tools
) -> None:
    """Run a sliding window: start the next environment when one finishes, until too many have failed."""
    free_slots = Semaphore(0)

    def run_environment(environment: Environment) -> None:
        try:
            _run_and_report(environment, attempt, state, tools)
        finally:
            free_slots.release()

    with ThreadPoolExecutor(max_workers=state.rules.parallel, thread_name_prefix="rollout") as pool:
        try:
            started = _throttle(wave, state, free_slots)
            for future in [pool.submit(run_environment, environment) for environment in started]:
                future.result()
        except KeyboardInterrupt:
            tools.clock.cancel_waits()
            tools.reporter.note("interrupted: not starting further environments and no longer waiting for running ones")
            raise


def _throttle(wave: tuple[Environment, ...], state: _RolloutState, free_slots: Semaphore) -> Iterator[Environment]:
    """Yield each environment when the window has room for it, until the rollout is stopped."""
    for index, environment in enumerate(wave):
        if index >= state.rules.parallel:
            free_slots.acquire()
            if state.is_stopped:
                return
        state.started_names.append(environment.name)
        yield environment


def _rollout_error(rollout: Rollout, state: _RolloutState, held_names: tuple[str, ...]) -> RolloutFailed:
    started_names = state.started_names
    failures = {name: state.failures[name] for name in started_names if name in state.failures}
    names = [environment.name for environment in rollout.stage.environments]
    groups = {
        "done": [name for name in started_names if name not in failures],
        "failed": list(failures),
        "held": list(held_names),
        "untouched": [name for name in names if name not in started_names and name not in held_names],
    }
    reasons = _reasons(failures)
    missing_count = len(names) - len(groups["done"])
    noun, verb = "environment" if len(names) == 1 else "environments", "does" if missing_count == 1 else "do"
    message = f"{rollout.stage.name}: {missing_count} of {len(names)} {noun} {verb} not have {rollout.release.name}"
    needs_services = failures and all(isinstance(error, ServiceMissing) for error in failures.values())
    failure_hint = (
        next(iter(failures.values())).hint if needs_services else f"continue: {rollout.options.resume_command}"
    )
    held_flags = " ".join(f"--env {name}" for name in held_names)
    held_hint = f"add --skip-held to accept that, or remove the holds: inv hold.remove {held_flags}"
    return RolloutFailed(
        f"{message}. {reasons}" if reasons else message,
        state="; ".join(
            f"{group}: {list_names(members, limit=MAX_ENVIRONMENTS)}" for group, members in groups.items() if members
        ),
        hint=failure_hint if failures else held_hint,
    )


def _reasons(failures: Failures) -> str:
    """Return why environments failed: each reason once, and which others failed for it too."""
    names_by_reason: dict[str, list[str]] = {}
    for name, error in failures.items():
        names_by_reason.setdefault(error.message.removeprefix(f"{name}: ").replace(name, "\0"), []).append(name)
    texts = [
        f"{first}: {reason.replace(chr(0), first)}"
        + (f"; likewise {list_names(others, limit=MAX_ENVIRONMENTS)}" if others else "")
        for reason, (first, *others) in names_by_reason.items()
    ]
    hidden = f"; and {counted(len(texts) - MAX_ENVIRONMENTS, 'other reason')}" if len(texts) > MAX_ENVIRONMENTS else ""
    return "; ".join(texts[:MAX_ENVIRONMENTS]) + hidden
