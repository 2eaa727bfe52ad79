"""A rehearsal: flows of this very app, typed in a scratch clone against a local cloud."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from attrs import field, frozen

from kaizen_tasks.adapters.host import process
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.errors import KaizenError, UsageError
from kaizen_tasks.rehearsal import cloud as clouds
from kaizen_tasks.rehearsal import image_tags, report_parser
from kaizen_tasks.rehearsal.clone import ScratchClone, create_clone
from kaizen_tasks.rehearsal.fingerprint import diff_fingerprints, fingerprint_tree, repo_folders
from kaizen_tasks.rehearsal.report_parser import RequestLogReader, StepTiming

SETUP_COMMAND = "local.up"
"""What makes repositories, services and ledger."""

INITIAL_VERSION = "v0.0.0"
"""What every service runs at first: below any release, so that the rehearsed one finds its own name free."""

MAX_VERIFY_SECONDS = 30.0
"""Seconds for an app on this machine to prove itself; what is configured allows for an internet in between."""

GIT_LOCATION_VARS = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
)
"""Variables with which git works on another repository than the one it stands in; a hook has them."""

PROMPTING_COMMANDS = ("deploy", "hotfix", "promote", "release", "rollback", "runtime", "setup")
"""How the names of flows begin that may ask before they change a protected environment."""


@frozen(kw_only=True)
class RehearsalPlan:
    """What is rehearsed.

    Attributes:
        settings: of the app.
        flow: a command, or empty for the whole train.
        engine: what builds images.
        work: an empty folder for everything.
        keep: whether the local cloud goes on afterwards.
        out: where everything for people goes.
    """

    settings: Settings
    flow: str
    engine: str
    work: Path
    keep: bool
    out: TextIO

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands in order: a promotion needs the way to it, and a rollback needs something to go back from."""
        first_stage, *later_stages = self.settings.pipeline
        pipeline_commands = (f"release-{first_stage}", *(f"promote-{stage}" for stage in later_stages))
        if not self.flow:
            return tuple(map(_with_yes, pipeline_commands))
        if self.flow in pipeline_commands:
            return tuple(map(_with_yes, pipeline_commands[: pipeline_commands.index(self.flow) + 1]))
        prior_commands = () if self.is_hotfix else pipeline_commands
        return tuple(map(_with_yes, (*prior_commands, self.flow)))

    @property
    def is_hotfix(self) -> bool:
        """Whether the flow starts from a hotfix branch."""
        return self.flow.partition(" ")[0] == "hotfix"

    @property
    def branches(self) -> tuple[str, ...]:
        """From which branches the flow starts."""
        rules = self.settings.release
        return rules.hotfix_branches if self.is_hotfix else rules.branches


@frozen(kw_only=True)
class CommandRun:
    """One command that was typed.

    Attributes:
        command: what was typed after `inv`.
        exit_code: its exit code.
        error: what it said on stderr.
        seconds: how long it took.
        steps: its steps.
        changes: what would have changed on AWS, and how often.
    """

    command: str
    exit_code: int
    error: str
    seconds: float
    steps: tuple[StepTiming, ...]
    changes: Mapping[str, int]


