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
from kaizen_tasks.rehearsal import clone, fingerprint, image_tags, report_parser
from kaizen_tasks.rehearsal import cloud as clouds
from kaizen_tasks.rehearsal.clone import Copy
from kaizen_tasks.rehearsal.report_parser import RequestLog, Took

FOUNDING = "local.up"
"""What makes repositories, services and ledger."""

BEFORE = "v0.0.0"
"""What every service runs at first: below any release, so that the rehearsed one finds its own name free."""

LONGEST = 30.0
"""Seconds for an app on this machine to prove itself; what is configured allows for an internet in between."""

ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")
"""Variables with which git works on another repository than the one it stands in; a hook has them."""

ASKING = ("deploy", "hotfix", "promote", "release", "rollback", "runtime", "setup")
"""How the names of flows begin that may ask before they change a protected environment."""


@frozen(kw_only=True)
class Plan:
    """What is rehearsed.

    Attributes:
        settings: of the app.
        flow: a command, or empty for the whole train.
        engine: what builds images.
        work: an empty folder for everything.
        keep: whether the local cloud goes on afterwards.
        people: where everything for people goes.
    """

    settings: Settings
    flow: str
    engine: str
    work: Path
    keep: bool
    people: TextIO

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands in order: a promotion needs the way to it, and a rollback needs something to go back from."""
        first, *later = self.settings.pipeline
        train = (f"release-{first}", *(f"promote-{stage}" for stage in later))
        if not self.flow:
            return tuple(map(_agreeing, train))
        if self.flow in train:
            return tuple(map(_agreeing, train[: train.index(self.flow) + 1]))
        before = () if self.is_hotfix else train
        return tuple(map(_agreeing, (*before, self.flow)))

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
class Performance:
    """One command that was typed.

    Attributes:
        command: what was typed after `inv`.
        code: its exit code.
        error: what it said on stderr.
        seconds: how long it took.
        steps: its steps.
        changes: what would have changed on AWS, and how often.
    """

    command: str
    code: int
    error: str
    seconds: float
    steps: tuple[Took, ...]
    changes: Mapping[str, int]


@frozen(kw_only=True)
class Report:
    """What has become of a rehearsal.

    Attributes:
        copy: what it worked on.
        performances: the commands, in order; after one that failed there is none.
        refs: what would have changed at the remote: `main 1a2b3c4d5e → 5e4d3c2b1a`.
        witnessed: how many files and folders of the repository are as they were.
        environ: the variables that point at the local cloud, while it goes on.
    """

    copy: Copy
    performances: tuple[Performance, ...]
    refs: tuple[str, ...]
    witnessed: int
    environ: Mapping[str, str] = field(factory=dict)

    @property
    def code(self) -> int:
        """The exit code of the last command."""
        return self.performances[-1].code

    @property
    def began(self) -> bool:
        """Whether there was a scratch world to type the flow in; otherwise only its making is reported."""
        return not self.performances[0].command.startswith(FOUNDING)


def run(plan: Plan) -> Report:
    """Make the scratch world, type the commands, and look whether the repository is as it was.

    Raises:
        Refused: there is no repository, or no local cloud.
        KaizenError: the scratch world cannot be made, or the repository has changed meanwhile.
    """
    for name in ELSEWHERE:
        os.environ.pop(name, None)  # every git from here on is to work where it stands, above all in the scratch clone
    places = fingerprint.folders(plan.settings.root)
    before = fingerprint.testimony(places)
    copy = clone.make(plan.work, places[0], plan.settings, branches=plan.branches)
    for refusal in copy.refusals:
        _say(plan, f"would be refused: {refusal}")
    _check_flow(plan, copy)
    with image_tags.images_kept(plan.engine, plan.settings.app):
        performances, refs, environ = _perform(plan, copy)
    changed = fingerprint.changed(before, fingerprint.testimony(places))
    if changed:
        raise KaizenError(
            f"the rehearsal has left everything alone, or should have: {len(changed)} files differ: {changed[0]}",
            state="somebody else may have changed them meanwhile",
            hint="rehearse again while nothing else works there",
        )
    return Report(copy=copy, performances=performances, refs=refs, witnessed=len(before), environ=environ)


def _check_flow(plan: Plan, copy: Copy) -> None:
    """Ask for the help of the flow, before anything is started for it."""
    name = plan.flow.partition(" ")[0]
    if name and _type(f"--help {shlex.quote(name)}", plan, copy, {}, aloud=False).code:
        raise UsageError(f"--flow {name}: the app has no such task", state="nothing was started", hint="inv --list")


def _perform(plan: Plan, copy: Copy) -> tuple[tuple[Performance, ...], tuple[str, ...], Mapping[str, str]]:
    state, aws = plan.work / "cloud", plan.settings.aws
    runs = "process" if plan.engine == "bundle" else "auto"
    cloud = clouds.start(state, region=aws.region, account=aws.account or clouds.ACCOUNT, engine=runs)
    try:
        environ = {**cloud.environ, **_overrides(plan)}
        clouds.write_environ(cloud, **_overrides(plan))
        found = _type(
            f"{FOUNDING} --state {shlex.quote(str(state))} --first {BEFORE}", plan, copy, environ, aloud=False
        )
        if found.code:
            return (found,), (), {}
        refs = _refs(copy)
        performances = _type_all(plan, copy, environ)
        return performances, _moved(refs, _refs(copy)), environ if plan.keep else {}
    finally:
        if not plan.keep:
            clouds.stop(cloud)


def _type_all(plan: Plan, copy: Copy, environ: Mapping[str, str]) -> tuple[Performance, ...]:
    """Type one command after the other, as long as they succeed."""
    log, performances = RequestLog(plan.work / "cloud"), list[Performance]()
    log.new()  # what was founded is no part of it
    for command in plan.commands:
        performances.append(_type(command, plan, copy, environ, log=log))
        if performances[-1].code:
            break
    return tuple(performances)


def _agreeing(command: str) -> str:
    return f"{command} --yes" if command.startswith(ASKING) and "--yes" not in command.split() else command


def _overrides(plan: Plan) -> dict[str, str]:
    """Say what differs from the real thing: nobody signs, no profile is used, and nothing is far away."""
    ages = (f"INVOKE_ENVIRONMENTS_{name.upper()}_MIN_AGE" for name in plan.settings.environments)
    return {
        **dict.fromkeys((*ages, "INVOKE_EVIDENCE_MIN_AGE"), "0s"),
        "INVOKE_BUILD_ENGINE": plan.engine,
        "INVOKE_AWS_PROFILE": "",
        "INVOKE_TAG_SIGN": "",
        "INVOKE_ROLLOUT_BAKE": "0s",
        "INVOKE_VERIFY_TIMEOUT": f"{min(plan.settings.verify.timeout, LONGEST):g}s",
        "XDG_CACHE_HOME": str(plan.work / "cache"),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "GIT_LFS_SKIP_SMUDGE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _type(
    command: str,
    plan: Plan,
    copy: Copy,
    environ: Mapping[str, str],
    *,
    log: RequestLog | None = None,
    aloud: bool = True,
) -> Performance:
    """Type a command in the scratch clone; what it says goes to the people as it comes, and is kept."""
    if aloud:
        _say(plan, f"\n$ inv {command}")
    program = "invoke" if (copy.app / "tasks.py").is_file() else "kaizen_tasks"
    argv, began = (sys.executable, "-m", program, *shlex.split(command)), time.monotonic()
    lines = []
    with tempfile.TemporaryFile(mode="w+", encoding="utf-8") as errors:
        with subprocess.Popen(
            argv,
            cwd=copy.app,
            env={**clouds.surroundings(), **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
        ) as child:
            assert child.stdout is not None
            for line in child.stdout:
                lines.append(line.rstrip("\n"))
                if aloud:
                    _say(plan, lines[-1])
        errors.seek(0)
        said = errors.read().strip()
    return Performance(
        command=command,
        code=child.returncode,
        error=said,
        seconds=time.monotonic() - began,
        steps=report_parser.steps(lines),
        changes=report_parser.changes(log.new()) if log else {},
    )


def _refs(copy: Copy) -> Mapping[str, str]:
    """Return the branches and tags of the scratch remote; without one, those of the clone."""
    commit = "%(if)%(*objectname)%(then)%(*objectname:short=10)%(else)%(objectname:short=10)%(end)"
    listing = ("git", "for-each-ref", f"--format=%(refname:short) {commit}", "refs/heads", "refs/tags")
    found = process.run(listing, cwd=copy.remote or copy.app)
    return dict(line.rsplit(" ", 1) for line in found.out.splitlines())


def _moved(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{name} {before[name]} → {commit}" if name in before else f"{name} is new, {commit}"
        for name, commit in after.items()
        if before.get(name) != commit
    )


def _say(plan: Plan, text: str) -> None:
    plan.people.write(f"{text}\n")
    plan.people.flush()
