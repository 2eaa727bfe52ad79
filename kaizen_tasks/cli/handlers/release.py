"""What `release-STAGE`, `hotfix`, `next-release` and `release.abandon` do."""

from __future__ import annotations

import sys

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import params
from kaizen_tasks.cli.options import run_change
from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows.abandonment import plan_abandonment
from kaizen_tasks.flows.environment_release import plan_hotfix, plan_release
from kaizen_tasks.flows.next_release import find_next_release
from kaizen_tasks.flows.promote import lines


def release_to_stage(
    c: Context, *, stage: str, part: str, to: str, yes: bool, skip_docs: str, force: bool, wait: str, no_rollback: bool
) -> None:
    tools = wiring.toolbox(c.config, draft=True)
    first_stage = lines.first_stage_of_branch(params.require_first_stage(stage, tools.settings), tools)
    step = params.parse_bump(part, to, force=force, environment=first_stage.environments[0])
    change = plan_release(step, first_stage, tools, skip_docs=skip_docs, auto_rollback=not no_rollback)
    run_change(change, tools, yes=yes, wait=wait)


def hotfix(
    c: Context,
    *,
    env: str,
    reason: str,
    part: str,
    to: str,
    yes: bool,
    skip_docs: str,
    force: bool,
    wait: str,
    no_rollback: bool,
) -> None:
    tools = wiring.toolbox(c.config, draft=True)
    environment = params.resolve_environment(env, tools.settings)
    step = params.parse_bump(part, to, force=force, hotfix=True, environment=environment)
    change = plan_hotfix(
        step, environment, tools, reason=reason or "hotfix", skip_docs=skip_docs, auto_rollback=not no_rollback
    )
    run_change(change, tools, yes=yes, wait=wait)


def next_release(c: Context) -> None:
    tools = wiring.toolbox(c.config, stream=sys.stderr)
    environment = None
    if tools.settings.pipeline:
        environment = lines.first_stage_of_branch(tools.settings.first_stage, tools).environments[0]
    bump = params.parse_bump("auto", "", force=False, environment=environment, ask_remote=environment is not None)
    release = find_next_release(bump, tools)
    if release.name:
        sys.stdout.write(f"{release.name}\n")
    else:
        tools.reporter.note(release.reason)


def abandon(c: Context, *, release: str, reason: str, yes: bool, wait: str) -> None:
    version = params.parse_release(release)
    if version is None:
        raise UsageError("release.abandon: which release?", hint="inv release.abandon --release v1.2.3")
    tools = wiring.toolbox(c.config)
    change = plan_abandonment(version, tools, reason=reason or "by hand")
    run_change(change, tools, yes=yes, wait=wait)
