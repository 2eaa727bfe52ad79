"""The runtime configuration: write it, bring the one before back, and deploy so that the app reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from kaizen_tasks.domain import duration, runtime_config
from kaizen_tasks.domain import ledger as words
from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.json_document import ConfigDocument
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.domain.runtime_config import MAX_DOCUMENT_BYTES
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.deploy.deployment import Deployment
from kaizen_tasks.flows.deploy.failure import handle_failed_deployment
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.ports.types import Secret, SecretVersion

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.ports.tools import Tools


def parse_config(secret: SecretVersion, environment: Environment) -> ConfigDocument:
    """Read the document of a secret.

    Raises:
        Refused: it is not one that these tasks understand.
    """
    try:
        return ConfigDocument.parse(secret.content.reveal())
    except ValueError as error:
        raise Refused(
            f"the secret {environment.secret} cannot be read: {error}",
            state=NOTHING_CHANGED,
            hint="mend it where secrets are edited; it is an object of names and values",
        ) from None


@frozen(kw_only=True)
class SetConfig:
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
    def label(self) -> StepLabel:
        """Its name and environment."""
        return StepLabel("set config", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Compare; what is so already and was written by these tasks may still have to be deployed."""
        current = tools.secrets.current(self.environment.secret)
        configuration = parse_config(current, self.environment)
        changes = runtime_config.value_changes(configuration, self.values, tools.settings.runtime)
        if not changes:
            reason = f"{', '.join(self.values)} {'is' if len(self.values) == 1 else 'are'} so"
            return Done(reason, evolve(release, configuration=self._unverified_version(current, tools)))
        if len(configuration.with_values(self.values).text.encode()) > MAX_DOCUMENT_BYTES:
            return Refuse(reasons=(f"{self.environment.secret} would be longer than {MAX_DOCUMENT_BYTES:,} bytes",))
        return Act("; ".join(map(str, changes)), evolve(release, configuration=self.version))

    def _unverified_version(self, current: SecretVersion, tools: Tools) -> str:
        """Return the version when these tasks have written it and the app has not proven itself since."""
        entry = words.unverified_config_change(tools.ledger.entries(self.environment.name, limit=ledger.HISTORY_LIMIT))
        return current.version if entry is not None and entry.configuration == current.version else ""

    def act(self, release: Release, tools: Tools) -> Release:
        """Write a new version over the one that counts now, which keeps what others have changed until now."""
        current = tools.secrets.current(self.environment.secret)
        content = parse_config(current, self.environment).with_values(self.values).text
        updated_release = evolve(release, configuration=self.version)
        ledger.append(
            Event.CONFIGURED, self.environment, updated_release, tools, reason=f"set {', '.join(self.values)}"
        )
        tools.secrets.write(
            self.environment.secret, Secret(content), version=self.version, expected_current=current.version
        )
        return updated_release


@frozen(kw_only=True)
class RestoreConfig:
    """Bring back the runtime configuration that counted before; the ledger has the intent before.

    Attributes:
        environment: whose.
        reason: why.
    """

    environment: Environment
    reason: str

    @property
    def label(self) -> StepLabel:
        """Its name and environment."""
        return StepLabel("restore config", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look whether the last change was a way back already: another one would only swap the two versions."""
        current = tools.secrets.current(self.environment.secret)
        last_change = words.last_config_change(tools.ledger.entries(self.environment.name, limit=ledger.HISTORY_LIMIT))
        if (
            last_change is not None
            and last_change.event is Event.RESTORED
            and last_change.configuration == current.version
        ):
            return Done(
                f"the configuration before counts again: {last_change.reason}",
                evolve(release, configuration=current.version),
            )
        previous = tools.secrets.previous(self.environment.secret)
        if previous is None:
            return Refuse(
                reasons=(f"{self.environment.secret} has no version before the one that counts",),
                hint=f"inv runtime.set --env {self.environment.name} --set KEY=VALUE",
            )
        return Act(self._describe(current, previous, tools), evolve(release, configuration=previous.version))

    def _describe(self, current: SecretVersion, previous: SecretVersion, tools: Tools) -> str:
        current_config, previous_config = (
            parse_config(current, self.environment),
            parse_config(previous, self.environment),
        )
        changes = runtime_config.revert_changes(current_config, previous_config, tools.settings.runtime)
        age = duration.format_duration((tools.clock.now() - previous.created_at).total_seconds())
        return f"back to the configuration of {age} ago: {'; '.join(map(str, changes)) or 'the same values'}"

    def act(self, release: Release, tools: Tools) -> Release:
        """Let the previous version count."""
        current = tools.secrets.current(self.environment.secret)
        updated_release = evolve(release, configuration=self._previous_version(tools))
        ledger.append(Event.RESTORED, self.environment, updated_release, tools, reason=self.reason)
        tools.secrets.restore(
            self.environment.secret, version=updated_release.configuration, expected_current=current.version
        )
        return updated_release

    def _previous_version(self, tools: Tools) -> str:
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
    def label(self) -> StepLabel:
        """Its name and environment."""
        return StepLabel("redeploy", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look in the ledger for a deployment that has read it, and whether one would bring this very release."""
        if not release.configuration:
            return Done("the configuration is as it was", release)
        entry = self._last_mention(release, tools)
        if entry is not None and entry.event in {Event.DEPLOYED, Event.VERIFIED}:
            return Done(f"{self.environment.service} has been deployed since it was written", release)
        latest_image = tools.registry.find_image(self.environment.repository, "latest")
        if latest_image is None or latest_image.digest != release.digest:
            latest_name = (latest_image.version or "another image") if latest_image else "nothing"
            return Refuse(
                reasons=(f"{self.environment.repository}:latest is {latest_name}, and {release.name} is serving",),
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
        outcome = deployment.run()
        if outcome.event is not Event.DEPLOYED:
            raise handle_failed_deployment(
                deployment,
                outcome,
                state="the app is serving with the configuration that it had read before; the new one is written",
                hint=f"inv runtime.rollback --env {self.environment.name} brings the one before back",
            )
        ledger.append(
            Event.DEPLOYED, self.environment, release, tools, operation=outcome.operation, took=outcome.duration_seconds
        )
        return release

    def _last_mention(self, release: Release, tools: Tools) -> LedgerEntry | None:
        entries = tools.ledger.entries(self.environment.name, limit=ledger.HISTORY_LIMIT)
        return words.last_entry_for_config(entries, release.configuration)
