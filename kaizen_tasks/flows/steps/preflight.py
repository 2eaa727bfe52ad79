"""Everything that would stop a release, collected before the first write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.decision import Done, Refuse
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.release import preconditions
from kaizen_tasks.flows.steps.version import Bump

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Preflight:
    """Collect every obstacle, on the remote truth and not on stale refs.

    Attributes:
        bump: the bump that follows, to know which version is meant.
        environments: also check what deployments there need; without any, the release side alone is checked.
        push: whether the remote is asked.
        skip_docs: why the documentation checklist does not apply this time.
    """

    bump: Bump
    environments: tuple[Environment, ...] = ()
    push: bool = True
    skip_docs: str = ""
    label = StepLabel("preflight")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look everywhere; refuse with the whole list."""
        problems = tuple(self._problems(release, tools))
        if problems:
            return Refuse(
                reasons=problems, hint="mend these, then type the same command again; nothing has been changed"
            )
        return Done("nothing stands in the way", release)

    def is_blocked_locally(self, tools: Tools) -> bool:
        """Tell whether this very clone stands in the way, which can be seen without asking anybody."""
        return any(True for _ in self._worktree_problems(tools))

    def act(self, release: Release, tools: Tools) -> Release:
        """Do nothing: an obstacle is there or not."""
        return release

    def _problems(self, release: Release, tools: Tools) -> Iterator[str]:
        yield from self._worktree_problems(tools)
        account_error = preconditions.error_text(tools.identity.account_id) if self.environments else ""
        if account_error:
            yield account_error  # nothing is read from a wrong account
            return
        try:
            decision = self.bump.decide(release, tools)
        except KaizenError as error:
            yield error.message
            return
        if not isinstance(decision, Refuse):
            yield from self._release_problems(decision.release, tools)

    def _worktree_problems(self, tools: Tools) -> Iterator[str]:
        rules = tools.settings.release
        return preconditions.check_worktree(rules.hotfix_branches if self.bump.hotfix else rules.branches, tools)

    def _release_problems(self, release: Release, tools: Tools) -> Iterator[str]:
        yield from preconditions.check_versions(release, tools)
        yield from preconditions.check_release_files(release, tools)
        if self.push:
            yield from preconditions.check_remote(release, tools, hotfix=self.bump.hotfix)
        if not self.skip_docs:
            yield from preconditions.check_docs(tools)
        for environment in self.environments:
            yield from preconditions.check_environment(environment, release, tools)
