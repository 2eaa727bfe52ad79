"""The steps that build the image of the release commit and push it to the first repository."""

from __future__ import annotations

import posixpath
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from attrs import evolve, frozen

from kaizen_tasks.domain.build.stand_in import STAND_IN
from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.image import BuildSpec
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.errors import BuildFailed, NotFound
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.release import preconditions, tags
from kaizen_tasks.flows.steps.copy import CopyImage

if TYPE_CHECKING:
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Build:
    """Build the image of the release commit, from a clean export and never from the working tree.

    Attributes:
        environment: the environment whose repository may have the image already; None searches no repository.
    """

    environment: Environment | None = None
    label = StepLabel("build")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for the image in the registry, then in the builder's own store."""
        if release.commit and self.environment is not None:
            decision = _decide_from_registry(release, self.environment, tools)
            if not isinstance(decision, Act):
                return decision
            origin = _origin(release, self.environment, tools)
            if origin is not None:
                return Done(f"{origin.repository}:{release.name} exists, from {release.commit[:10]}", release)
        if release.commit:
            image = tools.builder.find_image(build_spec(release, tools))
            if image is not None:
                return Done(f"{tools.settings.app}:{release.name} is built, from {release.commit[:10]}", release)
        image_ref, platform = f"{tools.settings.app}:{release.name}", tools.settings.build.platform
        if tools.builder.name == STAND_IN:
            return Act(f"make a stand-in for {image_ref}, which only answers", release)
        return Act(f"build {image_ref} with {tools.builder.name}, for {platform}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Export the commit into an empty folder and build there."""
        with tempfile.TemporaryDirectory(prefix="kaizen-build-") as folder:
            rules = tools.settings.build
            tools.scm.export(release.commit, Path(folder), rules.exported_folder)
            root = tools.settings.root.as_posix()
            context = posixpath.relpath(f"{root}/{rules.context}", f"{root}/{rules.exported_folder}")
            tools.builder.build(build_spec(release, tools), Path(folder, context))
        return release


def build_spec(release: Release, tools: Tools) -> BuildSpec:
    """Return what the image of a release is built from."""
    return BuildSpec(
        app=tools.settings.app,
        version=release.name,
        revision=release.commit,
        created_at=tools.scm.commit_time(release.commit),
        source=tools.scm.web_url(),
    )


def _decide_from_registry(release: Release, environment: Environment, tools: Tools) -> Decision:
    """Return `Done` if the repository has the release from the same commit, `Refuse` if from another, else `Act`."""
    image = tools.at(environment).registry.find_image(environment.repository, release.name)
    image_ref = f"{environment.repository}:{release.name}"
    if image is None:
        return Act(f"upload {image_ref}", release)
    if image.revision == release.commit:
        return Done(f"{image_ref} exists, from {release.commit[:10]}", evolve(release, digest=image.digest))
    built_from = image.revision[:10] or "an unknown commit"
    reason = f"{image_ref} exists, built from {built_from} and not from {release.commit[:10]}"
    return Refuse(reasons=(reason,), hint=preconditions.foreign_image_hint(release))


@frozen(kw_only=True)
class Push(EnvironmentStep):
    """Push the image to the first repository as `:vX.Y.Z` only; never replace another image."""

    step_name: ClassVar[str] = "push"

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the tag in the repository."""
        if not release.commit:
            return Act(f"upload {self.environment.repository}:{release.name}", release)
        decision = _decide_from_registry(release, self.environment, tools)
        if isinstance(decision, Act) and (origin := _origin(release, self.environment, tools)):
            return Act(f"copy {release.name} from {origin.repository} by digest", release)
        return decision

    def act(self, release: Release, tools: Tools) -> Release:
        """Copy the image from another repository if it was released there, else push it from the builder."""
        origin = _origin(release, self.environment, tools)
        if origin is None:
            upload_image(release, self.environment, tools)
        else:
            CopyImage(environment=self.environment, source=origin).act(release, tools)
        return release


def upload_image(release: Release, environment: Environment, tools: Tools) -> None:
    """Push the image of a release from the builder to the repository of an environment.

    Raises:
        BuildFailed: the builder has no such image.
    """
    image = tools.builder.find_image(build_spec(release, tools))
    if image is None:
        message = f"push: {tools.builder.name} has no image of {release.name} from {release.commit[:10]}"
        raise BuildFailed(message, state="nothing has been uploaded", hint="inv build")
    registry = tools.at(environment).registry
    repository_uri, login = registry.repository_uri(environment.repository), registry.credentials()
    tools.builder.push(image, repository_uri=repository_uri, tag=release.name, login=login)


def _origin(release: Release, environment: Environment, tools: Tools) -> Environment | None:
    """Return another environment whose repository has the image already, or None: a second build would differ.

    There is one if the release was first made for that environment, as a hotfix. Only such a release has its git tag
    already, so no request is made for any other release.
    """
    if tags.tag_commit(release.version, tools) != release.commit:
        return None
    other_environments = (candidate for candidate in tools.settings.environments.values() if candidate != environment)
    return next((candidate for candidate in other_environments if _has_image(candidate, release, tools)), None)


def _has_image(environment: Environment, release: Release, tools: Tools) -> bool:
    try:
        image = tools.at(environment).registry.find_image(environment.repository, release.name)
    except NotFound:
        return False  # configured, but not set up yet
    return image is not None and image.revision == release.commit
