"""What `runtime.*` does."""

from __future__ import annotations

import getpass
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.adapters.console import tables
from kaizen_tasks.cli import json_output, params
from kaizen_tasks.cli.correction import typed_line
from kaizen_tasks.cli.options import run_change
from kaizen_tasks.cli.runtime_document import runtime_diff_document, runtime_document
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.runtime_config import MAX_DOCUMENT_BYTES, RuntimeRules
from kaizen_tasks.errors import NOTHING_CHANGED, UsageError
from kaizen_tasks.flows import runtime_config
from kaizen_tasks.flows.doctor import preflight
from kaizen_tasks.flows.execution import Change, Execution, join_names
from kaizen_tasks.flows.outcome import Outcome
from kaizen_tasks.flows.steps.runtime import RestoreConfig, SetConfig
from kaizen_tasks.wiring import Toolbox


def show(c: Context, *, env: list[str], json: bool) -> None:
    tools = wiring.toolbox(c.config, stream=sys.stderr if json else sys.stdout)
    stage = params.resolve_stage(env or list(tools.settings.environments), tools.settings)
    views = [runtime_config.read_runtime_config(environment, tools) for environment in stage.environments]
    if json:
        json_output.print_json(runtime_document(tools.settings, views))
    else:
        tables.print_runtime(views, tools.settings.runtime, tools.clock.now())


def diff(c: Context, *, env: str, against: str, json: bool) -> None:
    if not against:
        raise UsageError("runtime.diff: --against is missing", hint="add --against with another environment")
    tools = wiring.toolbox(c.config, stream=sys.stderr if json else sys.stdout)
    first_view, second_view = (
        runtime_config.read_runtime_config(params.resolve_environment(name, tools.settings), tools)
        for name in (env, against)
    )
    if json:
        json_output.print_json(runtime_diff_document(tools.settings, first_view, second_view))
    else:
        tables.print_runtime_difference(first_view, second_view, tools.settings.runtime)


def set_values(
    c: Context,
    *,
    env: list[str],
    set: list[str],
    set_file: list[str],
    set_stdin: list[str],
    no_deploy: bool,
    no_rollback: bool,
    yes: bool,
    wait: str,
) -> None:
    tools = wiring.toolbox(c.config)
    environments = params.resolve_stage(env, tools.settings).environments
    values = _collect_values(set, set_file, set_stdin, tools.settings.runtime)

    def change_values(environment: Environment, execution: Execution) -> None:
        step = SetConfig(environment=environment, values=values, version=str(uuid.uuid4()))
        runtime_config.change_config(
            step, environment, tools, execution.execute, deploy=not no_deploy, auto_rollback=not no_rollback
        )

    title = f"set {', '.join(values)} in {join_names(environments)}"
    change = _plan_change(title, environments, change_values, tools, configuration="new", deploys=not no_deploy)
    run_change(change, tools, yes=yes, wait=wait)


def rollback(c: Context, *, env: list[str], reason: str, no_deploy: bool, yes: bool, wait: str) -> None:
    tools = wiring.toolbox(c.config)
    environments = params.resolve_stage(env, tools.settings).environments

    def restore(environment: Environment, execution: Execution) -> None:
        step = RestoreConfig(environment=environment, reason=reason or "by hand")
        runtime_config.change_config(
            step, environment, tools, execution.execute, deploy=not no_deploy, auto_rollback=False
        )

    title = f"restore previous configuration in {join_names(environments)}"
    change = _plan_change(title, environments, restore, tools, configuration="previous", deploys=not no_deploy)
    run_change(change, tools, yes=yes, wait=wait)


def deploy(c: Context, *, env: list[str], yes: bool, wait: str) -> None:
    tools = wiring.toolbox(c.config)
    environments = params.resolve_stage(env, tools.settings).environments
    change = _plan_change(
        f"deploy configuration to {join_names(environments)}",
        environments,
        lambda environment, execution: runtime_config.deploy_config(environment, tools, execution.execute),
        tools,
        configuration="current",
    )
    run_change(change, tools, yes=yes, wait=wait)


