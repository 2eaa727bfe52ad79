"""The steps that make the release commit: bump, changelog, commit, fast-forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from attrs import evolve, frozen
from semver import Version

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.errors import NOTHING_CHANGED, KaizenError, Refused
from kaizen_tasks.flows.release import files, pending

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.bump_inference import ChangePart
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.ports.tools import Tools
    from kaizen_tasks.ports.types import HeadState


@frozen(kw_only=True)
class Bump:
    """Choose the version, and write it into VERSION.

    Idempotent: the version follows from the last release, so bumping twice bumps once.

    Attributes:
        part: `patch`, `feature`, `major`, `rc`, or `auto`, which keeps a VERSION that is ahead of the last release and
            else infers the part from `[Unreleased]`.
        to: exactly this version; overrides `part`.
        accept_released: whether a HEAD that is released, with nothing noted since, is enough. So it is for flows, which
            must finish when they are run again; a plain bump with a part always moves on.
        force: whether the part may be lower than the changelog requires.
        hotfix: whether only releases that HEAD descends from count, because a hotfix starts from an older one.
    """

    part: versions.Part = "auto"
    to: Version | None = None
    accept_released: bool = False
    force: bool = False
    hotfix: bool = False
    label = StepLabel("bump")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Find the target version, and compare VERSION with it."""
        pending_release = pending.find_pending_release(tools)
        if pending_release is not None and self._resumes(pending_release, tools):
            return Done(
                f"{pending_release.name} was started before, as commit {pending_release.commit[:10]}", pending_release
            )
        current_version, base_version = files.read_version(tools), self._base_version(pending_release, tools)
        completed_release = (
            pending.find_completed_release(current_version, base_version, tools)
            if self.to in {None, current_version}
            else None
        )
        if completed_release is not None and (self.accept_released or self.part == "auto"):
            return Done(f"{completed_release.name} is released and nothing is noted since", completed_release)
        target_version, reason = self._target_version(current_version, base_version, tools)
        versions.require_newer(target_version, base_version)
        target_release = Release(version=target_version)
        if current_version == target_version:
            return Done(f"VERSION is {current_version}{reason}", target_release)
        return Act(f"{current_version} → {target_version}{reason}", target_release)

    def target_release(self, release: Release, tools: Tools) -> Release:
        """Return the release that this bump leads to, or `release` if that cannot be told before preflight."""
        try:
            decision = self.decide(release, tools)
        except KaizenError:
            return release  # the flow meets the error again, after preflight has collected all others
        return release if isinstance(decision, Refuse) else decision.release

    def act(self, release: Release, tools: Tools) -> Release:
        """Write VERSION, keeping its style."""
        base_version = self._base_version(pending.find_pending_release(tools), tools)
        target_version, _ = self._target_version(files.read_version(tools), base_version, tools)
        tools.release_files.write(
            files.VERSION_FILE,
            versions.render_version_file(tools.release_files.read(files.VERSION_FILE), target_version),
        )
        return evolve(release, version=target_version)

    def _resumes(self, pending_release: Release, tools: Tools) -> bool:
        """Return whether the pending release is the target.

        An explicit part after the pending release has failed in service asks for the release after it.
        """
        if self.to is not None:
            return self.to == pending_release.version
        return self.part == "auto" or not pending.has_failed(pending_release, tools)

    def _base_version(self, pending_release: Release | None, tools: Tools) -> Version | None:
        """Return the version to count from: of the last release, or of a later one that failed."""
        last_version = files.last_released_version(tools, merged_into_head=self.hotfix)
        if pending_release is None or self._resumes(pending_release, tools):
            return last_version
        return versions.latest_version(
            tuple(version for version in (pending_release.version, last_version) if version is not None)
        )

    def _target_version(
        self, current_version: Version, base_version: Version | None, tools: Tools
    ) -> tuple[Version, str]:
        if self.to is not None:
            return self.to, ", as asked"
        if self.part != "auto":
            self._require_sufficient_part(base_version or current_version, tools)
            return versions.bump_version(base_version or current_version, self.part), f", a {self.part} release"
        if base_version is None or current_version > base_version:
            return current_version, ", ahead of the last release" if base_version else ", the first release"
        return _infer_version(base_version, tools)

    def _require_sufficient_part(self, base_version: Version, tools: Tools) -> None:
        """Refuse a part that is lower than the changelog requires."""
        from kaizen_tasks.domain.changelog.bump_inference import find_entry_exceeding, infer_part

        unreleased = files.read_changelog(tools).unreleased
        if self.force or unreleased is None or self.part in {"auto", "rc"}:
            return
        entry = find_entry_exceeding(unreleased, cast("ChangePart", self.part), base_version)
        if entry is not None:
            required_part = infer_part(unreleased, current_version=base_version).part
            raise Refused(
                f"CHANGELOG.md:{entry.line}: {entry.excerpt!r} requires a {required_part}, not a {self.part}",
                state=NOTHING_CHANGED,
                hint=f"--part {required_part}, or --force to override",
            )


def _infer_version(base_version: Version, tools: Tools) -> tuple[Version, str]:
    from kaizen_tasks.domain.changelog.bump_inference import infer_part

    unreleased = files.read_changelog(tools).unreleased
    if unreleased is None or not any(group.entries for group in unreleased.groups):
        raise Refused(
            f"bump: nothing is noted under [Unreleased] since {base_version}",
            state=NOTHING_CHANGED,
            hint='note what changed: inv changelog.add --type fixed --text "…"',
        )
    decision = infer_part(unreleased, current_version=base_version)
    return versions.bump_version(base_version, versions.parse_part(decision.part)), f", {decision.reason}"


