"""The runtime configuration: write it, bring the one before back, and deploy so that the app reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from kaizen_tasks.domain import duration, runtime_config
from kaizen_tasks.domain import ledger as words
from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.json_document import Configuration
from kaizen_tasks.domain.ledger import Entry, Event
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.domain.runtime_config import LONGEST
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.deploy.deployment import Deployment
from kaizen_tasks.flows.deploy.failure import setback
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.ports.types import Secret, Stored

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.ports.tools import Tools


def read(stored: Stored, environment: Environment) -> Configuration:
    """Read the document of a secret.

    Raises:
        Refused: it is not one that these tasks understand.
    """
    try:
        return Configuration.read(stored.content.open())
    except ValueError as error:
        raise Refused(
            f"the secret {environment.secret} cannot be read: {error}",
            state="nothing has been changed",
            hint="mend it where secrets are edited; it is an object of names and values",
        ) from None


@frozen(kw_only=True)
class Configure:
    """Write values into the runtime configuration; the ledger has the intent before.

    Attributes:
        environment: whose.
        values: by key.
        version: identifier that the new version gets, a UUID.
    """

    environment: Environment
    values: Mapping[str, str] = field(repr=False)
    version: str

    @property
    def label(self) -> Label:
        """Its name and environment."""
        return Label("set", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Compare; what is so already and was written by these tasks may still have to be deployed."""
        stored = tools.secrets.current(self.environment.secret)
        configuration = read(stored, self.environment)
        changes = runtime_config.changes(configuration, self.values, tools.settings.runtime)
        if not changes:
            reason = f"{', '.join(self.values)} {'is' if len(self.values) == 1 else 'are'} so"
            return Done(reason, evolve(release, configuration=self._left_over(stored, tools)))
        if len(configuration.replaced(self.values).text.encode()) > LONGEST:
            return Refuse(why=(f"{self.environment.secret} would be longer than {LONGEST:,} bytes",))
        return Act("; ".join(map(str, changes)), evolve(release, configuration=self.version))

    def _left_over(self, stored: Stored, tools: Tools) -> str:
        """Return the version when these tasks have written it and the app has not proven itself since."""
        entry = words.unproven(tools.ledger.entries(self.environment.name, limit=ledger.HISTORY))
        return stored.version if entry is not None and entry.configuration == stored.version else ""

    def act(self, release: Release, tools: Tools) -> Release:
        """Write a new version over the one that counts now, which keeps what others have changed until now."""
        stored = tools.secrets.current(self.environment.secret)
        content = read(stored, self.environment).replaced(self.values).text
        written = evolve(release, configuration=self.version)
        ledger.append(Event.CONFIGURED, self.environment, written, tools, reason=f"set {', '.join(self.values)}")
        tools.secrets.write(self.environment.secret, Secret(content), version=self.version, over=stored.version)
        return written


@frozen(kw_only=True)
class Restore:
    """Bring back the runtime configuration that counted before; the ledger has the intent before.

    Attributes:
        environment: whose.
        reason: why.
    """

    environment: Environment
    reason: str

    @property
    def label(self) -> Label:
        """Its name and environment."""
        return Label("restore", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look whether the last change was a way back already: another one would only swap the two versions."""
        stored = tools.secrets.current(self.environment.secret)
        last = words.configured(tools.ledger.entries(self.environment.name, limit=ledger.HISTORY))
        if last is not None and last.event is Event.RESTORED and last.configuration == stored.version:
            return Done(
                f"the configuration before counts again: {last.reason}", evolve(release, configuration=stored.version)
            )
        previous = tools.secrets.previous(self.environment.secret)
        if previous is None:
            return Refuse(
                why=(f"{self.environment.secret} has no version before the one that counts",),
                hint=f"inv runtime.set --env {self.environment.name} --set KEY=VALUE",
            )
        return Act(self._what(stored, previous, tools), evolve(release, configuration=previous.version))

    def _what(self, stored: Stored, previous: Stored, tools: Tools) -> str:
        now, then = read(stored, self.environment), read(previous, self.environment)
        changes = runtime_config.way_back(now, then, tools.settings.runtime)
        ago = duration.show((tools.clock.now() - previous.created).total_seconds())
        return f"back to the configuration of {ago} ago: {'; '.join(map(str, changes)) or 'the same values'}"

    def act(self, release: Release, tools: Tools) -> Release:
        """Let the previous version count."""
        stored = tools.secrets.current(self.environment.secret)
        restored = evolve(release, configuration=self._version(tools))
        ledger.append(Event.RESTORED, self.environment, restored, tools, reason=self.reason)
        tools.secrets.restore(self.environment.secret, version=restored.configuration, over=stored.version)
        return restored

    def _version(self, tools: Tools) -> str:
        previous = tools.secrets.previous(self.environment.secret)
        if previous is None:
            raise Refused(f"{self.environment.secret} has lost its previous version just now")
        return previous.version


@frozen(kw_only=True)
class Redeploy:
    """Deploy the release that is serving once more, so that the app reads its configuration.

    Attributes:
        environment: where.
    """

    environment: Environment

    @property
    def label(self) -> Label:
        """Its name and environment."""
        return Label("redeploy", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look in the ledger for a deployment that has read it, and whether one would bring this very release."""
        if not release.configuration:
            return Done("the configuration is as it was", release)
        entry = self._mention(release, tools)
        if entry is not None and entry.event in {Event.DEPLOYED, Event.VERIFIED}:
            return Done(f"{self.environment.service} has been deployed since it was written", release)
        latest = tools.registry.image(self.environment.repository, "latest")
        if latest is None or latest.digest != release.digest:
            named = (latest.version or "another image") if latest else "nothing"
            return Refuse(
                why=(f"{self.environment.repository}:latest is {named}, and {release.name} is serving",),
                hint=f"inv status; a deployment reads the configuration too: inv deploy --env {self.environment.name}",
            )
        if entry is not None and entry.event is Event.STARTED:
            return Act(f"go on with the deployment that {entry.actor} began", release)
        return Act(f"deploy {release.name} again, so that the app reads it", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Deploy; the ledger has the intent before, and the outcome after.

        Raises:
            DeployFailed: the app did not come up with it.
        """
        deployment = Deployment(
            environment=self.environment,
            release=release,
            label=self.label,
            tools=tools,
            reason="so that the app reads its configuration",
        )
        outcome = deployment.carry_out()
        if outcome.event is not Event.DEPLOYED:
            raise setback(
                deployment,
                outcome,
                state="the app is serving with the configuration that it had read before; the new one is written",
                hint=f"inv runtime.rollback --env {self.environment.name} brings the one before back",
            )
        ledger.append(Event.DEPLOYED, self.environment, release, tools, operation=outcome.operation, took=outcome.took)
        return release

    def _mention(self, release: Release, tools: Tools) -> Entry | None:
        entries = tools.ledger.entries(self.environment.name, limit=ledger.HISTORY)
        return words.last_mention(entries, release.configuration)
