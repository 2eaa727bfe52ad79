"""`inv setup`: creates what is missing in the account, after showing it."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from kaizen_tasks.cli.command import YES, command

if TYPE_CHECKING:
    from invoke.context import Context

    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.wiring import Toolbox


@command(
    help={
        "yes": YES,
        "print-iam": "print the least IAM policy for whoever releases, and do nothing else",
        "github": "with --print-iam: the role that jobs of this repository take, as owner/name",
    }
)
def setup(c: Context, yes: bool = False, print_iam: bool = False, github: str = "") -> None:
    """Create what is missing: the ledger's table, tags that never move, blob mounting."""
    from kaizen_tasks.cli import options
    from kaizen_tasks.flows import setup as flows
    from kaizen_tasks.wiring import toolbox

    _check(github, print_iam=print_iam)
    tools = toolbox(c.config, stream=sys.stderr if print_iam else sys.stdout)
    if print_iam:
        _print_policy(tools, github)
        return
    account, region = tools.identity.account(), tools.settings.aws.region
    tools.reporter.heading(f"{tools.settings.app} needs in its account   (account {account}, {region})")
    flow = flows.steps(tools.settings)
    _agree(flow, tools, yes=yes)
    flows.make(flow, tools, options.executor(tools))


def _agree(flow: Flow, tools: Toolbox, *, yes: bool) -> None:
    """Show what is missing and ask; for a protected environment's repository, as everything that changes one does."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows import setup as flows

    missing = flows.missing(flow, tools)
    if not missing or yes or tools.dry:
        return
    for _, what in missing:
        tools.reporter.note(f"  {what}")
    changed = tuple(step.environment for step, _ in missing if isinstance(step, flows.Tags))
    if any(environment.protected for environment in changed):
        prompts.confirm(changed, tools, yes=yes)
    else:
        prompts.agree("do that", yes=yes)


def _check(github: str, *, print_iam: bool) -> None:
    from kaizen_tasks.errors import UsageError

    if github and not print_iam:
        raise UsageError("--github describes a role, and makes none", hint=f"inv setup --print-iam --github {github}")
    if github and not re.fullmatch(r"[\w.-]+/[\w.-]+", github):
        raise UsageError(f"--github {github}: not a repository", hint="write it as owner/name")


def _print_policy(tools: Toolbox, github: str) -> None:
    """Print the policy, or the whole role; a configured account is believed, so that this asks nobody."""
    from kaizen_tasks.adapters.aws import iam_policy
    from kaizen_tasks.cli import json_output

    account = tools.settings.aws.account or tools.identity.account()
    permissions = iam_policy.document(tools.settings, account=account, table=tools.table.table)
    if github:
        trust = iam_policy.trust(tools.settings, account=account, repository=github)
        json_output.print_json({"trust": trust, "permissions": permissions})
    else:
        json_output.print_json(permissions)
