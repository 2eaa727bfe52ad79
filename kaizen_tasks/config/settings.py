"""The checked configuration that the rest of the project reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from kaizen_tasks.config.tables import (
    AwsRules,
    BuildRules,
    ChangelogRules,
    DeployRules,
    DocsRule,
    EvidenceRules,
    GitTagRules,
    RehearseRules,
    ReleaseRules,
    RolloutRules,
    RuntimeTable,
    VerifyRules,
    VersionFile,
)
from kaizen_tasks.domain.tag_pattern import TagPattern
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.bump_inference import BumpRules
    from kaizen_tasks.domain.environment import Environment, Stage  # noqa: TC004 - an app alone does not load these
    from kaizen_tasks.domain.health import VersionFormat
    from kaizen_tasks.domain.line import Line  # noqa: TC004 - a release without lines does not load it
    from kaizen_tasks.domain.notification.target import NotifyTarget  # noqa: TC004 - nor those without messages
    from kaizen_tasks.domain.runtime_config import RuntimeRules
    from kaizen_tasks.domain.smoke import SmokeCheck  # noqa: TC004

MAX_SHOWN_LENGTH = 64
"""Characters of an unknown name that an error repeats."""

DEPLOY_HINT = 'to deploy, add pipeline = ["staging"] and [environments.staging] to kaizen.toml'
"""What to type where the configuration has no environments."""


@frozen(kw_only=True)
class Settings:
    """The whole configuration, checked.

    Attributes:
        variables: values of the environment variables that `[verify.headers]` names, of those that are set.
    """

    root: Path
    app: str
    pipeline: tuple[str, ...]
    aws: AwsRules
    build: BuildRules
    changelog: ChangelogRules
    release: ReleaseRules
    tag: GitTagRules
    environments: Mapping[str, Environment]
    groups: Mapping[str, tuple[str, ...]]
    deploy: DeployRules
    verify: VerifyRules
    evidence: EvidenceRules
    smoke: tuple[SmokeCheck, ...]
    rollout: RolloutRules
    runtime_table: RuntimeTable
    rehearse: RehearseRules
    docs_checklist: tuple[DocsRule, ...]
    version_files: tuple[VersionFile, ...]
    notify: tuple[NotifyTarget, ...] = ()
    lines: tuple[Line, ...] = ()
    variables: Mapping[str, str] = field(factory=dict, repr=False)

    @property
    def release_branches(self) -> tuple[str, ...]:
        """The names or patterns of the branches that releases are made from, those of lines included."""
        return (*self.release.branches, *(line.branch for line in self.lines))

    @property
    def has_several_lines(self) -> bool:
        """Whether releases may be made from more than one branch."""
        branches = self.release_branches
        return len(branches) > 1 or any(character in branch for branch in branches for character in "*?[")

    @property
    def former_names(self) -> Mapping[str, tuple[str, ...]]:
        """The names that environments had before, by environment; only those that were renamed."""
        return {name: environment.formerly for name, environment in self.environments.items() if environment.formerly}

    def stage(self, name: str) -> Stage:
        """Return the environment or group of this name as a stage.

        Raises:
            UsageError: there is no such stage; the nearest name is in the hint.
        """
        from kaizen_tasks.domain.environment import Stage

        if name in self.groups:
            return Stage(name=name, environments=tuple(self.environments[member] for member in self.groups[name]))
        if name in self.environments:
            return Stage(name=name, environments=(self.environments[name],))
        raise self._unknown_stage_error(name)

    def _unknown_stage_error(self, name: str) -> UsageError:
        import difflib

        shown_name = name if len(name) <= MAX_SHOWN_LENGTH else f"{name[:MAX_SHOWN_LENGTH]}…"
        message = f"{shown_name!r} is neither an environment nor a group"
        names = [*self.environments, *self.groups]
        parts = [part.strip() for part in name.split(",")]
        if len(parts) > 1 and set(parts) <= {*names}:
            *others, last = parts
            right = (*(word for part in others for word in (part, "--env")), last)
            return UsageError(message, hint=f"repeat --env: --env {' '.join(right)}", wrong=name, right=right)
        matches = difflib.get_close_matches(name, names, n=1)
        if names:
            hint = f"did you mean {matches[0]}?" if matches else f"choose from {', '.join(names)}"
        else:
            hint = f"a release without environments: inv cut; {DEPLOY_HINT}"
        return UsageError(message, hint=hint, wrong=name, right=tuple(matches))

    @property
    def first_stage(self) -> Stage:
        """The stage that releases go to.

        Raises:
            UsageError: the configuration has no environments.
        """
        if not self.pipeline:
            raise UsageError("no pipeline is configured, so there is nothing to deploy to", hint=DEPLOY_HINT)
        return self.stage(self.pipeline[0])

    def stage_before(self, stage: Stage) -> Stage | None:
        """Return the stage from which `stage` is promoted; None for the first one.

        An environment inside a group has that group's place in the pipeline; an environment outside the pipeline
        comes after the first stage.

        Raises:
            UsageError: the environments of `stage` have different places.
        """
        positions = {self._pipeline_position(environment) for environment in stage.environments}
        if len(positions) > 1:
            names = ", ".join(environment.name for environment in stage.environments)
            message = f"{names} are in different stages ({' → '.join(self.pipeline)})"
            raise UsageError(message, hint="promote to one stage after the other")
        position = positions.pop()
        return self.stage(self.pipeline[position - 1]) if position else None

    def _pipeline_position(self, environment: Environment) -> int:
        for position, name in enumerate(self.pipeline):
            if environment in self.stage(name).environments:
                return position
        return 1

    def neighbours(self, environment: Environment) -> tuple[Environment, ...]:
        """Return the other environments of the first group that an environment is in."""
        members = next((names for names in self.groups.values() if environment.name in names), ())
        return tuple(self.environments[name] for name in members if name != environment.name)

    def followed_tags(self, environment: Environment) -> tuple[str, ...]:
        """Return the tags of an environment's repository that services follow, one for each that shares it."""
        place = environment.target.account, environment.target.region, environment.repository
        return tuple(
            each.follow
            for each in self.environments.values()
            if each.follows_tag and (each.target.account, each.target.region, each.repository) == place
        )

    def git_tag(self, version: object) -> str:
        """Return the name of the git tag of a version."""
        return self.tag_pattern.format(version)

    @property
    def header_secret_names(self) -> tuple[str, ...]:
        """The names of the secrets with values of headers, of all environments."""
        headers = [header for header in self.verify.headers.values() if header.secret]
        names = (header.secret_name(name, self.app) for name in self.environments for header in headers)
        return tuple(dict.fromkeys(names))

    @property
    def runtime(self) -> RuntimeRules:
        """Which values the runtime configuration may have, and which of them are shown."""
        from kaizen_tasks.domain.runtime_config import RuntimeRules

        return RuntimeRules(visible=self.runtime_table.visible, keys=self.runtime_table.keys)

    @property
    def version_format(self) -> VersionFormat:
        """How the app answers with its version."""
        from kaizen_tasks.domain.health import VersionFormat

        rules = self.verify
        return VersionFormat(
            format=rules.format, version=rules.version, environment=rules.environment, tag_pattern=self.tag_pattern
        )

    @property
    def bump_rules(self) -> BumpRules:
        """Which part of the version each type of change requires."""
        from kaizen_tasks.domain.changelog.bump_inference import BumpRules

        return BumpRules.of_configuration(self.release.bump)

    @property
    def tag_pattern(self) -> TagPattern:
        """The pattern of git tags, which converts between versions and tag names."""
        return TagPattern(template=self.release.tag)
