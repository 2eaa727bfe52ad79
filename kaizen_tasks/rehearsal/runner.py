"""A rehearsal: this app's own flows, run in a scratch clone against a local cloud."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

from attrs import evolve, field, frozen

from kaizen_tasks.adapters.console.events import EVENTS_VARIABLE, EventType, RunEvent
from kaizen_tasks.adapters.host import process
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.line import line_of_branch, line_of_environment
from kaizen_tasks.errors import KaizenError, UsageError
from kaizen_tasks.rehearsal import cloud as clouds
from kaizen_tasks.rehearsal.clone import ScratchClone, create_clone
from kaizen_tasks.rehearsal.commands import print_line, run_task
from kaizen_tasks.rehearsal.fingerprint import diff_fingerprints, fingerprint_tree, repo_folders
from kaizen_tasks.rehearsal.image_tags import preserve_image_tags
from kaizen_tasks.rehearsal.request_log import FileTail, count_changes

SETUP_COMMAND = "local.up"
"""The task that creates repositories, services and ledger."""

INITIAL_VERSION = "v0.0.0"
"""The version that every service runs at first: below any release, so that no release finds its tag taken."""

MAX_VERIFY_SECONDS = 30.0
"""Upper limit of `verify.timeout`: the configured one allows for the network and for AWS."""

GIT_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")
"""Variables that point git at another repository than the current folder's; git hooks run with them."""

PROMPTING_COMMANDS = ("deploy", "hotfix", "promote", "release", "rollback", "runtime", "setup")
"""Prefixes of the tasks that may ask before they change a protected environment."""

FINAL_VERDICTS = ("done", "failed", "ok", "already done")
"""Verdicts of steps that have ended."""


