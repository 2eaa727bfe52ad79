"""The steps that bring an image into a repository: find it there, or copy it from another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.errors import NotFound

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.domain.release import Image
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Copy:
    """Bring the image into the environment's repository by digest, byte for byte.

    Attributes:
        environment: whose repository receives it.
        source: whose repository has it.
    """

    environment: Environment
    source: Environment

    @property
    def label(self) -> Label:
        """Its name and environment."""
        return Label("copy", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look at what the tag holds in the target, and whether the source has the image.

        The copy itself has looked at what it has put there, so that this is not asked once more.
        """
        where = f"{self.environment.repository}:{release.name}"
        if self.label in release.proven:
            return Done(f"{where} is there", release)
        image = tools.registry.image(self.environment.repository, release.name)
        if image is not None and image.digest == (release.digest or image.digest):
            return Done(f"{where} is there", _found(release, image))
        if image is not None:
            return Refuse(
                why=(f"{where} holds {image.digest[:19]} and not {release.digest[:19]}",),
                hint="a version never moves; release the next one: inv bump --part patch",
            )
        return self._from_source(release, tools)

    def _from_source(self, release: Release, tools: Tools) -> Decision:
        image = tools.registry.image(self.source.repository, release.digest or release.name)
        if image is None:
            return Refuse(
                why=(f"neither {self.environment.repository} nor {self.source.repository} holds {release.name}",),
                hint=f"release it first: inv release-{tools.settings.first_stage.name}",
            )
        return Act(f"copy {release.name} from {self.source.repository} by digest", _found(release, image))

    def act(self, release: Release, tools: Tools) -> Release:
        """Mount or transfer the blobs, then put the original manifest."""
        source, target = self.source.repository, self.environment.repository
        image = tools.registry.image(source, release.digest or release.name)
        if image is None:
            raise NotFound(f"copy: {source} no longer holds {release.name}", hint="type the same command again")
        copied = tools.registry.copy(digest=image.digest, source=source, target=target, tag=release.name)
        tools.reporter.progress(self.label, str(copied))
        return _found(release, image).prove(self.label)


def _found(release: Release, image: Image) -> Release:
    """Return the release with what its image says: which bytes, and from which commit."""
    return evolve(release, digest=image.digest, commit=release.commit or image.revision)


@frozen(kw_only=True)
class Locate:
    """Find the image of the release in the environment's own repository.

    Attributes:
        environment: whose repository.
    """

    environment: Environment

    @property
    def label(self) -> Label:
        """Its name and environment."""
        return Label("locate", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look the tag up."""
        where = f"{self.environment.repository}:{release.name}"
        image = tools.registry.image(self.environment.repository, release.name)
        if image is None:
            return Refuse(why=(f"there is no {where}",), hint=self._hint(release, tools))
        return Done(f"{where} is {image.digest[:19]}", _found(release, image))

    def act(self, release: Release, tools: Tools) -> Release:
        """Do nothing: an image is there or not."""
        return release

    def _hint(self, release: Release, tools: Tools) -> str:
        if self.environment in tools.settings.first_stage.environments:
            return f"upload it: inv build push --env {self.environment.name}"
        return f"inv deploy --env {self.environment.name} --release {release.name}"
