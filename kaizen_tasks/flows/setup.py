"""What is ours in the account: the ledger's table, the rules for tags, and blob mounting.

These are steps like any others, so that they look before they act and after; they carry no release along.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar

from attrs import frozen
from semver import Version

from kaizen_tasks.domain.decision import Act, Decision, Done
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.errors import KaizenError, Refused
from kaizen_tasks.flows.runner import Executor, perform, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.flows.step import Flow, Step
    from kaizen_tasks.ports.tools import Tools

NOTHING = Release(version=Version(0))
"""Stands where a flow expects a release."""

AT_ONCE = 32


@frozen(kw_only=True)
class Ledger:
    """The table that records every release."""

    label: ClassVar[Label] = Label("ledger")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look whether it is there, and recoverable."""
        table = tools.account.table()
        if not table.exists:
            return Act(f"create the table {table.name}, on demand, with point-in-time recovery", release)
        if not table.recoverable:
            return Act(f"turn on point-in-time recovery of the table {table.name}", release)
        return Done(f"the table {table.name} exists, with point-in-time recovery", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Create it."""
        tools.account.create_table()
        return release


@frozen(kw_only=True)
class Mounting:
    """Layers that a promotion need not send again; a setting of the whole account and region."""

    label: ClassVar[Label] = Label("mounting")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look whether it is enabled."""
        if tools.account.mounts_blobs():
            return Done("repositories of the account share layers", release)
        return Act("let all repositories of the account share layers (BLOB_MOUNTING)", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Enable it."""
        tools.account.mount_blobs()
        return release


@frozen(kw_only=True)
class Tags:
    """Tags of versions that never move, and `latest`, which does.

    Attributes:
        environment: whose repository.
    """

    environment: Environment

    @property
    def label(self) -> Label:
        """Its name."""
        return Label("tags", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look at the repository's rules."""
        repository = self.environment.repository
        rules = tools.account.tag_rules(repository)
        if rules == rules.corrected():
            return Done(f"tags of {repository} are {rules}", release)
        return Act(f"make the {rules} tags of {repository} {rules.corrected()}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Change the rules; what else may move in the repository still may, as far as it was said explicitly."""
        repository = self.environment.repository
        tools.account.set_tag_rules(repository, tools.account.tag_rules(repository).corrected())
        return release


def steps(settings: Settings) -> Flow:
    """Return everything that is set up; repositories and services themselves are not ours."""
    return (Ledger(), Mounting(), *(Tags(environment=each) for each in settings.environments.values()))


def missing(flow: Flow, tools: Tools) -> tuple[tuple[Step, str], ...]:
    """Return the steps that have something to do, each with what that is.

    Raises:
        Refused: something cannot be looked at; with everything that cannot.
    """
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="setup") as pool:
        seen = tuple(pool.map(lambda step: _decided(step, tools), flow))
    errors = [each for each in seen if isinstance(each, KaizenError)]
    if errors:
        raise _refusal(errors)
    return tuple((step, each.what) for step, each in zip(flow, seen, strict=True) if isinstance(each, Act))


def _decided(step: Step, tools: Tools) -> Decision | KaizenError:
    try:
        return step.decide(NOTHING, tools)
    except KaizenError as error:
        return error


def _refusal(errors: Sequence[KaizenError]) -> Refused:
    what = "; ".join(dict.fromkeys(error.what for error in errors))
    return Refused(what, state="nothing has been changed", hint=errors[0].hint)


def make(flow: Flow, tools: Tools, execute: Executor = perform) -> None:
    """Do what is missing, step by step."""
    run(flow, NOTHING, tools, execute)
