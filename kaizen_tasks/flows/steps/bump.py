"""The step that chooses the version and writes it into VERSION."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, cast

from attrs import evolve, frozen
from semver import Version

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.changelog.bump_inference import BumpDecision, ChangePart, find_decision_exceeding, infer_part
from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.release import ENVIRONMENT_TRAILER, Release, StepLabel
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.domain.text.printable import printable
from kaizen_tasks.errors import NOTHING_CHANGED, KaizenError, Refused
from kaizen_tasks.flows.release import claims, files, last_release, optional_files, pending, tags, undated_sections
from kaizen_tasks.flows.step import FileStep, ReasonedStep

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.section import Section
    from kaizen_tasks.domain.environment import Environment  # noqa: TC004 - a release without environments does not load it
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Bump(FileStep, ReasonedStep):
    """Choose the version, and write it into VERSION.

    Idempotent: the version follows from the last release, so bumping twice bumps once.

    Attributes:
        part: `patch`, `feature`, `major`, `rc`, or `auto`, which keeps a VERSION that is ahead of the last release and
            else infers the part from `[Unreleased]`.
        to: exactly this version; overrides `part`.
        accept_released: whether to keep the last release if HEAD is its commit and nothing is noted since: for flows,
            which must finish when they are run again. A plain bump with a part always moves on.
        force: whether the part may be lower than the changelog requires.
        hotfix: whether it is a hotfix, which comes from a branch of its own.
        environment: where the release will be deployed; None for the first stage, or for a release without deployment.
        ask_remote: whether to ask the remote which numbers are taken, and which releases other clones have started.
        push: whether the release is pushed, so that one which was not pushed yet is finished first.
    """

    part: versions.Part = "auto"
    to: Version | None = None
    accept_released: bool = False
    force: bool = False
    hotfix: bool = False
    environment: Environment | None = None
    ask_remote: bool = True
    push: bool = False
    label = StepLabel("bump")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Find the target version, and compare VERSION with it."""
        pending_release = self._find_pending_release(tools)
        if pending_release is not None and self.resumes(pending_release, tools):
            return Done(self._describe_resumption(pending_release, tools), pending_release)
        current, base = files.read_version(tools), self._base_version(pending_release, tools)
        if refusal := self._find_refusal(pending_release, current, base, tools):
            return refusal
        last_release = pending.find_completed_release(current, base, tools) if self.to in {None, current} else None
        if last_release is not None and self._accepts(last_release, tools):
            return Done(f"{last_release.name} is released and nothing is noted since", last_release)
        if earlier_release := self._find_release_before_head(current, base, tools):
            reason = f"{earlier_release.name} is what is noted; the commits after it note nothing"
            return Done(reason, earlier_release)
        return self._decide_next(current, base, pending_release, tools)

    def _decide_next(
        self, current: Version, base: Version | None, left_release: Release | None, tools: Tools
    ) -> Decision:
        """Choose the next version, and compare VERSION with it; `left_release` is started, and not continued."""
        target_version, reason = self._target_version(current, base, tools)
        versions.require_newer(target_version, base)
        _require_no_other_section(target_version, base, tools)
        self._require_own_number(target_version, base, tools)
        target_release = Release(version=target_version)
        if left_release is not None and self.to is None:
            reason = f"{reason}; {left_release.name} has failed and is left behind"
        elif self.to is None and current == base and self._is_given_up(current, tools):
            reason = f"{reason}; v{current} was given up"
        if current == target_version:
            if outdated_paths := optional_files.outdated_version_paths(target_version, tools):
                return Act(f"write {target_version} into {' and '.join(outdated_paths)}", target_release)
            return Done(f"VERSION is {current}{reason}", target_release)
        return Act(f"{current} → {target_version}{reason}", target_release)

    def _find_release_before_head(self, current: Version, base: Version | None, tools: Tools) -> Release | None:
        """Return the last release, from which the branch has moved on, for a flow that pushes; else None."""
        is_asked_for = self.to == current or (self.to is None and self.part == "auto")
        is_flow = self.accept_released and not self.hotfix and (self.push or bool(tools.settings.pipeline))
        if not (is_asked_for and is_flow):
            return None
        release = pending.find_release_before_head(current, base, tools)
        return release if release is not None and self._accepts(release, tools) else None

    def _accepts(self, last_release: Release, tools: Tools) -> bool:
        """Return whether the last release is what is asked for.

        A release candidate is no final release, and one that was not made for the environment is no hotfix of it.
        """
        if self.hotfix and self.environment is not None:
            environment_name = tools.scm.commit_trailer(last_release.commit, ENVIRONMENT_TRAILER)
            if environment_name != self.environment.name:
                return False
        if last_release.version.prerelease and self.part != "rc" and self.to is None:
            return False
        return self.accept_released or self.part == "auto"

    def target_release(self, release: Release, tools: Tools) -> Release:
        """Return the release that this bump leads to, or `release` itself if the bump refuses or fails."""
        try:
            decision = self.decide(release, tools)
        except KaizenError:
            return release  # the flow meets the error again, after preflight has collected all others
        return release if isinstance(decision, Refuse) else decision.release

    def act(self, release: Release, tools: Tools) -> Release:
        """Write VERSION and the files that repeat it; all other bytes of these stay."""
        base_version = self._base_version(self._find_pending_release(tools), tools)
        target_version, _ = self._target_version(files.read_version(tools), base_version, tools)
        content = versions.render_version_file(tools.release_files.read(files.VERSION_FILE), target_version)
        repeated = _version_file_contents(target_version, tools)
        for path, file_content in {files.VERSION_FILE: content, **repeated}.items():
            tools.release_files.write(path, file_content)
        return evolve(release, version=target_version)

    def _find_pending_release(self, tools: Tools) -> Release | None:
        return pending.find_pending_release(tools, environment=self.environment, ask_remote=self.ask_remote)

    def resumes(self, pending_release: Release, tools: Tools) -> bool:
        """Return whether this bump continues a release that was started.

        One that has failed in service is tried again only as long as HEAD has nothing else to release.
        """
        if self.to is not None:
            return self.to == pending_release.version
        return not (pending.later_commits(pending_release, tools) and self._has_failed(pending_release, tools))

    def _has_failed(self, pending_release: Release, tools: Tools) -> bool:
        return pending.has_failed(pending_release, tools, environment=self.environment)

    def _describe_resumption(self, pending_release: Release, tools: Tools) -> str:
        """Return that a release was started before, what HEAD has beyond it, and how that is released instead."""
        reason = f"{pending_release.name} was started before, as commit {pending_release.commit[:10]}"
        commits = pending.later_commits(pending_release, tools)
        if not commits:
            return reason
        next_version = self._version_after(pending_release, tools)
        note = "" if pending.has_later_notes(pending_release, tools) else f"{files.note_command(tools)} && "
        instead = f"to release HEAD instead: {note}{self._command(tools)} --to {next_version}"
        return f"{reason}, and lacks {_list_commits(commits)}; {instead}"

    def _version_after(self, pending_release: Release, tools: Tools) -> Version:
        """Return the version that HEAD gets in place of a started release: what is noted asks for it, else a patch."""
        base = self._base_version(pending_release, tools, is_left=True) or pending_release.version
        with suppress(KaizenError):
            return self._target_version(files.read_version(tools), base, tools)[0]
        return self._skip_taken(versions.bump_version(base, "patch"), "patch", "", base, tools)[0]

    def _command(self, tools: Tools) -> str:
        if self.hotfix and self.environment is not None:
            return f"inv hotfix --env {self.environment.name}"
        return f"inv release-{tools.settings.first_stage.name}" if tools.settings.pipeline else "inv cut"

    def _find_refusal(
        self, pending_release: Release | None, current: Version, base: Version | None, tools: Tools
    ) -> Refuse | None:
        """Return why there is no next version: nothing is noted since one that has failed, or that was given up."""
        if self.to is not None:
            return None
        command, hint = self._command(tools), f"note what changed: {files.note_command(tools)}"
        if pending_release is not None and not pending.has_later_notes(pending_release, tools):
            name, commits = pending_release.name, pending.later_commits(pending_release, tools)
            reason = f"{name} has failed, and nothing is noted for what it lacks: {_list_commits(commits)}"
            hint = f"{hint}, then run the same command again; to try {name} again: {command} --to {name[1:]}"
            return Refuse(reasons=(reason,), state=NOTHING_CHANGED, hint=hint)
        if current != base or not self._is_given_up(current, tools):
            return None
        changelog = optional_files.read_noted_changelog(tools)
        if files.has_unreleased_entries(changelog) or undated_sections.find_waiting_release(current, tools):
            return None
        reason = f"v{current} was given up, and nothing is noted since"
        if self._is_unpushed_release(current, tools):
            hint = f"to release the same under the next number: git reset --keep HEAD^ && {command}"
        else:
            hint = f"{hint}, then run the same command again"
        return Refuse(reasons=(reason,), state=NOTHING_CHANGED, hint=hint)

    def _is_unpushed_release(self, version: Version, tools: Tools) -> bool:
        """Return whether HEAD is the commit of a release that only this clone's branch has."""
        remote, head = claims.read_remote(tools), tools.scm.head().commit
        if remote is None or not pending.brings_version(head, version, tools):
            return False
        return head == remote.abandoned.get(tools.settings.git_tag(version)) and head != remote.branch_commit

    def _base_version(self, pending_release: Release | None, tools: Tools, *, is_left: bool = False) -> Version | None:
        """Return the version to increment: the last release's or, if higher, one that is left behind.

        Args:
            pending_release: the release that was started; None when there is none.
            tools: the ports.
            is_left: whether it is left behind although it may be continued.
        """
        last_version = last_release.last_released_version(tools)
        if self.ask_remote:
            last_version = claims.last_version_on_remote(tools, above=last_version) or last_version
        left_versions = [] if last_version is None else [last_version]
        if pending_release is not None and (is_left or not self.resumes(pending_release, tools)):
            left_versions.append(pending_release.version)
        current = files.read_version(tools)
        if self.to is None and self._is_given_up(current, tools):
            left_versions.append(current)
        return max(left_versions, default=None)

    def _is_given_up(self, version: Version, tools: Tools) -> bool:
        return self.ask_remote and claims.is_given_up(version, tools)

    def _target_version(self, current: Version, base: Version | None, tools: Tools) -> tuple[Version, str]:
        if self.to is not None:
            return self.to, ", as asked"
        if self.part == "auto" and (base is None or current > base):
            reason = ", ahead of the last release" if base else ", the first release"
            if files.read_changelog(tools).find_section(current) is not None:
                return current, reason  # its section is written, so it cannot get another number any more
            return self._skip_taken(current, "rc" if current.prerelease else "patch", reason, base, tools)
        return self._skip_taken(*self._next_version(base or _committed_version(current, tools), tools), base, tools)

    def _next_version(self, base: Version, tools: Tools) -> tuple[Version, versions.Part, str]:
        """Return the version after another one, the part by which to skip it if it is taken, and the reason."""
        if self.part == "rc" or base.prerelease:
            from kaizen_tasks.flows.release import candidates

            if self.part == "rc":
                return candidates.next_candidate(base, tools), "rc", ", a release candidate"
            final = candidates.final_release(base, self.part, tools, force=self.force)
            return final.version, "patch", f", {final.reason}"
        if self.part != "auto":
            self._require_sufficient_part(base, tools)
            return versions.bump_version(base, self.part), self.part, f", a {self.part} release"
        undated = undated_sections.find_undated_release(base, tools)
        if undated is not None and _is_the_only_note(undated, tools) and undated.version is not None:
            return (
                undated.version,
                "patch",
                f", for which line {undated.line} of {files.changelog_file(tools)} has the notes",
            )
        decision = _infer_part(base, undated, tools)
        part = versions.parse_part(decision.part)
        return versions.bump_version(base, part), part, f", {optional_files.reason_of(decision, tools)}"

    def _skip_taken(
        self, version: Version, part: versions.Part, reason: str, base: Version | None, tools: Tools
    ) -> tuple[Version, str]:
        """Return the version or, if somebody else has it, the next one that is free, with the reason.

        A number of another line is returned as it is, to be refused: those after it are that line's too.
        """
        free_version = version
        while self._is_taken(free_version, tools) and not _is_of_other_line(free_version, base, tools):
            free_version = versions.bump_version(free_version, part)
        return free_version, reason if free_version == version else f"{reason}; {version} is taken"

    def _is_taken(self, version: Version, tools: Tools) -> bool:
        if self.ask_remote:
            return pending.is_taken(version, tools, environment=self.environment)
        return version in tags.tagged_versions(tools)

    def _require_own_number(self, version: Version, base: Version | None, tools: Tools) -> None:
        """Require a number that the line of HEAD may take; the only line there is may take any.

        Raises:
            Refused: the number is one of another line.
        """
        if tools.settings.lines or versions.latest_version(tags.tagged_versions(tools)) not in {None, base}:
            from kaizen_tasks.flows.release import lines

            hotfix_for = self.environment.name if self.hotfix and self.environment else ""
            lines.require_own_number(version, base, tools, hotfix_for=hotfix_for)

    def _require_sufficient_part(self, base_version: Version, tools: Tools) -> None:
        from kaizen_tasks.domain.changelog.model import find_unreleased

        unreleased = find_unreleased(optional_files.read_noted_changelog(tools))
        if self.force or unreleased is None or self.part in {"auto", "rc"}:
            return
        rules, part = tools.settings.bump_rules, cast("ChangePart", self.part)
        decision = find_decision_exceeding(unreleased, part=part, current_version=base_version, rules=rules)
        if decision is not None:
            from kaizen_tasks.flows.release import lines

            asked, required = (
                self._skip_taken(versions.bump_version(base_version, part), part, "", base_version, tools)[0]
                for part in (part, decision.part)
            )
            self._require_own_number(asked, base_version, tools)
            hint = lines.sufficient_part_hint(decision.part, required, base_version, tools)
            path, line = optional_files.place_of(decision.entry, tools)
            message = f"{path}:{line}: {decision.entry.excerpt!r} requires a {decision.part}, not a {self.part}"
            raise Refused(message, state=NOTHING_CHANGED, hint=hint)


