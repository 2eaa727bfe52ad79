"""The steps that bring an image into a repository: find it there, or copy it from another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.errors import NotFound

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.domain.release import Image
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class CopyImage:
    """Bring the image into the environment's repository by digest, byte for byte.

    Attributes:
        environment: whose repository receives it.
        source: whose repository has it.
    """

    environment: Environment
    source: Environment

    @property
    def label(self) -> StepLabel:
        """Its name and environment."""
        return StepLabel("copy", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look at what the tag holds in the target, and whether the source has the image.

        The copy itself has looked at what it has put there, so that this is not asked once more.
        """
        image_ref = f"{self.environment.repository}:{release.name}"
        if self.label in release.verified_steps:
            return Done(f"{image_ref} is there", release)
        image = tools.registry.find_image(self.environment.repository, release.name)
        if image is not None and image.digest == (release.digest or image.digest):
            return Done(f"{image_ref} is there", _with_image(release, image))
        if image is not None:
            return Refuse(
                reasons=(f"{image_ref} holds {image.digest[:19]} and not {release.digest[:19]}",),
                hint="a version never moves; release the next one: inv bump --part patch",
            )
        return self._decide_from_source(release, tools)

    def _decide_from_source(self, release: Release, tools: Tools) -> Decision:
        image = tools.registry.find_image(self.source.repository, release.digest or release.name)
        if image is None:
            return Refuse(
                reasons=(f"neither {self.environment.repository} nor {self.source.repository} holds {release.name}",),
                hint=f"release it first: inv release-{tools.settings.first_stage.name}",
            )
        return Act(f"copy {release.name} from {self.source.repository} by digest", _with_image(release, image))

    def act(self, release: Release, tools: Tools) -> Release:
        """Mount or transfer the blobs, then put the original manifest."""
        source, target = self.source.repository, self.environment.repository
        image = tools.registry.find_image(source, release.digest or release.name)
        if image is None:
            raise NotFound(f"copy: {source} no longer holds {release.name}", hint="type the same command again")
        stats = tools.registry.copy(digest=image.digest, source=source, target=target, tag=release.name)
        tools.reporter.progress(self.label, str(stats))
        return _with_image(release, image).with_verified_step(self.label)


def _with_image(release: Release, image: Image) -> Release:
    """Return the release with what its image says: which bytes, and from which commit."""
    return evolve(release, digest=image.digest, commit=release.commit or image.revision)


@frozen(kw_only=True)
class FindImage:
    """Find the image of the release in the environment's own repository.

    Attributes:
        environment: whose repository.
    """

    environment: Environment

    @property
    def label(self) -> StepLabel:
        """Its name and environment."""
        return StepLabel("find image", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look the tag up."""
        image_ref = f"{self.environment.repository}:{release.name}"
        image = tools.registry.find_image(self.environment.repository, release.name)
        if image is None:
            return Refuse(reasons=(f"there is no {image_ref}",), hint=self._hint(release, tools))
        return Done(f"{image_ref} is {image.digest[:19]}", _with_image(release, image))

    def act(self, release: Release, tools: Tools) -> Release:
        """Do nothing: an image is there or not."""
        return release

    def _hint(self, release: Release, tools: Tools) -> str:
        if self.environment in tools.settings.first_stage.environments:
            return f"upload it: inv build push --env {self.environment.name}"
        return f"inv deploy --env {self.environment.name} --release {release.name}"
