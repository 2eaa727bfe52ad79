"""Changes an environment's runtime configuration, and verifies the running app with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain import ledger as words
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.runtime_config import RuntimeConfigView
from kaizen_tasks.errors import (
    NOTHING_CHANGED,
    DeployFailed,
    KaizenError,
    Refused,
    RollbackFailed,
    Superseded,
    Unproven,
    VerifyFailed,
)
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.runner import Executor, apply_step, run_flow
from kaizen_tasks.flows.steps.runtime import RestoreConfig, parse_config

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.step import Step
    from kaizen_tasks.ports.tools import Tools


StepFactory = Callable[[Environment], "Step"]


def read_runtime_config(environment: Environment, tools: Tools) -> RuntimeConfigView:
    """Return an environment's current and previous runtime configuration.

    Raises:
        NotFound: the environment's secret does not exist.
        Refused: the secret is not a JSON object.
    """
    secrets = tools.at(environment).secrets
    current, previous = secrets.current(environment.secret), secrets.previous(environment.secret)
    return RuntimeConfigView(
        environment=environment,
        version_id=current.version,
        written_at=current.created_at,
        document=parse_config(current, environment),
        previous_document=parse_config(previous, environment) if previous else None,
    )


def require_serving_release(environment: Environment, tools: Tools) -> Release:
    """Return the release that is serving, to be redeployed with another configuration.

    Raises:
        Refused: the serving release is unknown, or another release is being deployed.
    """
    entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)
    latest_entry, entry = words.latest_deployment_entry(entries), words.serving_entry(entries)
    if latest_entry is not None and latest_entry.event is Event.STARTED and not latest_entry.configuration:
        message = f"{environment.name}: {latest_entry.actor}'s deployment of {latest_entry.version} has not ended"
        hint = f"finish it first: inv deploy --env {environment.name} --release {latest_entry.version}"
        raise Refused(message, state=NOTHING_CHANGED, hint=hint)
    if entry is None:
        message = f"{environment.name}: the ledger does not know which release is serving there"
        hint = f"release or deploy to it once: inv deploy --env {environment.name}"
        raise Refused(message, state=NOTHING_CHANGED, hint=hint)
    return ledger.release_from_entry(entry)


def change_config(
    step: Step,
    environment: Environment,
    tools: Tools,
    execute: Executor = apply_step,
    *,
    deploy: bool,
    auto_rollback: bool,
) -> None:
    """Change the configuration, then deploy the same release and verify it.

    Args:
        step: `SetConfig` or `RestoreConfig`.
        environment: the environment whose configuration is changed.
        tools: the ports.
        execute: see `run_flow`.
        deploy: whether to deploy; otherwise the change takes effect with the next deployment.
        auto_rollback: whether to restore the previous configuration when verification fails.

    Raises:
        Refused: the step refuses; nothing has been changed.
        DeployFailed: the app did not start with the new configuration.
        VerifyFailed: verification failed with the new configuration.
        RollbackFailed: restoring the previous configuration failed as well.
    """
    release = run_flow((step,), require_serving_release(environment, tools), tools, execute)
    if deploy and release.configuration:
        _deploy_and_verify(release, environment, tools, execute, auto_rollback=auto_rollback)


def deploy_config(environment: Environment, tools: Tools, execute: Executor = apply_step) -> None:
    """Redeploy the serving release, so that the app reads a configuration that somebody else wrote.

    Raises:
        KaizenError: see `change_config`.
    """
    current = tools.at(environment).secrets.current(environment.secret)
    release = evolve(require_serving_release(environment, tools), configuration=current.version)
    _deploy_and_verify(release, environment, tools, execute, auto_rollback=False)


def _deploy_and_verify(
    release: Release, environment: Environment, tools: Tools, execute: Executor, *, auto_rollback: bool
) -> None:
    """Deploy, verify and record; on failure, restore the previous configuration if `auto_rollback` is set."""
    try:
        run_flow(catalogue.apply_runtime_config(environment), release, tools, execute)
    except (Superseded, Unproven):
        raise
    except (DeployFailed, VerifyFailed) as error:
        if not auto_rollback or not _is_own_unverified_config(release, environment, tools):
            raise
        raise _restore_previous_config(error, release, environment, tools, execute) from error


def _is_own_unverified_config(release: Release, environment: Environment, tools: Tools) -> bool:
    """Return whether these tasks wrote the current configuration, and the app was not verified since."""
    entry = words.unverified_config_change(tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT))
    if entry is None or entry.event is not Event.CONFIGURED:
        return False
    current = tools.at(environment).secrets.current(environment.secret)
    return entry.configuration == release.configuration == current.version


def _restore_previous_config(
    error: DeployFailed | VerifyFailed, release: Release, environment: Environment, tools: Tools, execute: Executor
) -> KaizenError:
    """Record the failure, restore the previous configuration, and return the error to raise."""
    if isinstance(error, VerifyFailed):
        ledger.append(Event.FAILED, environment, release, tools, reason=error.message)
    tools.reporter.note(f"restoring the previous configuration of {environment.name}")
    restore = RestoreConfig(environment=environment, reason="verification failed with the new one")
    flow = (restore, *catalogue.apply_runtime_config(environment))
    try:
        run_flow(flow, evolve(release, configuration=""), tools, execute)
    except KaizenError as restore_error:
        return RollbackFailed(
            f"{environment.name}: {error.message.removeprefix(f'{environment.name}: ')}; restoring the previous"
            " configuration failed as well",
            state=restore_error.message,
            hint=f"check the service now; then: inv runtime.rollback --env {environment.name}",
        )
    state = f"the previous configuration is active again, and {release.name} is verified with it"
    hint = "correct the values; --no-rollback keeps a configuration that fails verification"
    if isinstance(error, VerifyFailed):
        return VerifyFailed(error.message, environment=environment.name, state=state, hint=hint)
    return DeployFailed(f"{environment.name}: {error.message}", state=state, hint=hint)