def _list_commits(commits: tuple[str, ...]) -> str:
    """Return commits in words, each with its subject, which others have written."""
    noun = "1 commit" if len(commits) == 1 else f"{len(commits)} commits"
    return f"{noun} of HEAD ({list_names([printable(commit) for commit in commits])})"


def _committed_version(current: Version, tools: Tools) -> Version:
    """Return the version in HEAD's VERSION, which a bump does not change, or else the current one."""
    committed = tools.scm.read_at(tools.scm.head().commit, files.VERSION_FILE)
    return current if committed is None else versions.parse_version_file(committed)


def _require_no_other_section(version: Version, base: Version | None, tools: Tools) -> None:
    """Require that no other version's section is waiting for its date, whose notes would stay behind.

    Raises:
        Refused: there is such a section.
    """
    undated = undated_sections.find_undated_release(base, tools)
    if undated is not None and undated.version != version:
        place = f"{files.changelog_file(tools)}:{undated.line}"
        message = f"{place}: {undated.version} has no date yet, and {version} would be released"
        hint = f"--to {undated.version}, or rename that heading to ## [Unreleased]"
        raise Refused(message, state=NOTHING_CHANGED, hint=hint)


def _is_the_only_note(undated: Section, tools: Tools) -> bool:
    """Return whether nothing is noted but under a version without a date, in groups of types, as plans are not."""
    is_typed = any(group.type and group.entries for group in undated.groups)
    return is_typed and not files.has_unreleased_entries(optional_files.read_noted_changelog(tools))


