"""What `propose` and `announce` do."""

from __future__ import annotations

from attrs import evolve
from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import params
from kaizen_tasks.domain.release import Release
from kaizen_tasks.flows import catalogue, steps
from kaizen_tasks.flows.release import files, pending, proposal
from kaizen_tasks.flows.release.announcement import find_pushed_release
from kaizen_tasks.flows.runner import choose_executor, noting_interruptions, run_flow

STEPS_IN_MEMORY = ("bump", "changelog")


def propose(c: Context, *, part: str, to: str, skip_docs: str, force: bool, discard_edits: bool) -> None:
    tools = wiring.toolbox(c.config, draft=True)
    step = params.parse_bump(part, to, force=force, ask_remote=False)
    release = Release(version=files.read_version(tools))
    if proposal.has_nothing_to_propose(tools):
        message = f"nothing is noted under [Unreleased] since {release.version}, so there is nothing to propose"
        tools.reporter.note(message)
        return
    proposal.require_pushed(tools)
    if pending.is_left_behind(release.version, tools):
        step = evolve(step, ask_remote=True)
    asks_version, target = bool(to) or step.part != "auto", step.target_release(release, tools).version
    free_version = proposal.free_version(target, tools)
    if not to and free_version != target:
        step = evolve(step, to=free_version)
    tools.reporter.heading(f"{tools.settings.app}: propose {Release(version=step.to or target).name}")
    flow = catalogue.proposal(step, asks_version=asks_version, discard_edits=discard_edits, skip_docs=skip_docs)
    with noting_interruptions(choose_executor(dry=tools.dry), without_effect=STEPS_IN_MEMORY) as execute:
        run_flow(flow, release, tools, execute)


def announce(c: Context, *, release: str) -> None:
    tools = wiring.toolbox(c.config)
    pushed_release = find_pushed_release(params.parse_release(release), tools)
    with noting_interruptions(choose_executor(dry=tools.dry)) as execute:
        run_flow((steps.Announce(),), pushed_release, tools, execute)
