"""What `bump`, `cut`, `commit`, `build` and `tag` do."""

from __future__ import annotations

from contextlib import suppress

from attrs import evolve
from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli.params import parse_bump
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import NOTHING_CHANGED, KaizenError, Refused
from kaizen_tasks.flows import catalogue, steps
from kaizen_tasks.flows.release import files, optional_files, pending
from kaizen_tasks.flows.runner import choose_executor, noting_interruptions, run_flow
from kaizen_tasks.flows.step import Flow
from kaizen_tasks.wiring import Toolbox

CUT_STEPS_IN_MEMORY = ("bump", "changelog", "commit")
"""Steps of `cut` that change nothing that anybody sees: their files are written by the last one."""


def bump(c: Context, *, part: str, to: str, force: bool) -> None:
    tools = wiring.toolbox(c.config)
    step = parse_bump(part, to, force=force, accept_released=False, ask_remote=bool(tools.settings.pipeline))
    optional_files.require_version_files(tools)
    release = _run_on_version_file((step,), tools)
    if release.commit and not tools.dry:
        with noting_interruptions(choose_executor(dry=False)) as execute:
            run_flow((steps.FastForward(),), release, tools, execute)
        _require_version_of(release, tools)


def _require_version_of(release: Release, tools: Toolbox) -> None:
    """Refuse to go on without the VERSION of a started release, because every further task would take another one."""
    if files.read_version(tools) != release.version:
        message = f"{release.name} was started before, and its branch has moved on"
        raise Refused(message, state=NOTHING_CHANGED, hint=f"finish it: inv release-{tools.settings.first_stage.name}")


def cut(c: Context, *, part: str, to: str, push: bool, skip_docs: str, force: bool) -> None:
    tools = wiring.toolbox(c.config, draft=True)
    step = evolve(parse_bump(part, to, force=force, ask_remote=False), push=push)
    starting_release = Release(version=files.read_version(tools))
    started_at = tools.clock.monotonic()
    tools.reporter.heading(f"{tools.settings.app}: cut {step.target_release(starting_release, tools).name}")
    flow = catalogue.cut(step, push=push, announce=tools.settings.release.announce, skip_docs=skip_docs)
    with noting_interruptions(choose_executor(dry=tools.dry), without_effect=CUT_STEPS_IN_MEMORY) as execute:
        release = run_flow(flow, starting_release, tools, execute)
    if not tools.dry:
        text = f"{release.name} is cut and pushed" if push else f"{release.name} is cut"
        next_step = "" if push else _how_to_push(tools)
        for problem in tools.run_report.finish(f"cut {release.name}", text=text, next_step=next_step):
            tools.reporter.note(f"note: {problem}")
        tools.reporter.summary(text, next_step, tools.clock.monotonic() - started_at)


def _how_to_push(tools: Toolbox) -> str:
    """Return what to type to push what was cut; empty if it is unclear to which remote, or if there is none."""
    with suppress(KaizenError):
        return "next: inv cut --push" if tools.scm.push_target().remote else ""
    return ""


def commit(c: Context) -> None:
    _run_on_version_file(catalogue.commit(), wiring.toolbox(c.config))


def build(c: Context) -> None:
    _run_on_pending_release((steps.Build(),), wiring.toolbox(c.config))


def tag(c: Context) -> None:
    _run_on_pending_release((steps.Tag(),), wiring.toolbox(c.config))


def _run_on_version_file(flow: Flow, tools: Toolbox) -> Release:
    """Run a flow on the release that VERSION names, which may have no commit yet; return the release."""
    with noting_interruptions(choose_executor(dry=tools.dry)) as execute:
        return run_flow(flow, Release(version=files.read_version(tools)), tools, execute)


def _run_on_pending_release(flow: Flow, tools: Toolbox) -> None:
    """Run a flow on the release that VERSION names, with its commit."""
    with noting_interruptions(choose_executor(dry=tools.dry)) as execute:
        run_flow(flow, pending.current_release(tools), tools, execute)
