"""Runs a command that changes environments: announce, preflight, holds, evidence, checks, confirm, lock, run.

Everything before the lock only reads, so a refusal there truthfully says that nothing has been changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Protocol

from attrs import evolve, field, frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.text.listing import MAX_ENVIRONMENTS, list_names
from kaizen_tasks.errors import NOTHING_CHANGED, Cancelled, Interrupted, KaizenError, Locked, NotFound, Refused
from kaizen_tasks.flows.accounts import describe_accounts, require_accounts
from kaizen_tasks.flows.deploy.image import find_image_to_run
from kaizen_tasks.flows.deploy.request_headers import require_headers
from kaizen_tasks.flows.locking.guard import LockGuard
from kaizen_tasks.flows.locking.mutations import MutationLog
from kaizen_tasks.flows.locking.session import acquire_locks
from kaizen_tasks.flows.notification.session import sending_messages
from kaizen_tasks.flows.outcome import Outcome
from kaizen_tasks.flows.runner import Executor, dry_run_step, guarded_executor, logging_executor
from kaizen_tasks.ports.run_report import RunReport
from kaizen_tasks.ports.tools import CommandTools, Tools

HOLD_CACHE_SECONDS = 2.0
"""Seconds for which a read of the holds is trusted: one may be added while the run waits for an answer or a lock."""


class Confirm(Protocol):
    """Asks the user to confirm a change."""

    def __call__(self, environments: Sequence[Environment], question: str, /) -> None:
        """Return when the user agrees.

        Args:
            environments: the environments that will be changed; some may be protected.
            question: a further question to confirm, or empty.

        Raises:
            Refused: the user does not agree, or nobody can be asked.
        """
        ...


class HoldPolicy(Enum):
    """What a command does about held environments."""

    REFUSE = "refuse the command, whichever of its environments is held"
    LEAVE_OUT = "change the other environments"
    IGNORE = "change held environments too"


@frozen(kw_only=True)
class Change:
    """A command that changes environments, before it is run.

    Attributes:
        title: what the command does, verb first, for the heading: `promote v1.2.3 to prod`.
        environments: the environments that the command is for.
        run: makes the change, after all checks and with the locks; returns what to say at the end, if anything.
        hold_policy: what to do about held environments.
        preflight: raises when the command is bound to be refused.
        check_evidence: raises when one of the environments that will be changed does not accept the release.
        check_environments: raises when one of those environments cannot take a deployment.
        evidence_environments: further environments whose ledger is read while the locks are held.
        question: a question to confirm even if no environment is protected; empty for none.
        asks: whether to ask `question`, and for a confirmation of changes to protected environments.
        locks: whether the environments are locked.
        verifies: whether the apps are asked for their version, with headers whose values are read before the change.
    """

    title: str
    environments: tuple[Environment, ...]
    run: Callable[[Execution], Outcome | None]
    hold_policy: HoldPolicy = HoldPolicy.REFUSE
    preflight: Callable[[], None] = lambda: None
    check_evidence: Callable[[tuple[Environment, ...]], None] = lambda _: None
    check_environments: Callable[[tuple[Environment, ...]], None] = lambda _: None
    evidence_environments: tuple[Environment, ...] = ()
    question: str = ""
    asks: bool = True
    locks: bool = True
    verifies: bool = False


@frozen(kw_only=True)
class Execution:
    """How a command carries out its steps.

    Attributes:
        tools: the ports.
        guard: the locks; None in a dry run and where nothing is locked.
        holds: the holds of the environments to leave out, by environment.
        mutations: what the command has changed so far.
    """

    tools: CommandTools
    guard: LockGuard | None = None
    holds: Mapping[str, Hold] = field(factory=dict)
    mutations: MutationLog = field(factory=MutationLog)

    @property
    def execute(self) -> Executor:
        """The executor of steps: in a dry run it changes nothing; with a guard, it acts only while locks are held."""
        if self.tools.dry:
            return dry_run_step
        if self.guard is None:
            return logging_executor(self.mutations)
        return guarded_executor(evolve(self.guard, mutations=self.mutations))

    def run_one_by_one(
        self, environments: Sequence[Environment], run: Callable[[Environment, Execution], None]
    ) -> None:
        """Call `run` for one environment after the other, until one fails; many are shown as a rollout is.

        Args:
            environments: the environments, in order.
            run: changes one environment; gets an execution that logs the mutations of that environment alone.

        Raises:
            Interrupted: in place of a refusal, once an environment has been changed.
            KaizenError: any other error of `run`.
        """
        reporter = self.tools.reporter
        if len(environments) <= MAX_ENVIRONMENTS:
            self._run_each(environments, run)
            return

        def run_and_report(environment: Environment, execution: Execution) -> None:
            try:
                run(environment, execution)
            except KaizenError as error:
                is_cancelled = isinstance(error, Cancelled)
                reporter.environment_finished(environment.name, error.message, interrupted=is_cancelled)
                raise
            reporter.environment_finished(environment.name, "")

        with reporter.rollout_table([environment.name for environment in environments], lambda _: None):
            self._run_each(environments, run_and_report)

    def _run_each(self, environments: Sequence[Environment], run: Callable[[Environment, Execution], None]) -> None:
        changed: list[str] = []
        for index, environment in enumerate(environments):
            execution = evolve(self, mutations=MutationLog())
            try:
                with execution.mutations.reclassify_errors():
                    run(environment, execution)
            except (KeyboardInterrupt, OSError) as error:
                if changed:
                    error.add_note(f"done: {list_names(changed, limit=MAX_ENVIRONMENTS)}")
                raise
            except KaizenError as error:
                progress = _progress_text(environments, index)
                if changed and isinstance(error, Refused):
                    raise Interrupted(_name_environment(error, environment), state=progress, hint=error.hint) from error
                if len(environments) > 1:
                    self.tools.reporter.note(progress)
                raise
            if not execution.mutations.is_empty:
                changed.append(environment.name)


def _name_environment(error: KaizenError, environment: Environment) -> str:
    return error.message if environment.name in error.message else f"{environment.name}: {error.message}"


def _progress_text(environments: Sequence[Environment], failed_index: int) -> str:
    names = [environment.name for environment in environments]
    groups = {"done": names[:failed_index], "failed": [names[failed_index]], "untouched": names[failed_index + 1 :]}
    return "; ".join(
        f"{group}: {list_names(members, limit=MAX_ENVIRONMENTS)}" for group, members in groups.items() if members
    )


def announce(title: str, tools: Tools, environments: Iterable[Environment] = ()) -> None:
    """Print app, title, account and region as a heading, and the places of environments that are elsewhere.

    Raises:
        Denied: the credentials are of another account than configured.
    """
    account, region = tools.identity.account_id(), tools.settings.aws.region
    places_elsewhere = describe_accounts(environments, tools)
    tools.reporter.heading(f"{tools.settings.app}: {title}   (account {account}, {region})")
    for place in places_elsewhere:
        tools.reporter.note(f"  {place}")


def join_names(environments: Iterable[Environment]) -> str:
    """Return the names of environments for a heading; of many, the first ones and the number of the others."""
    return list_names([environment.name for environment in environments], limit=MAX_ENVIRONMENTS)


def execute_change(change: Change, tools: CommandTools, *, confirm: Confirm, command: str, wait: float = 0) -> None:
    """Run a change: announce, preflight, check holds, evidence and environments, confirm, lock, run.

    Args:
        change: what to do.
        tools: the ports.
        confirm: asks the user.
        command: the command line, shown to other runs that wait for the locks.
        wait: seconds to wait for other runs that hold a lock.

    Raises:
        Refused: a check refuses or the user does not agree; nothing has been changed.
        Locked: an environment is held, or another run has locked it; nothing has been changed.
        Interrupted: in place of a refusal, once something has been changed.
        KaizenError: what the change itself raises.
    """
    mutations = MutationLog()
    with mutations.note_in_interruptions():
        require_accounts((*change.environments, *change.evidence_environments), tools)
        announce(change.title, tools, change.environments)
        with sending_messages(tools, change.environments):
            _execute_change(change, tools, mutations, confirm=confirm, command=command, wait=wait)


def _execute_change(
    change: Change, tools: CommandTools, mutations: MutationLog, *, confirm: Confirm, command: str, wait: float
) -> None:
    change.preflight()
    if change.verifies:
        require_headers(change.environments, tools)
    holds, read_at = _read_holds(change, tools), tools.clock.monotonic()
    environments = tuple(environment for environment in change.environments if environment.name not in holds)
    if environments:
        change.check_evidence(environments)
        change.check_environments(environments)
        if change.asks:
            confirm(environments, change.question)
    started_at = tools.clock.monotonic()
    report, outcome = tools.run_report, None  # made before the threads of a rollout use it
    try:
        with _locked(change, environments, tools, command=command, wait=wait) as guard:
            has_waited = tools.clock.monotonic() - read_at >= HOLD_CACHE_SECONDS
            tools.scm.invalidate_cache(remote=has_waited)  # another run may have released while this one waited
            if has_waited:
                holds = {**holds, **_read_holds(change, tools)}
            execution = Execution(tools=tools, guard=guard, holds=holds, mutations=mutations)
            with execution.mutations.reclassify_errors():
                outcome = change.run(execution)
    except BaseException as error:
        _finish_report(change, None, holds, tools)
        _note_job_page(error, report)
        raise
    _finish_report(change, outcome, holds, tools)
    if change.verifies and environments and not tools.dry:
        _note_stand_in(environments[0], tools)
    if outcome is not None and not tools.dry:
        tools.reporter.summary(outcome.text, outcome.next_step, tools.clock.monotonic() - started_at)


def _finish_report(change: Change, outcome: Outcome | None, holds: Mapping[str, Hold], tools: Tools) -> None:
    """Show how a change has ended on the pages that people review, and note what could not be shown there."""
    problems = tools.run_report.finish(
        change.title,
        text=outcome.text if outcome else "",
        next_step=outcome.next_step if outcome else "",
        environments=[environment.name for environment in change.environments],
        holds={name: str(hold) for name, hold in holds.items()},
    )
    for problem in problems:
        tools.reporter.note(f"note: {problem}")


def _note_job_page(error: BaseException, report: RunReport) -> None:
    """Let the error know whether the job's page has a section that it belongs to."""
    if isinstance(error, KaizenError):
        error.is_on_job_page = report.has_failure


