"""The steps that write the release commit and fast-forward the branch to it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.release import ENVIRONMENT_TRAILER, Release, StepLabel
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.release import claims, files, messages, optional_files, pending, preconditions, undated_sections

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kaizen_tasks.domain.environment import Environment  # noqa: TC004 - a release without environments does not load it
    from kaizen_tasks.domain.git.head import HeadState
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Commit:
    """Write the release commit: HEAD plus the files of the release, kept by a private ref until it is tagged.

    Attributes:
        environment: the environment of a hotfix, which the commit's message names so that every clone can finish it;
            None for any other release.
    """

    environment: Environment | None = None
    label = StepLabel("commit")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for an existing release commit."""
        if release.commit:
            return Done(f"{release.name} is commit {release.commit[:10]}", release)
        pending_release = pending.find_pending_release(tools)
        if pending_release is not None and self._is_ready(pending_release, release, tools):
            return Done(f"{release.name} is commit {pending_release.commit[:10]}", pending_release)
        head = tools.scm.head()
        contents = optional_files.release_contents(tools)
        if refusal := find_refusal(release, head.commit, contents, tools):
            return refusal
        changed_files = files_without_version(release, tools) or tools.scm.files_differing_from(head.commit, contents)
        if not changed_files and self._names_environment(head.commit, tools):
            return self._found(release, head, tools)
        if not changed_files:
            return Act(f"commit the environment of {release.name} onto {head.branch or head.commit[:10]}", release)
        return Act(f"commit {_enumerate(changed_files, tools)} onto {head.branch or head.commit[:10]}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Write the commit object and its private ref; branch, index and working tree stay as they are.

        Raises:
            Refused: VERSION or the changelog does not have the version.
        """
        outdated_files = files_without_version(release, tools)
        if outdated_files:
            message = f"commit: {release.version} is missing from {' and '.join(outdated_files)}"
            raise Refused(message, state="nothing has been committed", hint="inv bump changelog.release commit")
        head, contents = tools.scm.head().commit, optional_files.release_contents(tools)
        message, check = self._message(release, tools), partial(_check_hook_changes, release=release, tools=tools)
        commit = tools.scm.write_commit(parent=head, files=contents, message=message, check=check)
        if tools.settings.version_files:
            from kaizen_tasks.flows.release import version_files

            version_files.require_committed(release.version, commit, tools)
        for name, pending_commit in tools.scm.pending_releases().items():
            if claims.is_of_line(pending_commit, tools):
                tools.scm.drop_pending(name)
        tools.scm.save_pending(release.name, commit)
        return release

    def _found(self, release: Release, head: HeadState, tools: Tools) -> Done:
        """Return the decision for a release that was committed, and perhaps merged, before this run."""
        commit = head.commit if self.environment else pending.find_release_commit(release.version, tools)
        later = "" if commit == head.commit else f"; what {head.branch or 'HEAD'} has got since is not in it"
        return Done(f"nothing to commit: {commit[:10]} is {release.name}{later}", evolve(release, commit=commit))

    def _is_ready(self, pending_release: Release, release: Release, tools: Tools) -> bool:
        is_same_version = pending_release.version == release.version
        return is_same_version and self._names_environment(pending_release.commit, tools)

    def _names_environment(self, commit: str, tools: Tools) -> bool:
        """Return whether a commit's message names the environment; always for a release that is no hotfix."""
        if self.environment is None:
            return True
        return tools.scm.commit_trailer(commit, ENVIRONMENT_TRAILER) == self.environment.name

    def _message(self, release: Release, tools: Tools) -> str:
        rules, trailers = tools.settings.release, []
        if self.environment is not None:
            trailers.append(f"{ENVIRONMENT_TRAILER}: {self.environment.name}")
        elif tools.settings.pipeline and tools.settings.has_several_lines:
            trailers.append(f"{claims.BRANCH_TRAILER}: {tools.scm.push_target().branch}")
        if rules.signoff:
            trailers.append(f"Signed-off-by: {tools.scm.committer()}")
        return messages.render_message(rules.message, release, tools, trailers=tuple(trailers))


def _enumerate(paths: tuple[str, ...], tools: Tools) -> str:
    """Return the names of files in words, with a number for the fragments."""
    fragments = [path for path in paths if path.startswith(f"{tools.settings.changelog.fragments}/")]
    names = [path for path in paths if path not in fragments]
    if fragments:
        names.append(f"{len(fragments)} fragment{'s'[: len(fragments) > 1]}")
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def files_without_version(release: Release, tools: Tools) -> tuple[str, ...]:
    """Return the files that do not have the version yet, as is the case in a dry run."""
    version_matches = {
        files.VERSION_FILE: files.read_version(tools) == release.version,
        files.changelog_file(tools): undated_sections.find_cut_section(release.version, tools) is not None,
    }
    outdated_files = tuple(name for name, is_current in version_matches.items() if not is_current)
    return (*outdated_files, *optional_files.outdated_version_paths(release.version, tools))


def find_refusal(release: Release, head: str, contents: Mapping[str, bytes | None], tools: Tools) -> Refuse | None:
    """Return why the files cannot be committed: git does not track them, or they have other changes."""
    problems: list[str] = []
    version_paths = files.version_paths(tools)
    if version_paths and {*version_paths} & {*tools.scm.modified_files()}:
        problems += preconditions.check_version_files(release.version, tools)
    is_dry = bool(contents.keys() & {*files_without_version(release, tools)})
    untracked_files = _files_only_here(head, contents, tools) if is_dry else tools.scm.untracked_files(head, contents)
    for name in untracked_files:
        problems.append(preconditions.Problem(f"{name} is not tracked by git", files.track_command(name)))
    if not problems:
        return None
    return preconditions.refusal(tuple(problems))


def _files_only_here(head: str, names: Iterable[str], tools: Tools) -> tuple[str, ...]:
    """Return the files that HEAD lacks; git, asked what a commit would change, would write objects in a dry run."""
    present_files = (name for name in names if tools.release_files.read(name) is not None)
    return tuple(name for name in present_files if tools.scm.read_at(head, name) is None)


def _check_hook_changes(contents: Mapping[str, bytes], *, release: Release, tools: Tools) -> None:
    """Check that the files are still those of the release after hooks have changed them.

    Raises:
        Refused: they are not.
    """
    for name, content in contents.items():
        if not _has_release(name, content, release, tools):
            raise Refused(
                f"commit: a hook changed {name}, which no longer has {release.version}",
                state="nothing has been committed",
                hint=f"exclude {name} from the hook, then run the same command again",
            )


def _has_release(name: str, content: bytes, release: Release, tools: Tools) -> bool:
    if name == files.changelog_file(tools):
        return files.parse_changelog(content, tools).find_section(release.version) is not None
    return name != files.VERSION_FILE or content.strip() == str(release.version).encode()


def stale_release_files(release: Release, head: HeadState, tools: Tools) -> tuple[str, ...]:
    """Return the release files that were not updated with the branch, because a run was stopped in between.

    Such a file differs from the index and has the content of the commit before the release or, if it was written before
    the commit, that of the release. Files with any other content were edited since and are not stale.
    """
    if head.commit != release.commit:
        return ()
    modified_files = {name for name in tools.scm.modified_files() if files.is_release_file(name, tools)}
    if not modified_files:
        return ()
    contents = {name: tools.release_files.read(name) for name in modified_files}
    differs_from_parent = set(tools.scm.files_differing_from(tools.scm.resolve(f"{release.commit}^"), contents))
    differs_from_release = set(tools.scm.files_differing_from(release.commit, contents))
    return tuple(sorted(modified_files & (differs_from_parent ^ differs_from_release)))


@frozen(kw_only=True)
class FastForward:
    """Fast-forward the branch to the release commit, and update the files of the release."""

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
        if tools.scm.cached_remote_refs(tools.scm.push_target().branch) is not None:
            return Done(f"{branch} has moved on; {release.name} is merged into it in the end", release)
        reason = f"{branch} has moved since {release.name} was started"
        return Refuse(reasons=(reason,), hint=f"git merge {release.commit[:10]}, then run the same command again")

    def act(self, release: Release, tools: Tools) -> Release:
        """Fast-forward the branch; other staged or edited files stay as they are."""
        tools.scm.fast_forward(release.commit, paths=files.release_paths(tools))
        return release
