"""What `run` and `command.resolve` do."""

from __future__ import annotations

import math
import sys

from invoke.context import Context
from invoke.exceptions import Exit

from kaizen_tasks import wiring
from kaizen_tasks.cli import params, prompts
from kaizen_tasks.cli.options import run_change
from kaizen_tasks.domain.text.printable import printable
from kaizen_tasks.domain.version import image_tag
from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows.accounts import require_accounts
from kaizen_tasks.flows.commands.one_off import CommandResult, OneOffCommand, plan_run
from kaizen_tasks.flows.commands.resolve import OUTCOMES, plan_resolution


def run(c: Context, *, env: str, timeout: str, yes: bool) -> None:
    words = params.words_after_dashes()
    if not words:
        raise UsageError("run: which command?", hint=f"inv run --env {env or 'ENV'} -- COMMAND")
    tools = wiring.toolbox(c.config, stream=sys.stderr)
    command = OneOffCommand(
        environment=params.resolve_environment(env, tools.settings),
        words=words,
        print_line=_print_line,
        should_stop=lambda: prompts.agrees("stop the command? Without an answer it goes on."),
        timeout=params.parse_duration("--timeout", timeout) or math.inf,
    )
    require_accounts((command.environment,), tools)
    result = CommandResult()
    run_change(plan_run(command, result, tools), tools, yes=yes)
    if result.exit_code:
        tools.reporter.note(f"exit code {result.exit_code}")
        raise Exit(code=result.exit_code)


def _print_line(line: str) -> None:
    """Print a line of output; at a terminal without what would control it."""
    sys.stdout.write(f"{printable(line) if sys.stdout.isatty() else line}\n")
    sys.stdout.flush()


def resolve(
    c: Context, *, env: str, name: str, outcome: str, reason: str | None, release: str, yes: bool, wait: str
) -> None:
    tools = wiring.toolbox(c.config)
    environment = params.resolve_environment(env, tools.settings)
    if not name:
        raise UsageError("command.resolve: which command?", hint="add --name with its name in [[before_deploy]]")
    if outcome not in OUTCOMES:
        raise params.unknown_choice_error(f"--outcome {outcome!r} is not an outcome", outcome, tuple(OUTCOMES))
    if reason is None:
        raise UsageError("command.resolve: how do you know?", hint='add --reason "looked at the database"')
    version = params.parse_release(release)
    require_accounts((environment,), tools)
    change = plan_resolution(
        environment,
        name,
        outcome,
        reason=params.parse_reason("--reason", reason),
        release_name=image_tag(version) if version else "",
        tools=tools,
    )
    run_change(change, tools, yes=yes, wait=wait)
