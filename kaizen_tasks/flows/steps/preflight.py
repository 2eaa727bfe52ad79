"""The step that checks the preconditions of a release before the first change."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.decision import Decision, Done, Refuse
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.accounts import require_accounts
from kaizen_tasks.flows.release import preconditions, tags
from kaizen_tasks.flows.step import ReadOnlyStep
from kaizen_tasks.flows.steps.bump import Bump
from kaizen_tasks.flows.steps.changelog import CutChangelog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.environment import Environment  # noqa: TC004 - a release without environments does not load it
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Preflight(ReadOnlyStep):
    """Collect every problem that would stop the release; ask the remote, since its refs in this clone may be old.

    Attributes:
        bump: the step that chooses the version.
        environments: where the release will be deployed, checked too; empty checks the release alone.
        push: whether to ask the remote.
        skip_docs: why the documentation checklist does not apply this time.
    """

    bump: Bump
    environments: tuple[Environment, ...] = ()
    push: bool = True
    skip_docs: str = ""
    label = StepLabel("preflight")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Check everything; refuse with the whole list of problems."""
        problems = tuple(self._problems(release, tools))
        if problems:
            return preconditions.refusal(problems)
        return Done(f"no problems{preconditions.tag_form_note(tools)}", release)

    def is_blocked_locally(self, tools: Tools) -> bool:
        """Return whether the state of this clone prevents the release; sends no request."""
        return any(True for _ in self._worktree_problems(tools))

    def _problems(self, release: Release, tools: Tools) -> Iterator[str]:
        yield from self._worktree_problems(tools)
        check_accounts = partial(require_accounts, self.environments, tools)
        account_error = preconditions.error_text(check_accounts) if self.environments else ""
        if account_error:
            yield account_error  # and read nothing from a wrong account
            return
        if self.bump.hotfix and self._is_on_other_branch(tools):
            return  # the branch to switch to begins elsewhere, and gets what is to be released
        try:
            decision = self.bump.decide(release, tools)
        except KaizenError as error:
            yield preconditions.Problem(error.message, error.hint)
            yield from preconditions.check_fragments(tools)
            return
        if not isinstance(decision, Refuse):
            yield from self._release_problems(decision.release, tools)

    def _is_on_other_branch(self, tools: Tools) -> bool:
        return any(preconditions.check_branch(tools.scm.head().branch, self._branches(tools)))

    def _worktree_problems(self, tools: Tools) -> Iterator[str]:
        return preconditions.check_worktree(self._branches(tools), tools)

    def _branches(self, tools: Tools) -> tuple[str, ...]:
        return tools.settings.release.hotfix_branches if self.bump.hotfix else tools.settings.release_branches

    def _release_problems(self, release: Release, tools: Tools) -> Iterator[str]:
        is_fixed = bool(self.environments) and preconditions.has_pushed_image(release, self.bump.environment, tools)
        if not is_fixed:
            yield from preconditions.check_versions(release, tools)
            yield from preconditions.check_release_files(release, tools)
            yield from _changelog_problems(release, tools)
        if self.push:
            yield from preconditions.check_remote(release, self.bump.environment, tools, is_fixed=is_fixed)
            if not self.environments:
                yield from preconditions.check_remote_exists(tools)
        is_tagged = bool(release.commit) and tags.tag_commit(release.version, tools) == release.commit
        if not self.skip_docs and not is_fixed and not is_tagged:
            yield from preconditions.check_docs(tools)
        if self.environments:
            yield from self._environment_problems(release, tools)

    def _environment_problems(self, release: Release, tools: Tools) -> Iterator[str]:
        from kaizen_tasks.flows.doctor import preflight
        from kaizen_tasks.flows.release import environment_preconditions

        problems = preflight.find_problems(self.environments, tools, builds=True)
        findings = preflight.without_first_deployments(problems, release, tools)
        for finding in findings:
            yield preconditions.Problem(preflight.describe(finding), finding.fix, line="{} ({})")
        if not findings:
            obstacles = (
                obstacle
                for environment in self.environments
                for obstacle in environment_preconditions.check_environment(environment, release, tools)
            )
            yield from dict.fromkeys(obstacles)


def _changelog_problems(release: Release, tools: Tools) -> Iterator[str]:
    """Yield why the changelog could not be cut, which the release would find out only after VERSION is written."""
    decision = CutChangelog(after_preflight=True).decide(release, tools)
    if isinstance(decision, Refuse):
        yield from (preconditions.Problem(reason, decision.hint) for reason in decision.reasons)
