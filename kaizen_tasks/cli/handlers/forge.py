"""What `announce` does."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import params
from kaizen_tasks.flows import steps
from kaizen_tasks.flows.runner import choose_executor, noting_interruptions, run_flow
from kaizen_tasks.flows.steps.announce import find_pushed_release


def announce(c: Context, *, release: str) -> None:
    tools = wiring.toolbox(c.config)
    pushed_release = find_pushed_release(params.parse_release(release), tools)
    with noting_interruptions(choose_executor(dry=tools.dry)) as execute:
        run_flow((steps.Announce(),), pushed_release, tools, execute)
