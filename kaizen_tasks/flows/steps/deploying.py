"""From an image in some repository to a service that runs it: copy, deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.errors import NotFound
from kaizen_tasks.flows import ledger
from kaizen_tasks.flows.deployment import LATEST, Deployment
from kaizen_tasks.flows.setback import setback

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


@frozen(kw_only=True)
class Deploy:
    """Point `:latest` at the release, start the deployment or adopt the one that started by itself, wait for its end.

    Attributes:
        environment: where.
    """

    environment: Environment

    @property
    def label(self) -> Label:
        """Its name and environment."""
        return Label("deploy", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look at what the ledger says of the last deployment, and at `:latest`.

        What this run has seen the platform finish is not asked once more: next, the app itself proves it.
        """
        if self.label in release.proven:
            return Done(f"{self.environment.service} was deployed with {release.name}", release)
        what = f"point {self.environment.repository}:{LATEST} at {release.name}, deploy {self.environment.service}"
        newest = ledger.newest(self.environment, tools)
        if not release.digest or newest is None or newest.digest != release.digest:
            return Act(what, release)
        if newest.event is Event.STARTED:
            return Act(f"go on with the deployment that {newest.actor} began", release)
        if newest.event in {Event.FAILED, Event.ABANDONED}:
            return Act(f"{what}, again", release)
        latest = tools.registry.image(self.environment.repository, LATEST)
        if latest is None or latest.digest != release.digest:
            return Act(what, release)
        return Done(f"{self.environment.service} was deployed with {release.name}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Deploy; the ledger has the intent before, and the outcome after.

        Raises:
            Undeployable: the service is paused, and nothing has been changed.
            DeployFailed: the release did not come into service.
        """
        deployment = Deployment(environment=self.environment, release=release, label=self.label, tools=tools)
        outcome = deployment.carry_out()
        if outcome.event is not Event.DEPLOYED:
            raise setback(deployment, outcome)
        ledger.append(Event.DEPLOYED, self.environment, release, tools, operation=outcome.operation, took=outcome.took)
        return release.prove(self.label)
