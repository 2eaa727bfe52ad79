"""`runtime.*`: what is configured per environment without a code deployment."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kaizen_tasks.cli.command import ENV_HELP, JSON_HELP, WAIT_HELP, YES_HELP, command
from kaizen_tasks.cli.options import FlowOptions, locked_execution

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from invoke.collection import Collection
    from invoke.context import Context

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.runtime_config import RuntimeRules
    from kaizen_tasks.flows.runtime_config import StepFactory
    from kaizen_tasks.wiring import Toolbox

NOTHING_CHANGED = "nothing has been changed"
NO_DEPLOY_HELP = "only write it; the next deployment, whatever for, reads it"
NO_ROLLBACK_HELP = "leave a configuration with which the app does not prove itself"


def collection() -> Collection:
    """Return the tasks as a collection."""
    from invoke.collection import Collection

    return Collection(show, diff, set_values, deploy, rollback)


@command(iterable=["env"], help={"env": f"{ENV_HELP}; without it, all of them", "json": JSON_HELP})
def show(c: Context, env: list[str], json: bool = False) -> None:
    """Show the names and ages of what is configured, and the values that are no secrets."""
    from kaizen_tasks.adapters.console import tables
    from kaizen_tasks.cli import json_output, prompts
    from kaizen_tasks.flows import runtime_config
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config, stream=sys.stderr if json else sys.stdout)
    stage = prompts.resolve_stage(env or list(tools.settings.environments), tools.settings)
    views = [runtime_config.read_runtime_config(environment, tools) for environment in stage.environments]
    if json:
        json_output.print_json(json_output.runtime_document(tools.settings, views))
    else:
        tables.print_runtime(views, tools.settings.runtime, tools.clock.now())


@command(help={"env": "one environment", "against": "the other one", "json": JSON_HELP})
def diff(c: Context, env: str = "", against: str = "", json: bool = False) -> None:
    """Compare what is configured in two environments."""
    from kaizen_tasks.adapters.console import tables
    from kaizen_tasks.cli import json_output, prompts
    from kaizen_tasks.errors import UsageError
    from kaizen_tasks.flows import runtime_config
    from kaizen_tasks.wiring import toolbox

    if not against:
        raise UsageError("runtime.diff: there is nothing to compare with", hint="add --against and an environment")
    tools = toolbox(c.config, stream=sys.stderr if json else sys.stdout)
    first_view, second_view = (
        runtime_config.read_runtime_config(prompts.resolve_environment(name, tools.settings), tools)
        for name in (env, against)
    )
    if json:
        json_output.print_json(json_output.runtime_diff_document(tools.settings, first_view, second_view))
    else:
        tables.print_runtime_difference(first_view, second_view, tools.settings.runtime)


@command(
    name="set",
    iterable=["env", "set", "set_file", "set_stdin"],
    help={
        "env": ENV_HELP,
        "set": "KEY=VALUE; may be repeated",
        "set-file": "KEY=path of a file with the value, for secrets; may be repeated",
        "set-stdin": "KEY, whose value is read from stdin, for secrets",
        "no-deploy": NO_DEPLOY_HELP,
        "no-rollback": NO_ROLLBACK_HELP,
        "yes": YES_HELP,
        "wait": WAIT_HELP,
    },
)
def set_values(
    c: Context,
    env: list[str],
    set: list[str],
    set_file: list[str],
    set_stdin: list[str],
    no_deploy: bool = False,
    no_rollback: bool = False,
    yes: bool = False,
    wait: str = "",
) -> None:
    """Change values, then deploy the same release and let the app prove itself with them."""
    import uuid

    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows.steps import SetConfig
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = prompts.resolve_stage(env, tools.settings)
    values = _collect_values(set, set_file, set_stdin, tools.settings.runtime)
    _change_environments(
        stage.environments,
        lambda environment: SetConfig(environment=environment, values=values, version=str(uuid.uuid4())),
        f"configuration {', '.join(values)}",
        tools,
        FlowOptions(yes=yes, wait=wait, auto_rollback=not no_rollback),
        deploy=not no_deploy,
    )


@command(
    iterable=["env"],
    help={
        "env": ENV_HELP,
        "reason": "why, for the ledger",
        "no-deploy": NO_DEPLOY_HELP,
        "yes": YES_HELP,
        "wait": WAIT_HELP,
    },
)
def rollback(
    c: Context, env: list[str], reason: str = "", no_deploy: bool = False, yes: bool = False, wait: str = ""
) -> None:
    """Bring back the configuration before, and deploy the same release with it."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows.steps import RestoreConfig
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = prompts.resolve_stage(env, tools.settings)
    _change_environments(
        stage.environments,
        lambda environment: RestoreConfig(environment=environment, reason=reason or "by hand"),
        "the configuration before",
        tools,
        FlowOptions(yes=yes, wait=wait, auto_rollback=False),
        deploy=not no_deploy,
    )


