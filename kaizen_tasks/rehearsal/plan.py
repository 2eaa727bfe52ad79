"""What a rehearsal runs: the commands, where they start from, and the variables that make them fast and local."""

from __future__ import annotations

import itertools
import os
import shlex
from pathlib import Path
from typing import TextIO

from attrs import evolve, frozen

from kaizen_tasks.adapters.build.select import ENGINES_IN_PYTHON
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.build.stand_in import STAND_IN
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.line import line_of_branch, line_of_environment

MAX_VERIFY_SECONDS = 30.0
"""Upper limit of `verify.timeout`: the configured one allows for the network and for AWS."""

PROMPTING_COMMANDS = ("deploy", "hotfix", "promote", "release", "rollback", "runtime", "setup")
"""Prefixes of the tasks that may ask before they change a protected environment."""


@frozen(kw_only=True)
class RehearsalPlan:
    """What to rehearse.

    Attributes:
        settings: the app's settings.
        flow: a command, or empty for the release and every promotion.
        like: the environment whose real service the services are like; None describes them by `[rehearse]` alone.
        engine: what builds images.
        stand_in_reason: why that is a stand-in which nobody has asked for; else empty.
        foreign_platform: what the app runs on according to its files, if these tasks do not deploy to it; else empty.
        insists: whether the engine was asked for, so that a build that fails is the result.
        work: an empty folder for everything.
        keep: whether the local cloud keeps running.
        out: the stream that people read.
    """

    settings: Settings
    flow: str
    like: Environment | None = None
    engine: str
    stand_in_reason: str = ""
    foreign_platform: str = ""
    insists: bool = False
    work: Path
    keep: bool
    out: TextIO

    @property
    def platforms(self) -> str:
        """The platforms that are rehearsed: `App Runner`, `App Runner and ECS`."""
        titles = dict.fromkeys(environment.kind.title for environment in self.settings.environments.values())
        return " and ".join(titles)

    @property
    def is_pipeline(self) -> bool:
        """Whether the flow begins with a release, so that it starts from services that were never released to."""
        return not self.flow or self.task == f"release-{self.settings.first_stage.name}"

    @property
    def task(self) -> str:
        """The name of the flow's first task; empty for the whole pipeline."""
        return self.flow.partition(" ")[0]

    @property
    def is_hotfix(self) -> bool:
        """Whether the flow starts from a hotfix branch."""
        return self.task == "hotfix"

    @property
    def can_stand_in(self) -> bool:
        """Whether a stand-in may take the place of an image that cannot be built here."""
        return not self.insists and self.engine not in ENGINES_IN_PYTHON

    def commands_on(self, branch: str) -> tuple[str, ...]:
        """Return the commands to run on a branch: stages that do not get the releases of its line are left out."""
        if self.flow:
            return (_with_yes(self.flow),)
        first_stage, *later_stages = self.settings.pipeline
        promotions = filter(None, (self._promotion(stage, branch) for stage in later_stages))
        return tuple(map(_with_yes, (f"release-{first_stage}", *promotions)))

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
    def environments_with_newest(self) -> tuple[str, ...]:
        """The names of the environments that have the last release: for a promotion, those of the stages before it."""
        if not self.task.startswith("promote"):
            return tuple(self.settings.environments)
        targets = flag_values(self.flow, "--env", "-e") or (self.task.removeprefix("promote-"),)
        positions = [self._position(name) for name in targets]
        stages = self.settings.pipeline[: min(positions)]
        members = (member.name for stage in stages for member in self.settings.stage(stage).environments)
        return tuple(dict.fromkeys(members))

    def _position(self, name: str) -> int:
        """Return the place in the pipeline of the stage that an environment or group is in."""
        members = set(self.settings.stage(name).environments)
        for position, stage in enumerate(self.settings.pipeline):
            if members & set(self.settings.stage(stage).environments):
                return position
        return 1

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

    @property
    def landscape_settings(self) -> Settings:
        """The settings with which the landscape is created: its images are stand-ins, whatever releases are."""
        settings, secrets = self.settings, self.settings.rehearse.secrets
        return evolve(
            settings,
            build=settings.build._replace(engine=STAND_IN),
            aws=settings.aws._replace(profile=""),
            # The file is not committed, so the clone lacks it.
            rehearse=settings.rehearse._replace(secrets=str(settings.root / secrets) if secrets else ""),
        )


def flag_values(flow: str, *flags: str) -> tuple[str, ...]:
    """Return the values of a flag in a command, by its long and short names."""
    words = shlex.split(flow)
    separate = (value for flag, value in itertools.pairwise(words) if flag in flags)
    attached = (word.partition("=")[2] for word in words if word.partition("=")[0] in flags and "=" in word)
    return (*separate, *attached)


def _with_yes(command: str) -> str:
    return f"{command} --yes" if command.startswith(PROMPTING_COMMANDS) and "--yes" not in command.split() else command
