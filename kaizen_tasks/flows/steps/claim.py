"""The steps that claim a release's number on the remote, before its image is pushed, and that give it up for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import frozen

from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.errors import NOTHING_CHANGED, Refused, Unreachable
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.release import claims, files, pending, preconditions, tags

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.git.remote_refs import RemoteRefs
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Claim:
    """Claim the release's number on the remote, so that no other clone takes it and any clone can finish the release.

    Attributes:
        environment: where the release is deployed first.
    """

    environment: Environment
    label = StepLabel("claim")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for the number among the remote's tags, abandoned numbers and claims."""
        target, tag = tools.scm.push_target(), tools.settings.git_tag(release.version)
        remote_name = target.remote
        if not release.commit:
            return Act(f"claim {tag} on {remote_name}", release)
        remote = tools.scm.cached_remote_refs(target.branch)
        if remote is None:
            return Done(f"there is no remote on which others could take {tag}", release)
        if remote.tags.get(tag) == release.commit:
            return Done(f"{tag} on {release.commit[:10]} is on {remote_name}", release)
        claimed_commit = remote.claims.get(tag, "")
        if refusal := self._refusal(claimed_commit, remote, release, tools):
            return refusal
        others = self._superseded_versions(release, tools)
        if claimed_commit == release.commit and not others:
            return Done(f"{tag} is claimed on {remote_name}, for {release.commit[:10]}", release)
        also = f", in place of {', '.join(map(str, others))}" if others else ""
        return Act(f"claim {tag} on {remote_name}, for {release.commit[:10]}{also}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Push the claim; give up the claims of this environment's releases that this one replaces.

        Raises:
            Refused: somebody else has claimed the number in the meantime.
        """
        others = self._superseded_versions(release, tools)
        git_tag = tools.settings.git_tag
        abandons = [git_tag(version) for version, is_published in others.items() if is_published]
        drops = [git_tag(version) for version, is_published in others.items() if not is_published]
        try:
            tools.scm.claim(git_tag(release.version), release.commit, abandons=abandons, drops=drops)
        except Unreachable:
            raise
        except Refused as error:
            raise Refused(
                error.message, state=NOTHING_CHANGED, hint=_next_number_hint(release, tools), output=error.output
            ) from error
        self._require_untagged(release, tools)
        return release

    def _require_untagged(self, release: Release, tools: Tools) -> None:
        """Withdraw the claim if somebody else finished a release of this number while it was being claimed.

        The push that creates a tag deletes the claim, so the number looked free in that moment.
        """
        target, tag = tools.scm.push_target(), tools.settings.git_tag(release.version)
        remote = tools.scm.cached_remote_refs(target.branch)
        tagged_commit = remote.tags.get(tag, "") if remote else ""
        if tagged_commit not in {"", release.commit}:
            tools.scm.withdraw_claim(tag)
            message = f"{tag} is on {tagged_commit[:10]} on {target.remote}, by somebody else"
            raise Refused(message, state=NOTHING_CHANGED, hint=_next_number_hint(release, tools))

    def _refusal(self, claimed_commit: str, remote: RemoteRefs, release: Release, tools: Tools) -> Refuse | None:
        """Return why the number cannot be claimed: somebody else has it, or its image."""
        tag = tools.settings.git_tag(release.version)
        if remote_commit := remote.tags.get(tag, ""):
            return _taken_refusal(f"on {remote_commit[:10]}", release, tools)
        if tag in remote.abandoned:
            return _taken_refusal("given up", release, tools)
        if claimed_commit in {"", release.commit}:
            return None
        own_claims = claims.open_claims(self.environment, tools)
        claimed_release = Release(version=release.version, commit=claimed_commit)
        if release.version in own_claims and not self._is_published(claimed_release, tools):
            return None
        return _taken_refusal(f"claimed for {claimed_commit[:10]}", release, tools)

    def _superseded_versions(self, release: Release, tools: Tools) -> dict[Version, bool]:
        """Return the other releases under way to the environment, each with whether its image was pushed."""
        started = claims.open_claims(self.environment, tools).items()
        others = [Release(version=version, commit=commit) for version, commit in started if version != release.version]
        return {other.version: self._is_published(other, tools) for other in others}

    def _is_published(self, release: Release, tools: Tools) -> bool:
        return pending.is_published(release, tools, environment=self.environment, ask_remote=True)


def _taken_refusal(holder: str, release: Release, tools: Tools) -> Refuse:
    """Return the refusal for a number that somebody else has, with the command that takes the next one."""
    tag, remote_name = tools.settings.git_tag(release.version), tools.scm.push_target().remote
    return Refuse(
        reasons=(f"{tag} is {holder} on {remote_name}, by somebody else",), hint=_next_number_hint(release, tools)
    )


def _next_number_hint(release: Release, tools: Tools) -> str:
    if tools.scm.head().commit == release.commit and files.read_version(tools) == release.version:
        return preconditions.next_version_hint(release, tools)
    if files.read_version(tools) == release.version and claims.is_given_up(release.version, tools):
        return "inv bump changelog.release commit build, then run the same command again"
    return "run the same command again: it takes the next number"


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
        name, target = release.name, tools.scm.push_target()
        tag, remote = tools.settings.git_tag(release.version), tools.scm.cached_remote_refs(target.branch)
        if remote is None:
            return Refuse(reasons=("there is no remote",), hint="git remote add origin URL")
        if tag in remote.tags or tags.tag_commit(release.version, tools):
            hint = f"to take it out of service: inv rollback --env {self.environment.name}"
            return Refuse(reasons=(f"{name} is released: it has its tag {tag}",), hint=hint)
        is_marked = tag in remote.abandoned and tag not in remote.claims
        if is_marked and self._is_recorded(release, tools):
            return Done(f"{name} is given up; its number is not used again", release)
        return Act(f"give up {name} on {target.remote} and in the ledger: {self.reason}", release)

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