@command(iterable=["env"], help={"env": ENV_HELP, "yes": YES_HELP, "wait": WAIT_HELP})
def deploy(c: Context, env: list[str], yes: bool = False, wait: str = "") -> None:
    """Deploy the same release, so that the app reads what was written elsewhere."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows import runtime_config
    from kaizen_tasks.flows.locking import session
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = prompts.resolve_stage(env, tools.settings)
    prompts.print_header("configuration", stage.environments, tools)
    prompts.confirm_protected(stage.environments, tools, yes=yes)
    for environment in stage.environments:
        session.require_no_hold(environment.name, tools)
        with locked_execution((environment,), tools, wait=wait) as execute:
            runtime_config.deploy_config(environment, tools, execute)


def _change_environments(
    environments: Sequence[Environment],
    step_for: StepFactory,
    title: str,
    tools: Toolbox,
    options: FlowOptions,
    *,
    deploy: bool,
) -> None:
    """Change one environment after the other; the first that fails keeps the others as they are."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows import runtime_config
    from kaizen_tasks.flows.locking import session

    prompts.print_header(title, environments, tools)
    prompts.confirm_protected(environments, tools, yes=options.yes)
    for environment in environments:
        session.require_no_hold(environment.name, tools)
        with locked_execution((environment,), tools, wait=options.wait) as execute:
            runtime_config.change_config(
                step_for(environment), environment, tools, execute, deploy=deploy, auto_rollback=options.auto_rollback
            )


def _collect_values(
    assignments: list[str], file_assignments: list[str], stdin_keys: list[str], rules: RuntimeRules
) -> dict[str, str]:
    """Return every value that was asked for, checked before anybody is asked anything.

    Raises:
        UsageError: there is none, one twice, an unknown key, a value that its key may not have, or a secret in `--set`.
    """
    from kaizen_tasks.errors import UsageError

    values: dict[str, str] = {}
    for name, text in (
        *_parse_assignments(assignments, rules),
        *_read_value_files(file_assignments),
        *_read_stdin_value(stdin_keys),
    ):
        if name in values:
            raise UsageError(f"{name} is given twice", state=NOTHING_CHANGED)
        rules.validate(name, text)
        values[name] = text
    if not values:
        raise UsageError("runtime.set: there is nothing to set", hint="add --set KEY=VALUE")
    return values


def _parse_assignments(assignments: list[str], rules: RuntimeRules) -> Iterator[tuple[str, str]]:
    """Take `--set KEY=VALUE` apart; a secret there would be in the shell's history and in the list of processes."""
    from kaizen_tasks.errors import UsageError

    for assignment in assignments:
        name, text = _split_assignment(assignment, "--set", "VALUE")
        if name in rules.keys and name not in rules.visible:
            raise UsageError(
                f"{name} is not in runtime.visible, so its value does not belong on a command line",
                state=NOTHING_CHANGED,
                hint=f"--set-file {name}=path reads it from a file, --set-stdin {name} from stdin",
            )
        yield name, text


def _read_value_files(file_assignments: list[str]) -> Iterator[tuple[str, str]]:
    from pathlib import Path

    from kaizen_tasks.errors import UsageError

    for assignment in file_assignments:
        name, path = _split_assignment(assignment, "--set-file", "PATH")
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"--set-file {name}: {path}: {error.strerror}", state=NOTHING_CHANGED) from None
        except UnicodeDecodeError:
            raise UsageError(f"--set-file {name}: {path} is not text in UTF-8", state=NOTHING_CHANGED) from None
        yield name, text.removesuffix("\n")


def _read_stdin_value(keys: list[str]) -> Iterator[tuple[str, str]]:
    """Read the one value that stdin holds; somebody at a terminal types it unseen."""
    import getpass

    from kaizen_tasks.errors import UsageError

    if len(keys) > 1:
        raise UsageError(
            "--set-stdin: stdin holds one value", state=NOTHING_CHANGED, hint="--set-file reads further ones"
        )
    for name in keys:
        if sys.stdin.isatty():
            yield name, getpass.getpass(f"{name}: ", stream=sys.stderr)
        else:
            yield name, sys.stdin.read().removesuffix("\n")


def _split_assignment(assignment: str, flag: str, placeholder: str) -> tuple[str, str]:
    """Take KEY=VALUE apart; what does not look like it may be a secret and is not repeated."""
    from kaizen_tasks.errors import UsageError

    name, separator, text = assignment.partition("=")
    if not separator or not name:
        raise UsageError(f"{flag} needs KEY={placeholder}", state=NOTHING_CHANGED)
    return name, text
