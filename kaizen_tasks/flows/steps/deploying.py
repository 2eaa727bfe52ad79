"""From an image in some repository to a service that runs it: copy, deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Entry, Event
from kaizen_tasks.domain.plan import Act, Done, Refuse
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.errors import DeployFailed, NotFound
from kaizen_tasks.flows import following, ledger

if TYPE_CHECKING:
    from kaizen_tasks.domain.plan import Decision
    from kaizen_tasks.domain.release import Image
    from kaizen_tasks.domain.service import Operation, Service
    from kaizen_tasks.ports import Tools

LATEST = "latest"


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
        """Look at what the tag holds in the target, and whether the source has the image."""
        where = f"{self.environment.repository}:{release.name}"
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
        return _found(release, image)


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
        """Look at `:latest` and at what the ledger says of the last deployment."""
        what = f"point {self.environment.repository}:{LATEST} at {release.name}, deploy {self.environment.service}"
        if not release.digest:
            return Act(what, release)
        latest = tools.registry.image(self.environment.repository, LATEST)
        newest = ledger.newest(self.environment, tools)
        if newest is None or newest.digest != release.digest or latest is None or latest.digest != release.digest:
            return Act(what, release)
        if newest.event is Event.STARTED:
            return Act(f"go on with the deployment that {newest.actor} began", release)
        if newest.event is Event.FAILED:
            return Act(f"{what}, again", release)
        return Done(f"{self.environment.service} was deployed with {release.name}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Deploy; the ledger has the intent before, and the outcome after."""
        service = tools.platform.service(self.environment.service)
        newest = ledger.newest(self.environment, tools)
        if newest is not None and newest.event is Event.STARTED and newest.digest == release.digest:
            ended = self._resume(newest, service, release, tools)
        else:
            ended = self._begin(service, release, tools)
        if not ended.succeeded:
            raise self._failed(ended, release, tools)
        ledger.append(Event.DEPLOYED, self.environment, release, tools, operation=ended.identity)
        return release

    def _begin(self, service: Service, release: Release, tools: Tools) -> Operation:
        before = tools.registry.image(self.environment.repository, LATEST)
        seen = frozenset(each.identity for each in tools.platform.operations(service))
        ledger.append(Event.STARTED, self.environment, release, tools, replaces=before.digest if before else "")
        moved = before is None or before.digest != release.digest
        if moved:
            tools.registry.point(repository=self.environment.repository, tag=LATEST, digest=release.digest)
        adopt = following.unseen(seen)
        return self._follow(service, release, tools, adopt=adopt, automatic=moved and service.auto_deploys)

    def _resume(self, intent: Entry, service: Service, release: Release, tools: Tools) -> Operation:
        """Go on where an earlier run was stopped: before the tag moved, before the start, or while waiting."""
        if intent.operation:
            return following.to_the_end(service, intent.operation, self.label, tools)
        latest = tools.registry.image(self.environment.repository, LATEST)
        moved = latest is None or latest.digest != release.digest
        if moved:
            tools.registry.point(repository=self.environment.repository, tag=LATEST, digest=release.digest)
        adopt = following.begun_after(intent.at)
        return self._follow(service, release, tools, adopt=adopt, automatic=moved and service.auto_deploys)

    def _follow(
        self, service: Service, release: Release, tools: Tools, *, adopt: following.Chooser, automatic: bool
    ) -> Operation:
        operation = following.start_or_adopt(service, self.label, tools, adopt=adopt, automatic=automatic)
        ledger.append(Event.STARTED, self.environment, release, tools, operation=operation)
        return following.to_the_end(service, operation, self.label, tools)

    def _failed(self, ended: Operation, release: Release, tools: Tools) -> DeployFailed:
        """Record the failure, and point `:latest` back at what is running."""
        reason = f"{self.environment.service} ended its deployment of {release.name} with {ended.state}"
        ledger.append(Event.FAILED, self.environment, release, tools, operation=ended.identity, reason=reason)
        running = ledger.running(self.environment, tools)
        state = f"the old release is serving; {self.environment.repository}:{LATEST} still points at {release.name}"
        if running is not None:
            tools.registry.point(repository=self.environment.repository, tag=LATEST, digest=running)
            state = "the old release is serving, and :latest points at it again"
        first = tools.settings.first_stage.name
        return DeployFailed(
            reason,
            state=state,
            hint=f"the same command tries again; a mended app needs a version: inv release-{first} --part patch",
        )
