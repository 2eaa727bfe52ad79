"""The step that gives up a release that was begun: its number is never used again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import frozen

from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.release import files
from kaizen_tasks.flows.step import EnvironmentStep

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Abandon(EnvironmentStep):
    """Give up a release that was begun, in the ledger and on the remote; its image stays in the registry.

    Attributes:
        environment: where it was released to first.
        reason: why, for the ledger.
    """

    step_name: ClassVar[str] = "abandon"
    reason: str

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for a tag, which ends a release for good, then for the number among those that were given up."""
        name, remote_name = release.name, tools.settings.release.remote
        tag, remote = tools.settings.git_tag(release.version), tools.scm.cached_remote_refs(tools.scm.head().branch)
        if remote is None:
            return Refuse(reasons=(f"there is no remote {remote_name}",), hint=f"git remote add {remote_name} URL")
        if tag in remote.tags or files.tag_commit(release.version, tools):
            hint = f"to take it out of service: inv rollback --env {self.environment.name}"
            return Refuse(reasons=(f"{name} is released: it has its tag {tag}",), hint=hint)
        is_marked = tag in remote.abandoned and tag not in remote.claims
        if is_marked and self._is_recorded(release, tools):
            return Done(f"{name} is given up; its number is not used again", release)
        return Act(f"give up {name} on {remote_name} and in the ledger: {self.reason}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Append the entry to the ledger, then replace the claim by a ref that keeps the number from being used."""
        if not self._is_recorded(release, tools):
            ledger.append(Event.WITHDRAWN, self.environment, release, tools, reason=self.reason)
        known_commit = tools.scm.resolve(release.commit) if release.commit else ""
        tools.scm.abandon(tools.settings.git_tag(release.version), known_commit or tools.scm.head().commit)
        tools.scm.drop_pending(release.name)
        return release

    def _is_recorded(self, release: Release, tools: Tools) -> bool:
        if not release.digest:
            return True  # without an image it was deployed nowhere, so that no ledger has to say anything
        history = tools.ledger.entries(self.environment.name, limit=ledger.HISTORY_LIMIT)
        return any(entry.event is Event.WITHDRAWN and entry.version == release.name for entry in history)
