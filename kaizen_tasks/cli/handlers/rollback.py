"""`rollback`: back to a release that was verified."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kaizen_tasks.cli.command import ENV_HELP, RELEASE_HELP, SHARD_HELP, WAIT_HELP, YES_HELP, command
from kaizen_tasks.cli.options import FlowOptions, locked_execution

if TYPE_CHECKING:
    from invoke.context import Context
    from semver import Version

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.wiring import Toolbox


@command(
    iterable=["env"],
    help={
        "env": ENV_HELP,
        "release": f"{RELEASE_HELP}; without it, the last verified one before what is serving",
        "reason": "why, for the ledger",
        "list": "show what can be gone back to, and change nothing",
        "json": "with --list: print one JSON document on stdout",
        "yes": YES_HELP,
        "wait": WAIT_HELP,
        "shard": SHARD_HELP,
    },
)
def rollback(
    c: Context,
    env: list[str],
    release: str = "",
    reason: str = "",
    list: bool = False,
    json: bool = False,
    yes: bool = False,
    wait: str = "",
    shard: str | None = None,
) -> None:
    """Go back to the last verified release, or to the one that is named, without a build."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.domain import version as versions
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config, stream=sys.stderr if json else sys.stdout)
    stage = prompts.select_shard(prompts.resolve_stage(env, tools.settings), prompts.parse_optional_shard(shard), tools)
    requested_version = versions.parse_version(release, origin="--release") if release else None
    tools.identity.account_id()
    if list:
        _list_candidates(stage.environments, tools, json=json)
        return
    for environment in stage.environments:
        _roll_back(environment, requested_version, reason or "by hand", tools, FlowOptions(yes=yes, wait=wait))


def _roll_back(
    environment: Environment,
    requested_version: Version | None,
    reason: str,
    tools: Toolbox,
    options: FlowOptions,
) -> None:
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.errors import KaizenError, Locked, Refused, RollbackFailed
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.rollback.candidates import choose_release
    from kaizen_tasks.flows.runner import run_flow

    target = choose_release(environment, requested_version, tools)
    prompts.print_header(f"back to {target.name}", (environment,), tools)
    prompts.confirm_protected((environment,), tools, yes=options.yes)
    try:
        with locked_execution((environment,), tools, wait=options.wait) as execute:
            run_flow(catalogue.rollback(environment, reason=reason), target, tools, execute)
    except (Refused, Locked):
        raise
    except KaizenError as error:
        raise RollbackFailed(
            f"going back to {target.name} failed: {error.message}",
            state=error.state,
            hint="look at the service now; the same command tries again",
        ) from error


def _list_candidates(environments: tuple[Environment, ...], tools: Toolbox, *, json: bool) -> None:
    from kaizen_tasks.adapters.console import tables
    from kaizen_tasks.cli import json_output
    from kaizen_tasks.flows.rollback.candidates import list_candidates

    candidates = [candidate for environment in environments for candidate in list_candidates(environment, tools)]
    if json:
        json_output.print_json([json_output.candidate_document(candidate) for candidate in candidates])
    else:
        tables.print_candidates(candidates)