def _plan_change(
    title: str,
    environments: tuple[Environment, ...],
    change_one: Callable[[Environment, Execution], None],
    tools: Toolbox,
    *,
    configuration: str,
    deploys: bool = True,
) -> Change:
    """Return the change of one environment after the other; the first that fails keeps the rest as they are.

    Args:
        title: see `Change`.
        environments: the environments, in order.
        change_one: changes one of them.
        tools: the outside world.
        configuration: which configuration they have afterwards: `new`, `previous` or `current`.
        deploys: whether the apps are deployed with it; otherwise it is only written.
    """

    def require_serving_releases() -> None:
        """Refuse before the first of several environments is changed what would be refused in a later one."""
        if len(environments) > 1:
            for environment in environments:
                runtime_config.require_serving_release(environment, tools)

    def run(execution: Execution) -> Outcome:
        execution.run_one_by_one(environments, change_one)
        if deploys:
            verb = "runs" if len(environments) == 1 else "run"
            return Outcome(text=f"{join_names(environments)} {verb} with the {configuration} configuration")
        env_flags = " ".join(f"--env {environment.name}" for environment in environments)
        return Outcome(
            text=f"the {configuration} configuration of {join_names(environments)} is written, and not deployed",
            next_step=f"next: inv runtime.deploy {env_flags}",
        )

    return Change(
        title=title,
        environments=environments,
        preflight=require_serving_releases,
        check_environments=lambda checked: preflight.require_no_problems(checked, tools) if deploys else None,
        verifies=deploys,
        run=run,
    )


def _collect_values(
    assignments: list[str], file_assignments: list[str], stdin_keys: list[str], rules: RuntimeRules
) -> dict[str, str]:
    """Return all values to set, checked.

    Raises:
        UsageError: no value, a repeated or unknown key, an invalid value, or a secret in `--set`.
    """
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
        raise UsageError("runtime.set: no value is given", hint=typed_line("--set", "KEY=VALUE"))
    return values


def _parse_assignments(assignments: list[str], rules: RuntimeRules) -> Iterator[tuple[str, str]]:
    """Split `--set KEY=VALUE`; refuse a secret, which would be in the shell's history and in the list of processes."""
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
    for assignment in file_assignments:
        name, path = _split_assignment(assignment, "--set-file", "PATH")
        try:
            with Path(path).open(encoding="utf-8") as file:  # or a pipe: `--set-file KEY=<(command)`
                yield name, _read_value(file, f"--set-file {name}: {path}")
        except OSError as error:
            raise UsageError(f"--set-file {name}: {path}: {error.strerror}", state=NOTHING_CHANGED) from None


def _read_value(file: TextIO, source: str) -> str:
    """Return a text without the newline at its end; what never ends, such as a device, is not read on and on."""
    try:
        text = file.read(MAX_DOCUMENT_BYTES + 1)
    except UnicodeDecodeError:
        raise UsageError(f"{source} is not text in UTF-8", state=NOTHING_CHANGED) from None
    if len(text) > MAX_DOCUMENT_BYTES:
        problem = f"{source} is larger than {MAX_DOCUMENT_BYTES // 1024} KiB, more than a secret holds"
        raise UsageError(problem, state=NOTHING_CHANGED)
    return text.removesuffix("\n")


def _read_stdin_value(keys: list[str]) -> Iterator[tuple[str, str]]:
    """Read the one value on stdin; at a terminal it is typed without echo."""
    if len(keys) > 1:
        raise UsageError(
            "--set-stdin: stdin holds one value", state=NOTHING_CHANGED, hint="use --set-file for the others"
        )
    for name in keys:
        if sys.stdin.isatty():
            yield name, getpass.getpass(f"{name}: ", stream=sys.stderr)
        else:
            yield name, _read_value(sys.stdin, "--set-stdin: stdin")


def _split_assignment(assignment: str, flag: str, placeholder: str) -> tuple[str, str]:
    """Split KEY=VALUE. An error does not repeat the text, which may be a secret."""
    name, separator, text = assignment.partition("=")
    if not separator or not name:
        raise UsageError(f"{flag} needs KEY={placeholder}", state=NOTHING_CHANGED)
    return name, text
