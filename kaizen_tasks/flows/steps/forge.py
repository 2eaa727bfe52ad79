"""The steps on the server of the remote: the branch and pull request of the next release, and release notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.git.remote_url import pull_request_url
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.errors import KaizenError, PushFailed, Refused
from kaizen_tasks.flows.release import announcement, optional_files, proposal
from kaizen_tasks.flows.steps.commit import files_without_version, find_refusal

if TYPE_CHECKING:
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Propose:
    """Keep one branch on the remote that has the next release: HEAD with the version and its section.

    What somebody has edited there is never replaced, unless that is asked for.

    Attributes:
        asks_version: whether the version was asked for, so that an edited branch must have it.
        discard_edits: whether the branch is replaced although somebody has edited it.
    """

    asks_version: bool = False
    discard_edits: bool = False
    label = StepLabel("propose")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Compare the branch on the remote with what would be proposed."""
        if release.commit:
            return Done(f"{release.name} is released and nothing is noted since", release)
        head, remote_name = tools.scm.head(), tools.scm.push_target().remote
        is_ready = not files_without_version(release, tools)
        if is_ready and not tools.scm.files_differing_from(head.commit, optional_files.release_contents(tools)):
            reason = f"{head.branch} has {release.name} already, which is not released yet"
            return Done(reason, evolve(release, commit=head.commit))
        if refusal := find_refusal(release, head.commit, optional_files.release_contents(tools), tools):
            return refusal
        branch = proposal.read_branch(tools)
        if branch.edited_in and not self.discard_edits:
            return self._decide_on_edits(branch, release, tools)
        if is_ready and not branch.edited_in and proposal.is_current(branch, tools):
            return Done(f"{branch.name} on {remote_name} has {release.name}", release)
        verb = "update" if branch.tip else "push"
        return Act(f"{verb} {branch.name} on {remote_name} with {release.name}", release)

    def _decide_on_edits(self, branch: proposal.ProposalBranch, release: Release, tools: Tools) -> Decision:
        target, edit = tools.scm.push_target(), f"{branch.name} was edited in {branch.edited_in[:10]}"
        main, remote_name = target.branch, target.remote
        discard = "or give up what was edited there: inv propose --discard-edits"
        if not proposal.proposes_release(branch, tools):
            reason = f"{edit}, and proposes {branch.version or 'no version'}, which is not the next release"
            return Refuse(reasons=(reason,), hint=f"merge it into {main} or push it under another name, {discard}")
        if not branch.has_head:
            merge = f"git fetch {remote_name} && git switch {branch.name} && git merge {remote_name}/{main} && git push"
            reason = f"{edit}, and {main} has moved on"
            return Refuse(reasons=(reason,), hint=f"bring them together ({merge}), {discard}")
        if self.asks_version and branch.version != release.version:
            reason = f"{edit}, and proposes {branch.version or 'no version'}, not {release.version}"
            return Refuse(reasons=(reason,), hint=f"merge it as it is, {discard}")
        return Done(f"{edit}, which stays as it is", evolve(release, version=branch.version or release.version))

    def act(self, release: Release, tools: Tools) -> Release:
        """Write the commit and push it; the branch must still be as it was read.

        Raises:
            Refused: somebody else has pushed to the branch in the meantime, or a hook rejected the commit.
            PushFailed: the remote rejects the branch.
        """
        branch = proposal.read_branch(tools)
        commit = proposal.write_commit(release, tools)
        tools.scm.replace_branch(branch.name, commit, expected=branch.tip)
        return release


@frozen(kw_only=True)
class OpenPullRequest:
    """Open the pull request of the branch with the next release, or update it; without a token, say where to do so."""

    label = StepLabel("pull request")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for the open pull request, and compare its title and description."""
        if release.commit:
            return Done("there is nothing to propose", release)
        source, target = proposal.branch_name(tools), tools.scm.push_target().branch
        if problem := tools.forge.access_problem():
            return Done(_open_by_hand(source, target, problem, tools), release)
        try:
            existing = tools.forge.find_pull_request(source=source, target=target)
        except KaizenError as error:
            raise _pull_request_error(error, source, target, tools) from error
        if existing is None:
            return Act(f"open a {_request_noun(tools)} from {source} into {target}", release)
        title, body = proposal.describe(release, proposal.read_branch(tools), existing.body, tools)
        if self.label in release.verified_steps or (existing.title, existing.body) == (title, body):
            return Done(f"{existing.url} is open: {title}", release)
        return Act(f"update {existing.url}: {title}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Open the pull request, or update its title and description.

        Raises:
            PushFailed: the server does not do it; the branch is pushed.
        """
        source, target = proposal.branch_name(tools), tools.scm.push_target().branch
        branch = proposal.read_branch(tools)
        try:
            existing = tools.forge.find_pull_request(source=source, target=target)
            title, body = proposal.describe(release, branch, existing.body if existing else "", tools)
            if existing is None:
                tools.forge.open_pull_request(source=source, target=target, title=title, body=body)
            else:
                tools.forge.update_pull_request(existing.number, title=title, body=body)
        except KaizenError as error:
            raise _pull_request_error(error, source, target, tools) from error
        return release.with_verified_step(self.label)


def _pull_request_error(error: KaizenError, source: str, target: str, tools: Tools) -> PushFailed:
    return PushFailed(
        error.message,
        state=f"{source} is pushed; only its {_request_noun(tools)} is missing or old",
        hint=f"{error.hint}; or {_open_by_hand(source, target, '', tools)}".removeprefix("; or "),
    )


def _request_noun(tools: Tools) -> str:
    return "merge request" if tools.forge.server() == "GitLab" else "pull request"


def _open_by_hand(source: str, target: str, problem: str, tools: Tools) -> str:
    """Return where a person opens the pull request."""
    url = pull_request_url(tools.scm.web_url(), source=source, target=target)
    noun = _request_noun(tools)
    action = f"open the {noun} at {url}" if url else f"open a {noun} from {source} into {target}"
    return f"{problem}; {action}" if problem else action


@frozen(kw_only=True)
class Announce:
    """Publish the release's page, with its section of the changelog; without access to the server, say why not."""

    label = StepLabel("announce")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for the page, and compare what it shows."""
        if problem := tools.forge.access_problem():
            return Done(f"{release.name} is not announced: {problem}", release)
        server = tools.forge.server()
        if self.label in release.verified_steps:
            return Done(f"the release notes of {release.name} are on {server}", release)
        if not release.commit or announcement.remote_commit(release, tools) != release.commit:
            return Act(f"publish the release notes of {release.name} on {server}, once its tag is there", release)
        try:
            page = tools.forge.find_release(tools.settings.git_tag(release.version))
        except KaizenError as error:
            raise announcement.announcement_error(error, release, tools) from error
        if page is None:
            return Act(f"publish the release notes of {release.name} on {server}", release)
        if page.shows(announcement.render_page(release, tools)):
            return Done(f"the release notes of {release.name} are on {server}", release)
        verb = "publish the draft" if page.is_draft else "replace the release notes"
        return Act(f"{verb} of {release.name} on {server}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Publish the page.

        Raises:
            PushFailed: it was not published; the release itself is complete.
        """
        try:
            if announcement.remote_commit(release, tools) != release.commit:  # the server would make a tag of its own
                tag = tools.settings.git_tag(release.version)
                raise Refused(f"the tag {tag} is not on the remote", hint="inv tag")
            page = announcement.render_page(release, tools)
            tools.forge.publish_release(page, is_latest=announcement.is_latest(release, tools))
        except KaizenError as error:
            raise announcement.announcement_error(error, release, tools) from error
        return release.with_verified_step(self.label)
