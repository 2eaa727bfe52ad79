"""The settings model: what the rest of the project reads. It has no defaults; `defaults.toml` has them all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from kaizen_tasks.domain.duration import Seconds
from kaizen_tasks.domain.environment import Environment, Stage
from kaizen_tasks.domain.rollout import RolloutRules
from kaizen_tasks.domain.runtime_config import RuntimeRules
from kaizen_tasks.domain.smoke import SmokeCheck
from kaizen_tasks.domain.tag_pattern import TagPattern
from kaizen_tasks.errors import UsageError


@frozen(kw_only=True)
class AwsRules:
    """Which account and region; an empty account accepts any, an empty profile is boto3's default."""

    region: str
    account: str
    profile: str


@frozen(kw_only=True)
class BuildRules:
    """How the image is built.

    Attributes:
        context: folder of the build context, below the app's folder.
        dockerfile: path of the Dockerfile, below the context.
        version_arg: the build argument that receives `v1.2.3`.
        platform: `linux/amd64`; App Runner runs nothing else.
        engine: `auto`, `docker`, `podman`, `buildah` or `bundle`.
        command: entry point of a `bundle` image.
        args: further build arguments.
    """

    context: str
    dockerfile: str
    version_arg: str
    platform: str
    engine: str
    command: tuple[str, ...]
    args: Mapping[str, str]


@frozen(kw_only=True)
class ReleaseRules:
    """From where releases are made.

    Attributes:
        branches: names or patterns of branches that may be released.
        hotfix_branches: names or patterns of branches that a hotfix for one environment may come from.
        remote: the git remote.
        tag: name of the git tag; `{version}` stands for `1.2.3`.
        atomic: whether branch and tag are pushed both or neither; `false` is for a remote that cannot take them so.
    """

    branches: tuple[str, ...]
    hotfix_branches: tuple[str, ...]
    remote: str
    tag: str
    atomic: bool


@frozen(kw_only=True)
class GitTagRules:
    """How the git tag is made; `sign` uses gpg or ssh as git is configured."""

    sign: bool


@frozen(kw_only=True)
class DeployRules:
    """How long a deployment may take, in seconds."""

    timeout: Seconds


@frozen(kw_only=True)
class VerifyRules:
    """When the running app has proven its version.

    Attributes:
        path: where it says its version.
        matches: consecutive right answers, each over a new connection.
        interval: seconds between questions.
        timeout: seconds after which it has failed to.
    """

    path: str
    matches: int
    interval: Seconds
    timeout: Seconds


@frozen(kw_only=True)
class EvidenceRules:
    """What an environment wants to know of a release before it accepts it.

    Attributes:
        min_age: how long ago the release must have been verified in the stage before.
    """

    min_age: Seconds


@frozen(kw_only=True)
class DocsRule:
    """A release that touches `when` must touch `update`; both are glob patterns."""

    when: tuple[str, ...]
    update: tuple[str, ...]


@frozen(kw_only=True)
class Settings:
    """Everything that is configured, checked."""

    root: Path
    app: str
    pipeline: tuple[str, ...]
    aws: AwsRules
    build: BuildRules
    release: ReleaseRules
    tag: GitTagRules
    environments: Mapping[str, Environment]
    groups: Mapping[str, tuple[str, ...]]
    deploy: DeployRules
    verify: VerifyRules
    evidence: EvidenceRules
    smoke: tuple[SmokeCheck, ...]
    rollout: RolloutRules
    runtime: RuntimeRules
    docs_checklist: tuple[DocsRule, ...]

    def stage(self, name: str) -> Stage:
        """Return an environment or group by its name.

        Raises:
            UsageError: there is none; the nearest name is in the hint.
        """
        if name in self.groups:
            return Stage(name=name, environments=tuple(self.environments[member] for member in self.groups[name]))
        if name in self.environments:
            return Stage(name=name, environments=(self.environments[name],))
        raise self._unknown_stage_error(name)

    def _unknown_stage_error(self, name: str) -> UsageError:
        import difflib

        names = [*self.environments, *self.groups]
        matches = difflib.get_close_matches(name, names, n=1)
        hint = (
            f"did you mean {matches[0]}?"
            if matches
            else f"choose from {', '.join(names) or 'none: none is configured'}"
        )
        return UsageError(f"{name!r} is neither an environment nor a group", hint=hint)

    @property
    def first_stage(self) -> Stage:
        """The stage that is released to.

        Raises:
            UsageError: the configuration has no environments.
        """
        if not self.pipeline:
            raise UsageError(
                "no pipeline is configured, so there is nothing to deploy to",
                hint='add pipeline = ["staging"] and [environments.staging] to kaizen.toml',
            )
        return self.stage(self.pipeline[0])

    def stage_before(self, stage: Stage) -> Stage | None:
        """Return the stage from which `stage` is promoted; None for the first one.

        An environment inside a group has that group's place in the pipeline; one outside the pipeline comes after
        its first stage.

        Raises:
            UsageError: the environments of `stage` have different places.
        """
        positions = {self._pipeline_position(environment) for environment in stage.environments}
        if len(positions) > 1:
            raise UsageError(
                f"{stage.name}: these are different stages of the pipeline ({' → '.join(self.pipeline)})",
                hint="promote to one after the other",
            )
        position = positions.pop()
        return self.stage(self.pipeline[position - 1]) if position else None

    def _pipeline_position(self, environment: Environment) -> int:
        for position, name in enumerate(self.pipeline):
            if environment in self.stage(name).environments:
                return position
        return 1

    def git_tag(self, version: object) -> str:
        """Return the name of the git tag of a version."""
        return self.tag_pattern.format(version)

    @property
    def tag_pattern(self) -> TagPattern:
        """How versions are tagged in git."""
        return TagPattern(template=self.release.tag)
