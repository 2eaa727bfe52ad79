"""Everything that would stop a release, collected before the first write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.decision import Done, Refuse
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.release import Label, Release
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
    label = Label("preflight")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look everywhere; refuse with the whole list."""
        why = tuple(self._obstacles(release, tools))
        if why:
            return Refuse(why=why, hint="mend these, then type the same command again; nothing has been changed")
        return Done("nothing stands in the way", release)

    def foresees(self, tools: Tools) -> bool:
        """Tell whether this very clone stands in the way, which can be seen without asking anybody."""
        return any(True for _ in self._of_checkout(tools))

    def act(self, release: Release, tools: Tools) -> Release:
        """Do nothing: an obstacle is there or not."""
        return release

    def _obstacles(self, release: Release, tools: Tools) -> Iterator[str]:
        yield from self._of_checkout(tools)
        account = preconditions.complaint(tools.identity.account) if self.environments else ""
        if account:
            yield account  # nothing is read from a wrong account
            return
        try:
            decision = self.bump.decide(release, tools)
        except KaizenError as error:
            yield error.what
            return
        if not isinstance(decision, Refuse):
            yield from self._of_release(decision.release, tools)

    def _of_checkout(self, tools: Tools) -> Iterator[str]:
        rules = tools.settings.release
        return preconditions.of_checkout(rules.hotfix_branches if self.bump.hotfix else rules.branches, tools)

    def _of_release(self, wanted: Release, tools: Tools) -> Iterator[str]:
        yield from preconditions.of_version(wanted, tools)
        yield from preconditions.of_documents(wanted, tools)
        if self.push:
            yield from preconditions.of_remote(wanted, tools, hotfix=self.bump.hotfix)
        if not self.skip_docs:
            yield from preconditions.of_documentation(tools)
        for environment in self.environments:
            yield from preconditions.of_environment(environment, wanted, tools)