@frozen(kw_only=True)
class CutChangelog:
    """Cut `[Unreleased]` into the section of the version."""

    label = StepLabel("changelog")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for the heading of the version."""
        if release.commit:
            return Done(f"[{release.version}] is in the release commit", release)
        changelog = files.read_changelog(tools)
        if changelog.find_section(release.version) is not None:
            return Done(f"[{release.version}] exists", release)
        if not files.has_unreleased_entries(changelog):
            return Refuse(
                reasons=(f"nothing is noted under [Unreleased] for {release.version}",),
                hint='note what changed: inv changelog.add --type fixed --text "…"',
            )
        return Act(f"cut [Unreleased] into [{release.version}] - {_today(tools)}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Write the new changelog; all other bytes stay."""
        from kaizen_tasks.domain.changelog.cut import cut_release

        new_content = cut_release(
            files.read_changelog_bytes(tools),
            version=release.version,
            date=tools.clock.now().date(),
            repository_url=tools.scm.web_url() or None,
            tag_pattern=tools.settings.tag_pattern,
        )
        tools.release_files.write(files.CHANGELOG_FILE, new_content)
        return release


def _today(tools: Tools) -> str:
    return tools.clock.now().date().isoformat()


@frozen(kw_only=True)
class Commit:
    """Write the release commit: HEAD plus VERSION and CHANGELOG.md, kept by a private ref until it is tagged."""

    label = StepLabel("commit")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for an existing release commit."""
        if release.commit:
            return Done(f"{release.name} is commit {release.commit[:10]}", release)
        pending_release = pending.find_pending_release(tools)
        if pending_release is not None and pending_release.version == release.version:
            return Done(f"{release.name} is commit {pending_release.commit[:10]}", pending_release)
        head = tools.scm.head()
        changed_files = _files_without_version(release, tools) or tools.scm.files_differing_from(
            head.commit, _release_file_contents(tools)
        )
        if not changed_files:
            return Done(
                f"nothing to commit: {head.commit[:10]} is {release.name}",
                evolve(release, commit=head.commit),
            )
        return Act(f"commit {' and '.join(changed_files)} onto {head.branch or head.commit[:10]}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Write the commit object and its private ref; branch, index and working tree stay as they are.

        Raises:
            Refused: VERSION or CHANGELOG.md does not have the version.
        """
        outdated_files = _files_without_version(release, tools)
        if outdated_files:
            raise Refused(
                f"commit: {release.version} is missing from {' and '.join(outdated_files)}",
                state="nothing has been committed",
                hint="inv bump changelog.release commit",
            )
        commit = tools.scm.write_commit(
            parent=tools.scm.head().commit, files=_release_file_contents(tools), message=f"Release {release.name}\n"
        )
        for name in tools.scm.pending_releases():
            tools.scm.drop_pending(name)
        tools.scm.save_pending(release.name, commit)
        return release


def _files_without_version(release: Release, tools: Tools) -> tuple[str, ...]:
    """Return the files that do not have the version yet, as is the case in a dry run."""
    version_matches = {
        files.VERSION_FILE: files.read_version(tools) == release.version,
        files.CHANGELOG_FILE: files.read_changelog(tools).find_section(release.version) is not None,
    }
    return tuple(name for name, is_current in version_matches.items() if not is_current)


def _release_file_contents(tools: Tools) -> dict[str, bytes]:
    contents = {name: tools.release_files.read(name) for name in files.RELEASE_FILES}
    return {name: content for name, content in contents.items() if content is not None}


def stale_release_files(release: Release, head: HeadState, tools: Tools) -> tuple[str, ...]:
    """Return the files that were not updated with the branch, because a run was stopped in between.

    They have the content of before the release or, if they were written before the commit, that of the release while
    the index has not. Files with any other content were edited since and are not stale.
    """
    modified_files = (
        set(files.RELEASE_FILES) & set(tools.scm.modified_files()) if head.commit == release.commit else set()
    )
    if not modified_files:
        return ()
    contents = _release_file_contents(tools)
    differs_from_parent = set(tools.scm.files_differing_from(tools.scm.resolve(f"{release.commit}^"), contents))
    differs_from_release = set(tools.scm.files_differing_from(release.commit, contents))
    return tuple(sorted(modified_files & (differs_from_parent ^ differs_from_release)))


@frozen(kw_only=True)
class FastForward:
    """Fast-forward the branch to the release commit, and update the two files."""

    label = StepLabel("fast-forward")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Compare the branch with the release commit."""
        head = tools.scm.head()
        branch = head.branch or "HEAD"
        if not release.commit:
            return Act(f"move {branch} to the release commit", release)
        if tools.scm.is_ancestor(release.commit, head.commit):
            stale_files = stale_release_files(release, head, tools)
            if not stale_files:
                return Done(f"{branch} has {release.commit[:10]}", release)
            return Act(f"update {' and '.join(stale_files)} to {release.commit[:10]}", release)
        if tools.scm.is_ancestor(head.commit, release.commit):
            return Act(f"move {branch} from {head.commit[:10]} to {release.commit[:10]}", release)
        return Refuse(
            reasons=(f"{branch} has moved since {release.name} was started",),
            hint=f"git merge {release.commit[:10]}, then run the same command again",
        )

    def act(self, release: Release, tools: Tools) -> Release:
        """Fast-forward; other staged or edited files stay as they are."""
        tools.scm.fast_forward(release.commit, paths=files.RELEASE_FILES)
        return release