def _infer_part(base_version: Version, undated: Section | None, tools: Tools) -> BumpDecision:
    changelog = optional_files.read_noted_changelog(tools)
    unreleased = changelog.unreleased
    if unreleased is None or not files.has_unreleased_entries(changelog):
        message = f"bump: nothing is noted under [Unreleased] since {base_version}"
        hint = f"note what changed: {files.note_command(tools)}"
        if waiting := undated_sections.find_waiting_release(base_version, tools):
            message = f"{message}, but under {waiting.version} at {files.changelog_file(tools)}:{waiting.line}"
            hint = f"--to {waiting.version}"
        raise Refused(message, state=NOTHING_CHANGED, hint=hint)
    sections = (unreleased, *([undated] if undated is not None else []))
    return infer_part(*sections, current_version=base_version, rules=tools.settings.bump_rules)


def _version_file_contents(version: Version, tools: Tools) -> dict[str, bytes]:
    """Return the files that repeat VERSION with a version."""
    if not tools.settings.version_files:
        return {}
    from kaizen_tasks.flows.release import version_files

    return version_files.with_version(version, tools)


def _is_of_other_line(version: Version, base: Version | None, tools: Tools) -> bool:
    from kaizen_tasks.domain.line import conflicting_release

    return conflicting_release(version, base, tags.tagged_versions(tools)) is not None