@frozen(kw_only=True)
class RehearsalPlan:
    """What to rehearse.

    Attributes:
        settings: the app's settings.
        flow: a command, or empty for the release and every promotion.
        engine: what builds images.
        work: an empty folder for everything.
        keep: whether the local cloud keeps running.
        out: the stream that people read.
    """

    settings: Settings
    flow: str
    engine: str
    work: Path
    keep: bool
    out: TextIO

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands to run, in order: a promotion needs the stages before it, a rollback an earlier release."""
        return self.commands_on("")

    def commands_on(self, branch: str) -> tuple[str, ...]:
        """Return the commands to run on a branch: stages that do not get the releases of its line are left out."""
        first_stage, *later_stages = self.settings.pipeline
        promotions = filter(None, (self._promotion(stage, branch) for stage in later_stages))
        pipeline_commands = (f"release-{first_stage}", *promotions)
        commands: tuple[str, ...] = pipeline_commands
        if self.flow in pipeline_commands:
            commands = pipeline_commands[: pipeline_commands.index(self.flow) + 1]
        elif self.flow:
            commands = (self.flow,) if self.is_hotfix else (*pipeline_commands, self.flow)
        return tuple(map(_with_yes, commands))

    def _promotion(self, stage: str, branch: str) -> str:
        """Return the command that promotes the releases of a branch to a stage; empty if they are not for it."""
        command = f"promote-{stage}"
        if not self.settings.lines:
            return command
        lines, members = self.settings.lines, self.settings.stage(stage).environments
        line = line_of_branch(lines, branch)
        if line is None or not line.environments:
            return command if any(line_of_environment(lines, member.name) is None for member in members) else ""
        names = [member.name for member in members if member.name in line.environments]
        if len(names) in {0, len(members)}:
            return command if names else ""
        return " ".join(("promote", *(f"--env {name}" for name in names)))

    @property
    def is_hotfix(self) -> bool:
        """Whether the flow starts from a hotfix branch."""
        return self.flow.partition(" ")[0] == "hotfix"

    @property
    def branches(self) -> tuple[str, ...]:
        """Names or patterns of the branches that the flow may start from."""
        return self.settings.release.hotfix_branches if self.is_hotfix else self.settings.release_branches

    @property
    def state(self) -> Path:
        """The local cloud's folder."""
        return self.work / "cloud"

    @property
    def events(self) -> Path:
        """The file with the events of all commands."""
        return self.work / "events.jsonl"

    @property
    def overrides(self) -> dict[str, str]:
        """Variables that make the rehearsal fast and local: no signing, no profile, no waiting."""
        secrets, root = self.settings.build.secrets.items(), self.settings.root
        secret_files = {name: root / secret.file for name, secret in secrets if secret.file and secret.file[0] != "~"}
        min_age_variables = (f"INVOKE_ENVIRONMENTS_{name.upper()}_MIN_AGE" for name in self.settings.environments)
        return {
            **dict.fromkeys((*min_age_variables, "INVOKE_EVIDENCE_MIN_AGE"), "0s"),
            # They are not committed, so the clone lacks them.
            **{f"INVOKE_BUILD_SECRETS_{name.upper()}_FILE": str(file) for name, file in secret_files.items()},
            "INVOKE_BUILD_ENGINE": self.engine,
            "INVOKE_AWS_PROFILE": "",
            "INVOKE_TAG_SIGN": "",
            "INVOKE_ROLLOUT_BAKE": "0s",
            "INVOKE_VERIFY_TIMEOUT": f"{min(self.settings.verify.timeout, MAX_VERIFY_SECONDS):g}s",
            "XDG_CACHE_HOME": str(self.work / "cache"),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "GIT_LFS_SKIP_SMUDGE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }


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


@frozen(kw_only=True)
class RehearsalReport:
    """The result of a rehearsal.

    Attributes:
        clone: the repository it worked on.
        command_runs: the commands, in order, up to the first that failed.
        refs: what would have changed at the remote: `main 1a2b3c4d5e → 5e4d3c2b1a`.
        unchanged_count: number of files and folders of the repository, none of which has changed.
        environ: variables that point at the local cloud, if it keeps running.
    """

    clone: ScratchClone
    command_runs: tuple[CommandRun, ...]
    refs: tuple[str, ...]
    unchanged_count: int
    environ: Mapping[str, str] = field(factory=dict)

    @property
    def exit_code(self) -> int:
        """The exit code of the last command."""
        return self.command_runs[-1].exit_code

    @property
    def has_started(self) -> bool:
        """Whether the flow was run; otherwise the local cloud could not be set up."""
        return not self.command_runs[0].command.startswith(SETUP_COMMAND)


def run_rehearsal(plan: RehearsalPlan) -> RehearsalReport:
    """Clone the app, run the commands against a local cloud, and verify that the repository is unchanged.

    Raises:
        Refused: there is no repository, or no local cloud.
        KaizenError: the clone cannot be made, or the repository has changed.
    """
    for name in GIT_VARIABLES:
        os.environ.pop(name, None)  # git must work in the folder that it is started in
    folders = repo_folders(plan.settings.root)
    before = fingerprint_tree(folders)
    clone = create_clone(plan.work, folders[0], plan.settings, branches=plan.branches)
    for refusal in clone.refusals:
        print_line(plan.out, f"would be refused: {refusal}")
    _check_flow(plan, clone)
    with preserve_image_tags(plan.engine, plan.settings.app):
        report = _rehearse_in_cloud(plan, clone, unchanged_count=len(before))
    if changed_paths := diff_fingerprints(before, fingerprint_tree(folders)):
        others = f" and {len(changed_paths) - 1} more" if len(changed_paths) > 1 else ""
        message = f"your repository changed during the rehearsal: {changed_paths[0]}{others}"
        hint = "rehearse again while nothing else works in the repository"
        raise KaizenError(message, state="a rehearsal changes nothing there; another program may have", hint=hint)
    return report


def _check_flow(plan: RehearsalPlan, clone: ScratchClone) -> None:
    """Raise if the app has no such flow, by running its `--help`, before anything is started for it."""
    name = plan.flow.partition(" ")[0]
    if not name:
        return
    command = f"--help {shlex.quote(name)}"
    if run_task(command, clone.app_folder, {}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).returncode:
        raise UsageError(f"--flow {name}: the app has no such task", state="nothing was started", hint="inv --list")


def _rehearse_in_cloud(plan: RehearsalPlan, clone: ScratchClone, *, unchanged_count: int) -> RehearsalReport:
    runner, refs_before = _CommandRunner(plan, clone), _list_refs(clone)
    is_kept = False  # a cloud that was not set up, or whose rehearsal was interrupted, is of no use to anybody
    try:
        command_runs = _run_commands(plan, runner, clone.branch)
        refs = _describe_ref_changes(refs_before, _list_refs(clone))
        report = RehearsalReport(clone=clone, command_runs=command_runs, refs=refs, unchanged_count=unchanged_count)
        is_kept = plan.keep and report.has_started
    finally:
        cloud = clouds.find_cloud(plan.state)
        if cloud is not None and not is_kept:
            clouds.stop_cloud(cloud)
    if cloud is None or not is_kept:
        return report
    clouds.write_env_file(cloud, **plan.overrides)
    return evolve(report, environ={**cloud.environ, **plan.overrides})


def _run_commands(plan: RehearsalPlan, runner: _CommandRunner, branch: str) -> tuple[CommandRun, ...]:
    """Start and set up the cloud, then run one command after the other until one fails; return those that ran."""
    setup = f"{SETUP_COMMAND} --state {shlex.quote(str(plan.state))} --first {INITIAL_VERSION}"
    setup_run, cloud = runner.run(setup, echo=False), clouds.find_cloud(plan.state)
    if setup_run.exit_code or cloud is None:
        return (evolve(setup_run, steps=(), changes={}),)
    runner.environ.update(cloud.environ, **plan.overrides)
    command_runs = list[CommandRun]()
    for command in plan.commands_on(branch):
        command_runs.append(runner.run(command))
        if command_runs[-1].exit_code:
            break
    return tuple(command_runs)


def _with_yes(command: str) -> str:
    return f"{command} --yes" if command.startswith(PROMPTING_COMMANDS) and "--yes" not in command.split() else command


class _CommandRunner:
    """Runs commands in the scratch clone, and collects what each one did."""

    def __init__(self, plan: RehearsalPlan, clone: ScratchClone) -> None:
        self.environ = {**plan.overrides, EVENTS_VARIABLE: str(plan.events)}
        self._plan = plan
        self._folder = clone.app_folder
        self._events = FileTail(plan.events)
        self._requests = FileTail(plan.state / "requests.jsonl")

    def run(self, command: str, *, echo: bool = True) -> CommandRun:
        """Run a command and return its result with what it wrote to stderr; show its other output as it comes."""
        if echo:
            print_line(self._plan.out, f"\n$ inv {command}")
        started_at = time.monotonic()
        with tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace") as error_file:
            stdout = self._plan.out if echo else subprocess.DEVNULL
            result = run_task(command, self._folder, self.environ, stdout=stdout, stderr=error_file)
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
