"""`runtime.*`: what is configured per environment without a code deployment."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kaizen_tasks.cli import options
from kaizen_tasks.cli.command import ENV, JSON, WAIT, YES, command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from invoke.collection import Collection
    from invoke.context import Context

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.runtime_config import RuntimeRules
    from kaizen_tasks.flows.runtime_config import StepFor
    from kaizen_tasks.wiring import Toolbox

NOTHING = "nothing has been changed"
NO_DEPLOY = "only write it; the next deployment, whatever for, reads it"
NO_ROLLBACK = "leave a configuration with which the app does not prove itself"


def collection() -> Collection:
    """Return the tasks as a collection."""
    from invoke.collection import Collection

    return Collection(show, diff, set_values, deploy, rollback)


@command(iterable=["env"], help={"env": f"{ENV}; without it, all of them", "json": JSON})
def show(c: Context, env: list[str], json: bool = False) -> None:
    """Show the names and ages of what is configured, and the values that are no secrets."""
    from kaizen_tasks.adapters.console import tables
    from kaizen_tasks.cli import json_output, prompts
    from kaizen_tasks.flows import runtime_config
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config, stream=sys.stderr if json else sys.stdout)
    stage = prompts.stage(env or list(tools.settings.environments), tools.settings)
    seen = [runtime_config.look(environment, tools) for environment in stage.environments]
    if json:
        json_output.print_json(json_output.runtime_document(tools.settings, seen))
    else:
        tables.print_runtime(seen, tools.settings.runtime, tools.clock.now())


@command(help={"env": "one environment", "against": "the other one", "json": JSON})
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
    one, other = (runtime_config.look(prompts.environment(name, tools.settings), tools) for name in (env, against))
    if json:
        json_output.print_json(json_output.runtime_difference(tools.settings, one, other))
    else:
        tables.print_runtime_difference(one, other, tools.settings.runtime)


@command(
    name="set",
    iterable=["env", "set", "set_file", "set_stdin"],
    help={
        "env": ENV,
        "set": "KEY=VALUE; may be repeated",
        "set-file": "KEY=path of a file with the value, for secrets; may be repeated",
        "set-stdin": "KEY, whose value is read from stdin, for secrets",
        "no-deploy": NO_DEPLOY,
        "no-rollback": NO_ROLLBACK,
        "yes": YES,
        "wait": WAIT,
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
    from kaizen_tasks.flows.steps import Configure
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = prompts.stage(env, tools.settings)
    values = _values(set, set_file, set_stdin, tools.settings.runtime)
    _change(
        stage.environments,
        lambda environment: Configure(environment=environment, values=values, version=str(uuid.uuid4())),
        f"configuration {', '.join(values)}",
        tools,
        options.Asked(yes=yes, wait=wait, go_back=not no_rollback),
        deploy=not no_deploy,
    )


@command(
    iterable=["env"],
    help={"env": ENV, "reason": "why, for the ledger", "no-deploy": NO_DEPLOY, "yes": YES, "wait": WAIT},
)
def rollback(
    c: Context, env: list[str], reason: str = "", no_deploy: bool = False, yes: bool = False, wait: str = ""
) -> None:
    """Bring back the configuration before, and deploy the same release with it."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows.steps import Restore
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = prompts.stage(env, tools.settings)
    _change(
        stage.environments,
        lambda environment: Restore(environment=environment, reason=reason or "by hand"),
        "the configuration before",
        tools,
        options.Asked(yes=yes, wait=wait, go_back=False),
        deploy=not no_deploy,
    )


@command(iterable=["env"], help={"env": ENV, "yes": YES, "wait": WAIT})
def deploy(c: Context, env: list[str], yes: bool = False, wait: str = "") -> None:
    """Deploy the same release, so that the app reads what was written elsewhere."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows import runtime_config
    from kaizen_tasks.flows.locking import session
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = prompts.stage(env, tools.settings)
    prompts.announce("configuration", stage.environments, tools)
    prompts.confirm(stage.environments, tools, yes=yes)
    for environment in stage.environments:
        session.heed(environment.name, tools)
        with options.alone((environment,), tools, wait=wait) as execute:
            runtime_config.deploy(environment, tools, execute)


def _change(
    environments: Sequence[Environment],
    step_for: StepFor,
    what: str,
    tools: Toolbox,
    asked: options.Asked,
    *,
    deploy: bool,
) -> None:
    """Change one environment after the other; the first that fails keeps the others as they are."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows import runtime_config
    from kaizen_tasks.flows.locking import session

    prompts.announce(what, environments, tools)
    prompts.confirm(environments, tools, yes=asked.yes)
    for environment in environments:
        session.heed(environment.name, tools)
        with options.alone((environment,), tools, wait=asked.wait) as execute:
            runtime_config.change(
                step_for(environment), environment, tools, execute, deploy=deploy, go_back=asked.go_back
            )


def _values(given: list[str], files: list[str], piped: list[str], rules: RuntimeRules) -> dict[str, str]:
    """Return every value that was asked for, checked before anybody is asked anything.

    Raises:
        UsageError: there is none, one twice, an unknown key, a value that its key may not have, or a secret in `--set`.
    """
    from kaizen_tasks.errors import UsageError

    values: dict[str, str] = {}
    for name, text in (*_given(given, rules), *_filed(files), *_piped(piped)):
        if name in values:
            raise UsageError(f"{name} is given twice", state=NOTHING)
        rules.check(name, text)
        values[name] = text
    if not values:
        raise UsageError("runtime.set: there is nothing to set", hint="add --set KEY=VALUE")
    return values


def _given(words: list[str], rules: RuntimeRules) -> Iterator[tuple[str, str]]:
    """Take `--set KEY=VALUE` apart; a secret there would be in the shell's history and in the list of processes."""
    from kaizen_tasks.errors import UsageError

    for word in words:
        name, text = _pair(word, "--set", "VALUE")
        if name in rules.keys and name not in rules.visible:
            raise UsageError(
                f"{name} is not in runtime.visible, so its value does not belong on a command line",
                state=NOTHING,
                hint=f"--set-file {name}=path reads it from a file, --set-stdin {name} from stdin",
            )
        yield name, text


def _filed(words: list[str]) -> Iterator[tuple[str, str]]:
    from pathlib import Path

    from kaizen_tasks.errors import UsageError

    for word in words:
        name, path = _pair(word, "--set-file", "PATH")
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"--set-file {name}: {path}: {error.strerror}", state=NOTHING) from None
        except UnicodeDecodeError:
            raise UsageError(f"--set-file {name}: {path} is not text in UTF-8", state=NOTHING) from None
        yield name, text.removesuffix("\n")


def _piped(names: list[str]) -> Iterator[tuple[str, str]]:
    """Read the one value that stdin holds; somebody at a terminal types it unseen."""
    import getpass

    from kaizen_tasks.errors import UsageError

    if len(names) > 1:
        raise UsageError("--set-stdin: stdin holds one value", state=NOTHING, hint="--set-file reads further ones")
    for name in names:
        if sys.stdin.isatty():
            yield name, getpass.getpass(f"{name}: ", stream=sys.stderr)
        else:
            yield name, sys.stdin.read().removesuffix("\n")


def _pair(word: str, flag: str, value: str) -> tuple[str, str]:
    """Take KEY=VALUE apart; what does not look like it may be a secret and is not repeated."""
    from kaizen_tasks.errors import UsageError

    name, equals, text = word.partition("=")
    if not equals or not name:
        raise UsageError(f"{flag} needs KEY={value}", state=NOTHING)
    return name, text
