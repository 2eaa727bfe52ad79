"""What `release.abandon` does."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import params
from kaizen_tasks.cli.options import run_change
from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows.abandonment import plan_abandonment


def abandon(c: Context, *, release: str, reason: str, yes: bool, wait: str) -> None:
    version = params.parse_release(release)
    if version is None:
        raise UsageError("release.abandon: which release?", hint="inv release.abandon --release v1.2.3")
    tools = wiring.toolbox(c.config)
    change = plan_abandonment(version, tools, reason=reason or "by hand")
    run_change(change, tools, yes=yes, wait=wait)
