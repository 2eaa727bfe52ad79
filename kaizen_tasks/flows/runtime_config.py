"""Changes an environment's runtime configuration, and lets the running app prove itself with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain import ledger as words
from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.runtime_config import Seen
from kaizen_tasks.errors import DeployFailed, KaizenError, Refused, RollbackFailed, VerifyFailed
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.runner import Executor, perform, run
from kaizen_tasks.flows.steps.runtime import Restore, read

if TYPE_CHECKING:
    from kaizen_tasks.flows.step import Step
    from kaizen_tasks.ports.tools import Tools


StepFor = Callable[[Environment], "Step"]


def look(environment: Environment, tools: Tools) -> Seen:
    """Read an environment's runtime configuration, and the one before.

    Raises:
        NotFound: there is no such secret.
        Refused: it is not a document that these tasks understand.
    """
    stored, previous = tools.secrets.current(environment.secret), tools.secrets.previous(environment.secret)
    return Seen(
        environment=environment,
        version=stored.version,
        written=stored.created,
        configuration=read(stored, environment),
        before=read(previous, environment) if previous else None,
    )


def serving(environment: Environment, tools: Tools) -> Release:
    """Return the release that is serving, which a deployment for the sake of the configuration must not replace.

    Raises:
        Refused: it is not known, or another one is being deployed.
    """
    entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY)
    newest, served = words.newest(entries), words.serving(entries)
    if newest is not None and newest.event is Event.STARTED and not newest.configuration:
        raise Refused(
            f"{environment.name}: the deployment of {newest.version} that {newest.actor} began has not ended",
            state="nothing has been changed",
            hint=f"finish it first: inv deploy --env {environment.name} --release {newest.version}",
        )
    if served is None:
        raise Refused(
            f"{environment.name}: the ledger does not know which release is serving there",
            state="nothing has been changed",
            hint=f"release or deploy to it once: inv deploy --env {environment.name}",
        )
    return Release(version=versions.parse(served.version), commit=served.commit, digest=served.digest)


def change(
    step: Step, environment: Environment, tools: Tools, execute: Executor = perform, *, deploy: bool, go_back: bool
) -> None:
    """Change the configuration, then deploy the same release and let the app prove itself.

    Args:
        step: `Configure` or `Restore`.
        environment: whose.
        tools: the outside world.
        execute: see `run`.
        deploy: whether to; otherwise the next deployment, whoever's it is, reads the change.
        go_back: whether the configuration before counts again when the app does not prove itself.

    Raises:
        Refused: the step refuses; nothing has been changed.
        DeployFailed: the app did not come up with it.
        VerifyFailed: the app did not prove itself with it.
        RollbackFailed: and the way back failed as well.
    """
    release = run((step,), serving(environment, tools), tools, execute)
    if deploy and release.configuration:
        bring_in(release, environment, tools, execute, go_back=go_back)


def deploy(environment: Environment, tools: Tools, execute: Executor = perform) -> None:
    """Deploy the same release, so that the app reads what somebody else has written.

    Raises:
        KaizenError: see `change`.
    """
    stored = tools.secrets.current(environment.secret)
    release = evolve(serving(environment, tools), configuration=stored.version)
    bring_in(release, environment, tools, execute, go_back=False)


def bring_in(release: Release, environment: Environment, tools: Tools, execute: Executor, *, go_back: bool) -> None:
    """Deploy, verify and record; when that fails, bring back what was before this change.

    Raises:
        KaizenError: see `change`.
    """
    try:
        run(catalogue.reading(environment), release, tools, execute)
    except (DeployFailed, VerifyFailed) as error:
        if not go_back or not _is_ours(release, environment, tools):
            raise
        raise _gone_back(error, release, environment, tools, execute) from error


def _is_ours(release: Release, environment: Environment, tools: Tools) -> bool:
    """Return whether what counts was written by these tasks, and the app has not proven itself since."""
    entry = words.unproven(tools.ledger.entries(environment.name, limit=ledger.HISTORY))
    if entry is None or entry.event is not Event.CONFIGURED:
        return False
    return entry.configuration == release.configuration == tools.secrets.current(environment.secret).version


def _gone_back(
    error: DeployFailed | VerifyFailed, release: Release, environment: Environment, tools: Tools, execute: Executor
) -> KaizenError:
    """Record the failure and return the error to raise, once the configuration before is proven to be in service."""
    if isinstance(error, VerifyFailed):
        ledger.append(Event.FAILED, environment, release, tools, reason=error.what)
    tools.reporter.note(f"going back to the configuration before in {environment.name}")
    restore = Restore(environment=environment, reason="the app did not prove itself with the new one")
    try:
        run((restore, *catalogue.reading(environment)), evolve(release, configuration=""), tools, execute)
    except KaizenError as second:
        return RollbackFailed(
            f"{environment.name}: {error.what.removeprefix(f'{environment.name}: ')}; the way back failed as well",
            state=second.what,
            hint=f"look at the service now; then: inv runtime.rollback --env {environment.name}",
        )
    state = f"the configuration before counts again, and {release.name} is verified with it"
    hint = "correct the values; --no-rollback leaves a configuration with which the app does not prove itself"
    if isinstance(error, VerifyFailed):
        return VerifyFailed(error.what, environment=environment.name, state=state, hint=hint)
    return DeployFailed(f"{environment.name}: {error.what}", state=state, hint=hint)
