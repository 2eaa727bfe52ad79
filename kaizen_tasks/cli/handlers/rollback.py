"""What `rollback` does."""

from __future__ import annotations

import sys

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.adapters.console import tables
from kaizen_tasks.cli import json_output, params
from kaizen_tasks.cli.correction import typed_line
from kaizen_tasks.cli.options import run_change
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows.accounts import require_accounts
from kaizen_tasks.flows.promote import shards
from kaizen_tasks.flows.rollback.candidates import list_candidates
from kaizen_tasks.flows.rollback.manual import plan_rollback
from kaizen_tasks.wiring import Toolbox


def rollback(
    c: Context,
    *,
    env: list[str],
    release: str,
    reason: str,
    list: bool,
    json: bool,
    yes: bool,
    wait: str,
    shard: str | None,
    despite_irreversible: str | None,
) -> None:
    if json and not list:
        raise UsageError("--json is for --list", hint=typed_line("--list"))
    tools = wiring.toolbox(c.config, stream=sys.stderr if json else sys.stdout)
    full_stage = params.resolve_stage(env, tools.settings)
    stage = shards.select_shard(full_stage, params.parse_optional_shard(shard), tools)
    version = params.parse_release(release)
    exception = params.parse_reason("--despite-irreversible", despite_irreversible)
    require_accounts(stage.environments, tools)
    if list:
        _print_candidates(stage.environments, tools, json=json)
    elif stage.environments:
        change = plan_rollback(
            stage.environments, version, reason=reason or "by hand", tools=tools, despite_irreversible=exception
        )
        run_change(change, tools, yes=yes, wait=wait)


def _print_candidates(environments: tuple[Environment, ...], tools: Toolbox, *, json: bool) -> None:
    candidates = [candidate for environment in environments for candidate in list_candidates(environment, tools)]
    if json:
        json_output.print_json([json_output.candidate_document(candidate) for candidate in candidates])
    else:
        tables.print_candidates(candidates)
