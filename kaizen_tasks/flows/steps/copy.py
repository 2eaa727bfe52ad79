"""The steps that find an image in a repository, or copy it there from another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import evolve, frozen

from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.errors import NotFound
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.release import preconditions
from kaizen_tasks.flows.step import ReadOnlyStep

if TYPE_CHECKING:
    from kaizen_tasks.domain.image import CopyStats, Image
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class CopyImage(EnvironmentStep):
    """Copy the image into the environment's repository by digest, byte for byte.

    Attributes:
        environment: the environment whose repository receives the image.
        source: the environment whose repository has the image.
    """

    step_name: ClassVar[str] = "copy"
    source: Environment

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the tag in the target, then the image in the source; neither, if this run has made the copy."""
        registry, repository = tools.at(self.environment).registry, self.environment.repository
        image_ref = f"{repository}:{release.name}"
        if self.label in release.verified_steps:
            return Done(f"{image_ref} exists", release)
        is_tagged = registry.find_digest(repository, release.name)
        image = registry.find_image(repository, release.name) if is_tagged else None
        if image is not None and image.digest == (release.digest or image.digest):
            return Done(f"{image_ref} exists", _with_image(release, image))
        if image is not None:
            reason = f"{image_ref} is {image.digest[:19]} and not {release.digest[:19]}"
            return Refuse(reasons=(reason,), hint=preconditions.next_version_hint(release, tools))
        return self._decide_from_source(release, tools)

    def _decide_from_source(self, release: Release, tools: Tools) -> Decision:
        image = tools.at(self.source).registry.find_image(self.source.repository, release.digest or release.name)
        if image is None:
            reason = f"neither {self.environment.repository} nor {self.source.repository} has {release.name}"
            return Refuse(reasons=(reason,), hint=f"release it first: inv release-{tools.settings.first_stage.name}")
        origin, repository = self.source.target, self.source.repository
        if origin.is_beside(self.environment.target):
            description = f"copy {release.name} from {repository} by digest"
        else:
            description = f"copy {release.name} by digest from {repository} in {origin.place}, through this machine"
        return Act(description, _with_image(release, image))

    def act(self, release: Release, tools: Tools) -> Release:
        """Mount or transfer the blobs, then put the original manifest."""
        source = self.source.repository
        image = tools.at(self.source).registry.find_image(source, release.digest or release.name)
        if image is None:
            raise NotFound(f"copy: {source} no longer has {release.name}", hint="run the same command again")
        stats = copy_image(image.digest, self.source, self.environment, tag=release.name, tools=tools)
        tools.reporter.progress(self.label, str(stats))
        return _with_image(release, image).with_verified_step(self.label)


def copy_image(digest: str, source: Environment, environment: Environment, *, tag: str, tools: Tools) -> CopyStats:
    """Copy an image unchanged from the repository of one environment to that of another, and tag the copy there.

    The credentials of each environment reach its own registry, so that no repository has to admit another account.
    """
    origin, registry = tools.at(source).registry, tools.at(environment).registry
    return registry.copy(digest=digest, source=source.repository, target=environment.repository, tag=tag, origin=origin)


def _with_image(release: Release, image: Image) -> Release:
    """Return the release with the digest of its image and, if it has no commit, the image's."""
    return evolve(release, digest=image.digest, commit=release.commit or image.revision)


@frozen(kw_only=True)
class FindImage(ReadOnlyStep, EnvironmentStep):
    """Find the image of the release in the environment's own repository."""

    step_name: ClassVar[str] = "find image"

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the tag."""
        image_ref = f"{self.environment.repository}:{release.name}"
        image = tools.at(self.environment).registry.find_image(self.environment.repository, release.name)
        if image is None:
            return Refuse(reasons=(f"there is no {image_ref}",), hint=self._hint(release, tools))
        return Done(f"{image_ref} is {image.digest[:19]}", _with_image(release, image))

    def _hint(self, release: Release, tools: Tools) -> str:
        if self.environment in tools.settings.first_stage.environments:
            return f"upload it: inv build push --env {self.environment.name}"
        return f"promote it there first: inv promote --env {self.environment.name} --release {release.name}"