def _note_stand_in(environment: Environment, tools: Tools) -> None:
    """Say that the image which an environment follows only answers; no registry but a local cloud's has such images."""
    if not tools.at(environment).registry.credentials().is_local:
        return
    try:
        image = find_image_to_run(environment, tools)
    except NotFound:
        return
    if image is not None and image.is_stand_in:
        tools.reporter.note("the image is a stand-in, which only answers: nothing about the app itself is proven")


def _read_holds(change: Change, tools: Tools) -> Mapping[str, Hold]:
    """Return the holds of the environments to leave out; raise `Locked` if there are any and the policy refuses."""
    if change.hold_policy is HoldPolicy.IGNORE:
        return {}
    names = [environment.name for environment in change.environments]
    holds_by_name = tools.holds.get_many(names)
    holds = {name: holds_by_name[name] for name in names if name in holds_by_name}
    if holds and change.hold_policy is HoldPolicy.REFUSE:
        env_flags = " ".join(f"--env {name}" for name in holds)
        message = "; ".join(f"{name} is {hold}" for name, hold in holds.items())
        hint = f"when that no longer applies: inv hold.remove {env_flags}"
        raise Locked(message, state=NOTHING_CHANGED, hint=hint)
    return holds


@contextmanager
def _locked(
    change: Change, environments: tuple[Environment, ...], tools: CommandTools, *, command: str, wait: float
) -> Iterator[LockGuard | None]:
    """Keep environments locked while the context lasts; yield None when nothing is locked, as in a dry run."""
    if tools.dry or not change.locks:
        yield None
        return
    cached_names = [environment.name for environment in (*change.environments, *change.evidence_environments)]
    locks = acquire_locks([environment.name for environment in environments], tools, command=command, wait=wait)
    with locks as guard, tools.caching_ledger(cached_names):
        yield guard
