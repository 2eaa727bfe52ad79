"""`rollback`: back to a release that was verified."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kaizen_tasks.cli import options
from kaizen_tasks.cli.command import ENV, RELEASE, SHARD, WAIT, YES, command

if TYPE_CHECKING:
    from invoke.context import Context
    from semver import Version

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.wiring import Toolbox


@command(
    iterable=["env"],
    help={
        "env": ENV,
        "release": f"{RELEASE}; without it, the last verified one before what is serving",
        "reason": "why, for the ledger",
        "list": "show what can be gone back to, and change nothing",
        "json": "with --list: print one JSON document on stdout",
        "yes": YES,
        "wait": WAIT,
        "shard": SHARD,
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
    stage = prompts.part(prompts.stage(env, tools.settings), prompts.shard(shard), tools)
    wanted = versions.parse(release, where="--release") if release else None
    tools.identity.account()
    if list:
        _list(stage.environments, tools, json=json)
        return
    for environment in stage.environments:
        _go_back(environment, wanted, reason or "by hand", tools, options.Asked(yes=yes, wait=wait))


def _go_back(
    environment: Environment, wanted: Version | None, reason: str, tools: Toolbox, asked: options.Asked
) -> None:
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.errors import KaizenError, Locked, Refused, RollbackFailed
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.rollback import candidates
    from kaizen_tasks.flows.runner import run

    target = candidates.choose(environment, wanted, tools)
    prompts.announce(f"back to {target.name}", (environment,), tools)
    prompts.confirm((environment,), tools, yes=asked.yes)
    try:
        with options.alone((environment,), tools, wait=asked.wait) as execute:
            run(catalogue.rollback(environment, reason=reason), target, tools, execute)
    except (Refused, Locked):
        raise
    except KaizenError as error:
        raise RollbackFailed(
            f"going back to {target.name} failed: {error.what}",
            state=error.state,
            hint="look at the service now; the same command tries again",
        ) from error


def _list(environments: tuple[Environment, ...], tools: Toolbox, *, json: bool) -> None:
    from kaizen_tasks.adapters.console import tables
    from kaizen_tasks.cli import json_output
    from kaizen_tasks.flows.rollback import candidates

    found = [each for environment in environments for each in candidates.known(environment, tools)]
    if json:
        json_output.print_json([json_output.candidate_document(each) for each in found])
    else:
        tables.print_candidates(found)
