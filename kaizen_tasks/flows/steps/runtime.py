"""The steps that change the runtime configuration, restore the previous one, and redeploy so that the app reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from attrs import evolve, field, frozen

from kaizen_tasks.domain import ledger as words
from kaizen_tasks.domain import runtime_config
from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.runtime_config import MAX_DOCUMENT_BYTES
from kaizen_tasks.domain.text import duration
from kaizen_tasks.domain.text.json_document import ConfigDocument
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.deploy.deployment import Deployment
from kaizen_tasks.flows.deploy.image import describe_image_to_run, find_image_to_run
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.steps.deploy import deploy
from kaizen_tasks.ports.secrets import Secret, SecretVersion

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


def parse_config(secret: SecretVersion, environment: Environment) -> ConfigDocument:
    """Return the runtime configuration that a secret contains.

    Raises:
        Refused: the secret is not a JSON object.
    """
    try:
        return ConfigDocument.parse(secret.content.reveal())
    except ValueError as error:
        message = f"the secret {environment.secret} cannot be read: {error}"
        hint = "correct it where secrets are edited: it must be a JSON object of names and values"
        raise Refused(message, state=NOTHING_CHANGED, hint=hint) from None


@frozen(kw_only=True)
class SetConfig(EnvironmentStep):
    """Write values into the runtime configuration, after recording the intent in the ledger.

    Attributes:
        environment: the environment whose configuration is written.
        values: the values to write, by key.
        version: identifier of the secret's new version, a UUID.
    """

    step_name: ClassVar[str] = "set config"
    values: Mapping[str, str] = field(repr=False)
    version: str

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Compare the values with the current ones. Values that are set already may still have to be deployed."""
        current = tools.at(self.environment).secrets.current(self.environment.secret)
        configuration = parse_config(current, self.environment)
        rules = tools.settings.runtime
        changes = runtime_config.value_changes(configuration, self.values, rules)
        if not changes:
            reason = "; ".join(f"{name} is {rules.display_value(name, text)}" for name, text in self.values.items())
            return Done(reason, evolve(release, configuration=self._unverified_version(current, tools)))
        if len(configuration.with_values(self.values).text.encode()) > MAX_DOCUMENT_BYTES:
            return Refuse(reasons=(f"{self.environment.secret} would be longer than {MAX_DOCUMENT_BYTES:,} bytes",))
        return Act("; ".join(map(str, changes)), evolve(release, configuration=self.version))

    def _unverified_version(self, current: SecretVersion, tools: Tools) -> str:
        """Return the current version if these tasks wrote it and the app was not verified since, else empty."""
        entry = words.unverified_config_change(tools.ledger.entries(self.environment.name, limit=ledger.HISTORY_LIMIT))
        return current.version if entry is not None and entry.configuration == current.version else ""

    def act(self, release: Release, tools: Tools) -> Release:
        """Write a new version, based on the current one, so that changes by others are kept."""
        name, secrets = self.environment.secret, tools.at(self.environment).secrets
        current = secrets.current(name)
        content = parse_config(current, self.environment).with_values(self.values).text
        result = evolve(release, configuration=self.version)
        ledger.append(Event.CONFIGURED, self.environment, result, tools, reason=f"set {', '.join(self.values)}")
        secrets.write(name, Secret(content), version=self.version, expected_current=current.version)
        return result


@frozen(kw_only=True)
class RestoreConfig(EnvironmentStep):
    """Make the previous runtime configuration current again, after recording the intent in the ledger.

    Attributes:
        environment: the environment whose configuration is restored.
        reason: why, for the ledger.
    """

    step_name: ClassVar[str] = "restore config"
    reason: str

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Check whether the last change was a restore already: another restore would only swap the two versions."""
        current = tools.at(self.environment).secrets.current(self.environment.secret)
        change = words.last_config_change(tools.ledger.entries(self.environment.name, limit=ledger.HISTORY_LIMIT))
        if change is not None and change.event is Event.RESTORED and change.configuration == current.version:
            reason = f"the previous configuration is active again (reason: {change.reason})"
            return Done(reason, evolve(release, configuration=current.version))
        previous = tools.at(self.environment).secrets.previous(self.environment.secret)
        if previous is None:
            reason = f"{self.environment.secret} has no previous version"
            return Refuse(reasons=(reason,), hint=f"inv runtime.set --env {self.environment.name} --set KEY=VALUE")
        return Act(self._describe(current, previous, tools), evolve(release, configuration=previous.version))

    def _describe(self, current: SecretVersion, previous: SecretVersion, tools: Tools) -> str:
        configs = (parse_config(current, self.environment), parse_config(previous, self.environment))
        changes = runtime_config.revert_changes(*configs, tools.settings.runtime)
        age = duration.format_duration((tools.clock.now() - previous.created_at).total_seconds())
        return f"restore the configuration of {age} ago: {'; '.join(map(str, changes)) or 'the same values'}"

    def act(self, release: Release, tools: Tools) -> Release:
        """Make the previous version current."""
        name, secrets = self.environment.secret, tools.at(self.environment).secrets
        current, previous = secrets.current(name), secrets.previous(name)
        if previous is None:
            raise Refused(f"{name} has lost its previous version just now")
        result = evolve(release, configuration=previous.version)
        ledger.append(Event.RESTORED, self.environment, result, tools, reason=self.reason)
        secrets.restore(name, version=previous.version, expected_current=current.version)
        return result


@frozen(kw_only=True)
class Redeploy(EnvironmentStep):
    """Deploy the serving release again, so that the app reads its configuration."""

    step_name: ClassVar[str] = "redeploy"

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up a deployment after the change in the ledger, and whether the image to run is the serving release."""
        if not release.configuration:
            return Done("the configuration is unchanged", release)
        entries = tools.ledger.entries(self.environment.name, limit=ledger.HISTORY_LIMIT)
        entry = words.last_entry_for_config(entries, release.configuration)
        if entry is not None and entry.event in {Event.DEPLOYED, Event.VERIFIED}:
            return Done(f"{self.environment.service} was deployed after it was written", release)
        image = find_image_to_run(self.environment, tools)
        if image is None or image.digest != release.digest:
            image_name = (image.version or "another image") if image else "nothing"
            reason = f"{describe_image_to_run(self.environment)} is {image_name}, and {release.name} is serving"
            hint = f"a deployment reads the configuration too: inv deploy --env {self.environment.name}"
            return Refuse(reasons=(reason,), hint=hint)
        if entry is not None and entry.event is Event.STARTED:
            return Act(f"resume the deployment that {entry.actor} started", release)
        return Act(f"deploy {release.name} again, so that the app reads it", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Deploy; record the intent before, and the outcome after.

        Raises:
            DeployFailed: the app did not start with the new configuration.
        """
        environment, reason = self.environment, "so that the app reads its configuration"
        deployment = Deployment(environment=environment, release=release, label=self.label, tools=tools, reason=reason)
        state = "the app is serving with the configuration that it read before; the new one is written"
        hint = f"restore the previous one: inv runtime.rollback --env {environment.name}"
        ledger.write(deploy(deployment, failure_state=state, failure_hint=hint), tools)
        return release
