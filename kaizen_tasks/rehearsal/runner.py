"""A rehearsal: this app's own flows, run in a scratch clone against a local cloud."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Mapping

from attrs import evolve, field, frozen

from kaizen_tasks.adapters.console.events import EVENTS_VARIABLE, EventType, RunEvent
from kaizen_tasks.adapters.host import process
from kaizen_tasks.domain.build.failure import UNAVAILABLE_HINT
from kaizen_tasks.domain.build.stand_in import STAND_IN
from kaizen_tasks.domain.text.listing import counted
from kaizen_tasks.errors import BuildFailed
from kaizen_tasks.rehearsal import flow_check
from kaizen_tasks.rehearsal.clone import ScratchClone, create_clone
from kaizen_tasks.rehearsal.commands import ERROR_LABEL, print_line, run_task
from kaizen_tasks.rehearsal.fingerprint import diff_fingerprints, fingerprint_repository, repo_folders
from kaizen_tasks.rehearsal.local_cloud import cloud as clouds
from kaizen_tasks.rehearsal.local_cloud import profiles
from kaizen_tasks.rehearsal.local_cloud import registry as cloud_registry
from kaizen_tasks.rehearsal.local_cloud.request_log import FileTail, count_changes
from kaizen_tasks.rehearsal.plan import RehearsalPlan
from kaizen_tasks.rehearsal.services.image_tags import preserve_image_tags
from kaizen_tasks.rehearsal.start import Start, prepare_start

GIT_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")
"""Variables that point git at another repository than the current folder's; git hooks run with them."""

FINAL_VERDICTS = ("done", "failed", "ok", "already done")
"""Verdicts of steps that have ended."""


@frozen(kw_only=True)
class CommandRun:
    """One command that was run.

    Attributes:
        command: what is typed after `inv`.
        exit_code: its exit code.
        error: what it wrote to stderr.
        seconds: how long it took.
        steps: the last event of each step that ended.
        changes: what it would have changed on AWS, and how often.
    """

    command: str
    exit_code: int
    error: str
    seconds: float
    steps: tuple[RunEvent, ...]
    changes: Mapping[str, int]

    @property
    def lacks_image(self) -> bool:
        """Whether it failed because this machine could not get what the image is built from."""
        return self.exit_code == BuildFailed.exit_code and UNAVAILABLE_HINT in self.error


@frozen(kw_only=True)
class RehearsalReport:
    """The result of a rehearsal.

    Attributes:
        plan: what was rehearsed; its engine is what has built the images.
        clone: the repository it worked on.
        command_runs: the commands, in order, up to the first that failed.
        refs: what would have changed at the remote: `main 1a2b3c4d5e → 5e4d3c2b1a`.
        compared_count: number of files and refs of the repository that were compared before and after.
        changed: the names of those that have changed meanwhile.
        environ: variables that point at the local cloud, if it keeps running.
    """

    plan: RehearsalPlan
    clone: ScratchClone
    command_runs: tuple[CommandRun, ...]
    refs: tuple[str, ...]
    compared_count: int = 0
    changed: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(factory=dict)

    @property
    def exit_code(self) -> int:
        """The exit code of the last command."""
        return self.command_runs[-1].exit_code

    @property
    def unproven(self) -> tuple[str, ...]:
        """What a real run may still fail at, because the images were stand-ins, or services run somewhere else."""
        platform = self.plan.foreign_platform
        elsewhere = (f"anything about {platform}: {self.plan.platforms} was rehearsed",) if platform else ()
        return (*self._unproven_of_images(), *elsewhere)

    def _unproven_of_images(self) -> tuple[str, ...]:
        steps = {step.step for command_run in self.command_runs for step in command_run.steps}
        if "deploy" not in steps:
            return ()
        if "build" not in steps:
            return ("that the app starts: earlier releases are stand-ins here, which only answer",)
        if self.plan.engine != STAND_IN:
            return ()
        checks = self.plan.settings.smoke
        smoke = (f"its {counted(len(checks), 'smoke check')}",) if checks else ()
        return ("that the image can be built, and that the app starts and answers", *smoke)


def run_rehearsal(plan: RehearsalPlan) -> RehearsalReport:
    """Clone the app, run the commands against a local cloud, and compare the repository with what it was before.

    Raises:
        UsageError: the app has no such flow.
        Refused: there is no repository, or no local cloud.
        KaizenError: the clone or the landscape cannot be made.
    """
    for name in GIT_VARIABLES:
        os.environ.pop(name, None)  # git must work in the folder that it is started in
    top = repo_folders(plan.settings.root)[0]
    before = fingerprint_repository(top)
    clone = create_clone(plan.work, top, plan.settings, branches=plan.branches)
    flow_check.check_tasks(plan.flow, clone.app_folder)
    start = prepare_start(plan, clone)
    with preserve_image_tags(plan.engine, plan.settings.app):
        report = _rehearse_in_cloud(plan, start)
    changed = diff_fingerprints(before, fingerprint_repository(top))
    return evolve(report, compared_count=len(before), changed=changed)


