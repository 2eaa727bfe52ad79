"""One deployment of one release: written down before it is begun, taken up where an earlier run was stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain import duration
from kaizen_tasks.domain import ledger as entries
from kaizen_tasks.domain import service as operations
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Entry, Event
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.errors import Denied, NotFound, Undeployable, Unreachable
from kaizen_tasks.flows.deploy import start
from kaizen_tasks.flows.deploy.start import Watch
from kaizen_tasks.flows.deploy.wait import GONE, Outcome, to_the_end
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from kaizen_tasks.domain.service import Operation, Service

LATEST = "latest"


@frozen(kw_only=True)
class Deployment:
    """A release on its way into service.

    Attributes:
        environment: where.
        release: what, with its digest.
        label: for whom progress is reported.
        tools: the outside world.
        reason: why, where it is not the release; for the ledger.
    """

    environment: Environment
    release: Release
    label: Label
    tools: Tools
    reason: str = ""

    def carry_out(self) -> Outcome:
        """Go on with what an earlier run began, or begin; wait for the end.

        Raises:
            Undeployable: the service cannot deploy, and nothing has been changed.
            NotFound: there is no such service, and nothing has been changed.
        """
        service = self.tools.platform.service(self.environment.service)
        service.demand_deployable()
        written = self.tools.ledger.entries(self.environment.name, limit=ledger.HISTORY)
        last = entries.newest(written)
        if last is not None and last.proves(self.release) and last.event in {Event.STARTED, Event.FAILED}:
            resumed = self._resume(last, self._watch(service, entries.usual(written) or 0.0))
            if resumed is not None:
                return resumed
        return self._begin(service, written)

    def _watch(self, service: Service, usual: float) -> Watch:
        return Watch(
            service=service,
            release=self.release.name,
            label=self.label,
            tools=self.tools,
            until=self.tools.clock.elapsed() + self.tools.settings.deploy.timeout,
            usual=usual,
        )

    def _begin(self, service: Service, written: tuple[Entry, ...]) -> Outcome:
        """Write the intent, point the tag, and follow what that or we start."""
        last, usual = entries.unfinished(written), entries.usual(written)
        if last is not None and not last.proves(self.release):
            ledger.abandon(last, self.tools, reason=f"{self.release.name} is deployed instead")
        earlier = self._earlier(service) if last or usual is None or service.status != "RUNNING" else ()
        said: ledger.Said = {"replaces": self._replaces(written), "reason": self.reason}
        intent = ledger.append(Event.STARTED, self.environment, self.release, self.tools, **said)
        known = {each.identity for each in earlier} | {entry.operation for entry in written}
        watch = self._watch(service, usual or operations.usual(earlier))
        return self._carried(intent, watch, adopt=start.begun_after(intent.at, known=known), look=False)

    def _earlier(self, service: Service) -> tuple[Operation, ...]:
        """Return what was done to the service before: without it, another's deployment could be taken for ours."""
        return self.tools.platform.operations(service)

    def _replaces(self, written: tuple[Entry, ...]) -> str:
        """Return what `:latest` names; where the ledger knows what is serving, that is never needed."""
        if entries.serving(written) is not None:
            return ""
        before = self.tools.registry.image(self.environment.repository, LATEST)
        return before.digest if before else ""

    def _resume(self, last: Entry, watch: Watch) -> Outcome | None:
        """Go on where an earlier run was stopped or gave up; None when that deployment is over and done with."""
        if last.event is Event.FAILED and not (last.operation and self._may_succeed(last.operation, watch)):
            return None
        if not last.operation:
            adopt = start.begun_after(last.at)
            return self._carried(last, watch, adopt=adopt, look=True)
        self._point()
        outcome = self._followed(last, last.operation, watch)
        if outcome.event is not Event.ABANDONED:
            return outcome
        ledger.abandon(last, self.tools, reason=outcome.what)
        return None

    def _may_succeed(self, operation: str, watch: Watch) -> bool:
        """Return whether a deployment that was given up goes on or has succeeded, and none came after it."""
        deployments = (each for each in self.tools.platform.operations(watch.service) if each.deploys)
        newest = next(deployments, None)
        return newest is not None and newest.identity == operation and (newest.succeeded or not newest.ended)

    def _carried(self, intent: Entry, watch: Watch, *, adopt: start.Chooser, look: bool) -> Outcome:
        """Return how the deployment ended; what keeps it from beginning is an outcome as well: the tag has moved."""
        try:
            automatic = self._point() and watch.service.auto_deploys
            begun = start.begin(watch, adopt=adopt, automatic=automatic, look=look)
        except (Denied, Unreachable):
            raise
        except Undeployable as error:
            return Outcome(event=Event.FAILED, what=error.what, hint=error.hint)
        except NotFound as error:
            return Outcome(event=Event.ABANDONED, what=error.what, state=GONE, hint=error.hint)
        if begun is None:
            waited = duration.show(self.tools.settings.deploy.timeout)
            return Outcome(
                event=Event.FAILED,
                what=f"{watch.service.name} stayed busy for {waited}",
                hint="the same command tries again",
            )
        self.tools.ledger.attach(intent, begun.operation)
        return to_the_end(begun.operation, watch, began=begun.at)

    def _followed(self, intent: Entry, operation: str, watch: Watch) -> Outcome:
        """Follow a deployment that an earlier run began: one that is missing was waited for long enough by now."""
        age = (self.tools.clock.now() - intent.at).total_seconds()
        left = max(0.0, self.tools.settings.deploy.timeout - age)
        return to_the_end(operation, watch, since=max(age, 0.1), missing_until=self.tools.clock.elapsed() + left)

    def _point(self) -> bool:
        """Point the tag at the release; return whether it has moved."""
        return self.tools.registry.point(repository=self.environment.repository, tag=LATEST, digest=self.release.digest)