@frozen(kw_only=True)
class RehearsalReport:
    """What has become of a rehearsal.

    Attributes:
        clone: what it worked on.
        command_runs: the commands, in order; after one that failed there is none.
        refs: what would have changed at the remote: `main 1a2b3c4d5e → 5e4d3c2b1a`.
        unchanged_count: how many files and folders of the repository are as they were.
        environ: the variables that point at the local cloud, while it goes on.
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
        """Whether there was a scratch world to type the flow in; otherwise only its making is reported."""
        return not self.command_runs[0].command.startswith(SETUP_COMMAND)


def run_rehearsal(plan: RehearsalPlan) -> RehearsalReport:
    """Make the scratch world, type the commands, and look whether the repository is as it was.

    Raises:
        Refused: there is no repository, or no local cloud.
        KaizenError: the scratch world cannot be made, or the repository has changed meanwhile.
    """
    for name in GIT_LOCATION_VARS:
        os.environ.pop(name, None)  # every git from here on is to work where it stands, above all in the scratch clone
    folders = repo_folders(plan.settings.root)
    before = fingerprint_tree(folders)
    clone = create_clone(plan.work, folders[0], plan.settings, branches=plan.branches)
    for refusal in clone.refusals:
        _print_line(plan, f"would be refused: {refusal}")
    _check_flow(plan, clone)
    with image_tags.preserve_image_tags(plan.engine, plan.settings.app):
        command_runs, refs, environ = _rehearse_in_cloud(plan, clone)
    changed_paths = diff_fingerprints(before, fingerprint_tree(folders))
    if changed_paths:
        raise KaizenError(
            f"the rehearsal has left everything alone, or should have: {len(changed_paths)} files differ: {changed_paths[0]}",
            state="somebody else may have changed them meanwhile",
            hint="rehearse again while nothing else works there",
        )
    return RehearsalReport(
        clone=clone, command_runs=command_runs, refs=refs, unchanged_count=len(before), environ=environ
    )


def _check_flow(plan: RehearsalPlan, clone: ScratchClone) -> None:
    """Ask for the help of the flow, before anything is started for it."""
    name = plan.flow.partition(" ")[0]
    if name and _run_command(f"--help {shlex.quote(name)}", plan, clone, {}, echo=False).exit_code:
        raise UsageError(f"--flow {name}: the app has no such task", state="nothing was started", hint="inv --list")


def _rehearse_in_cloud(
    plan: RehearsalPlan, clone: ScratchClone
) -> tuple[tuple[CommandRun, ...], tuple[str, ...], Mapping[str, str]]:
    state, aws = plan.work / "cloud", plan.settings.aws
    cloud_engine = "process" if plan.engine == "bundle" else "auto"
    cloud = clouds.start_cloud(
        state, region=aws.region, account=aws.account or clouds.DEFAULT_ACCOUNT, engine=cloud_engine
    )
    try:
        environ = {**cloud.environ, **_environ_overrides(plan)}
        clouds.write_env_file(cloud, **_environ_overrides(plan))
        setup_run = _run_command(
            f"{SETUP_COMMAND} --state {shlex.quote(str(state))} --first {INITIAL_VERSION}",
            plan,
            clone,
            environ,
            echo=False,
        )
        if setup_run.exit_code:
            return (setup_run,), (), {}
        refs_before = _list_refs(clone)
        command_runs = _run_commands(plan, clone, environ)
        return command_runs, _describe_ref_changes(refs_before, _list_refs(clone)), environ if plan.keep else {}
    finally:
        if not plan.keep:
            clouds.stop_cloud(cloud)


def _run_commands(plan: RehearsalPlan, clone: ScratchClone, environ: Mapping[str, str]) -> tuple[CommandRun, ...]:
    """Type one command after the other, as long as they succeed."""
    log, command_runs = RequestLogReader(plan.work / "cloud"), list[CommandRun]()
    log.read_new()  # what was founded is no part of it
    for command in plan.commands:
        command_runs.append(_run_command(command, plan, clone, environ, log=log))
        if command_runs[-1].exit_code:
            break
    return tuple(command_runs)


def _with_yes(command: str) -> str:
    return f"{command} --yes" if command.startswith(PROMPTING_COMMANDS) and "--yes" not in command.split() else command


def _environ_overrides(plan: RehearsalPlan) -> dict[str, str]:
    """Say what differs from the real thing: nobody signs, no profile is used, and nothing is far away."""
    min_age_variables = (f"INVOKE_ENVIRONMENTS_{name.upper()}_MIN_AGE" for name in plan.settings.environments)
    return {
        **dict.fromkeys((*min_age_variables, "INVOKE_EVIDENCE_MIN_AGE"), "0s"),
        "INVOKE_BUILD_ENGINE": plan.engine,
        "INVOKE_AWS_PROFILE": "",
        "INVOKE_TAG_SIGN": "",
        "INVOKE_ROLLOUT_BAKE": "0s",
        "INVOKE_VERIFY_TIMEOUT": f"{min(plan.settings.verify.timeout, MAX_VERIFY_SECONDS):g}s",
        "XDG_CACHE_HOME": str(plan.work / "cache"),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "GIT_LFS_SKIP_SMUDGE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _run_command(
    command: str,
    plan: RehearsalPlan,
    clone: ScratchClone,
    environ: Mapping[str, str],
    *,
    log: RequestLogReader | None = None,
    echo: bool = True,
) -> CommandRun:
    """Type a command in the scratch clone; what it says goes to the people as it comes, and is kept."""
    if echo:
        _print_line(plan, f"\n$ inv {command}")
    program = "invoke" if (clone.app_folder / "tasks.py").is_file() else "kaizen_tasks"
    argv, started_at = (sys.executable, "-m", program, *shlex.split(command)), time.monotonic()
    lines = []
    with tempfile.TemporaryFile(mode="w+", encoding="utf-8") as error_file:
        with subprocess.Popen(
            argv,
            cwd=clone.app_folder,
            env={**clouds.clean_environ(), **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=error_file,
            encoding="utf-8",
        ) as child:
            assert child.stdout is not None
            for line in child.stdout:
                lines.append(line.rstrip("\n"))
                if echo:
                    _print_line(plan, lines[-1])
        error_file.seek(0)
        error_text = error_file.read().strip()
    return CommandRun(
        command=command,
        exit_code=child.returncode,
        error=error_text,
        seconds=time.monotonic() - started_at,
        steps=report_parser.parse_step_timings(lines),
        changes=report_parser.count_changes(log.read_new()) if log else {},
    )


def _list_refs(clone: ScratchClone) -> Mapping[str, str]:
    """Return the branches and tags of the scratch remote; without one, those of the clone."""
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


def _print_line(plan: RehearsalPlan, text: str) -> None:
    plan.out.write(f"{text}\n")
    plan.out.flush()