def _rehearse_in_cloud(plan: RehearsalPlan, start: Start) -> RehearsalReport:
    """Start a cloud with the landscape, run the commands, and stop it unless it is kept."""
    clone, is_kept = start.clone, False  # a cloud that was not set up is of no use to anybody
    settings = plan.settings
    cloud = cloud_registry.start_registered_cloud(
        plan.state,
        region=settings.aws.region or clouds.DEFAULT_REGION,
        account=settings.aws.account or clouds.DEFAULT_ACCOUNT,
        engine="auto",
        port=0,
    )
    try:
        profiles.write_profiles(cloud, settings)
        start.create_landscape(cloud)
        runner, refs_before = _CommandRunner(plan, clone, cloud.environ), _list_refs(clone)
        command_runs = runner.run_all(plan.commands_on(clone.branch))
        refs = _describe_ref_changes(refs_before, _list_refs(clone))
        report = RehearsalReport(plan=runner.plan, clone=clone, command_runs=command_runs, refs=refs)
        is_kept = plan.keep
    finally:
        if not is_kept:
            clouds.stop_cloud(cloud)
    if not is_kept:
        return report
    clouds.write_env_file(cloud, **runner.plan.overrides)
    return evolve(report, environ={**runner.plan.overrides, **cloud.environ})


class _CommandRunner:
    """Runs commands in the scratch clone, and collects what each one did.

    Attributes:
        plan: the plan; its engine becomes the one of stand-ins when an image cannot be built.
    """

    def __init__(self, plan: RehearsalPlan, clone: ScratchClone, cloud_environ: Mapping[str, str]) -> None:
        self.plan = plan
        self._cloud_environ = cloud_environ
        self._folder = clone.app_folder
        self._events = FileTail(plan.events)
        self._requests = FileTail(plan.state / "requests.jsonl")
        self._requests.read_new_lines()  # those of the landscape

    def run_all(self, commands: Iterable[str]) -> tuple[CommandRun, ...]:
        """Run one command after the other until one fails; return those that ran."""
        command_runs = list[CommandRun]()
        for command in commands:
            run = self.run(command)
            if run.lacks_image and self.plan.can_stand_in:
                self._replace_engine(run)
                run = self.run(command)
            command_runs.append(run)
            if run.exit_code:
                break
        return tuple(command_runs)

    def _replace_engine(self, failed_run: CommandRun) -> None:
        """Let a stand-in take the place of an image that cannot be built; a failed build leaves no trace."""
        reason = failed_run.error.splitlines()[0].removeprefix(ERROR_LABEL)
        self.plan = evolve(self.plan, engine=STAND_IN, stand_in_reason=reason)
        print_line(self.plan.out, f"going on with a stand-in image: {reason}")

    def run(self, command: str) -> CommandRun:
        """Run a command and return its result with what it wrote to stderr; show its other output as it comes."""
        print_line(self.plan.out, f"\n$ inv {command}")
        started_at = time.monotonic()
        environ = {**self.plan.overrides, **self._cloud_environ, EVENTS_VARIABLE: str(self.plan.events)}
        with tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace") as error_file:
            result = run_task(command, self._folder, environ, stdout=self.plan.out, stderr=error_file)
            error_file.seek(0)
            error_text = error_file.read().strip()
        return CommandRun(
            command=command,
            exit_code=result.returncode,
            error=error_text,
            seconds=time.monotonic() - started_at,
            steps=finished_steps(map(RunEvent.parse, self._events.read_new_lines())),
            changes=count_changes(self._requests.read_new_lines()),
        )


def finished_steps(events: Iterable[RunEvent]) -> tuple[RunEvent, ...]:
    """Return the last event of each step that has ended."""
    types = {EventType.DECIDED, EventType.FINISHED}
    return tuple(event for event in events if event.type in types and event.verdict in FINAL_VERDICTS)


def _list_refs(clone: ScratchClone) -> Mapping[str, str]:
    """Return the commit of each branch and tag of the scratch remote; without a remote, of the clone."""
    commit_format = "%(if)%(*objectname)%(then)%(*objectname:short=10)%(else)%(objectname:short=10)%(end)"
    argv = ("git", "for-each-ref", f"--format=%(refname:short) {commit_format}", "refs/heads", "refs/tags")
    result = process.run(argv, cwd=clone.remote or clone.app_folder)
    return dict(line.rsplit(" ", 1) for line in result.out.splitlines())


def _describe_ref_changes(old_refs: Mapping[str, str], new_refs: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{name} {old_refs[name]} → {commit}" if name in old_refs else f"{name} is new, {commit}"
        for name, commit in new_refs.items()
        if old_refs.get(name) != commit
    )
