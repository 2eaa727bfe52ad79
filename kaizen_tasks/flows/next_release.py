"""Says what a release from here would be, so that CI starts one only when there is something to release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.decision import Refuse
from kaizen_tasks.domain.release import Release
from kaizen_tasks.flows.release import files, optional_files, pending, proposal, tags

if TYPE_CHECKING:
    from kaizen_tasks.flows.steps.bump import Bump
    from kaizen_tasks.ports.tools import Tools


CONFIGURATIONS = {"kaizen.toml": b"", "pyproject.toml": b"[tool.kaizen"}
"""Files with the configuration, and what it begins with."""


@frozen
class NextRelease:
    """What a release would be.

    Attributes:
        name: its version, such as v1.2.3; empty when there is nothing to release.
        reason: why there is nothing to release.
    """

    name: str = ""
    reason: str = ""


def find_next_release(bump: Bump, tools: Tools) -> NextRelease:
    """Return the release that is under way, or what VERSION and the changelog ask for.

    A corrected section of an old release asks for nothing, nor does the commit that brings the configuration: what
    that one notes goes out with the next release, or when a person asks for it.

    Raises:
        Refused: something is to be released, but under no number that is free.
    """
    release = Release(version=files.read_version(tools))
    started = pending.find_pending_release(tools, environment=bump.environment, ask_remote=True)
    if started is not None and bump.resumes(started, tools):
        return NextRelease(started.name)
    if proposal.has_nothing_to_propose(tools) or _has_nothing_to_begin_with(release, tools):
        return NextRelease(reason=f"nothing is noted under [Unreleased] since {release.name}")
    if _is_adoption(tools):
        reason = "this commit brings the configuration of kaizen_tasks: the next one that notes something is released"
        return NextRelease(reason=reason)
    decision = bump.decide(release, tools)
    return (
        NextRelease(reason=decision.reasons[0]) if isinstance(decision, Refuse) else NextRelease(decision.release.name)
    )


def _has_nothing_to_begin_with(release: Release, tools: Tools) -> bool:
    """Return whether no release was ever made, and nothing is noted for a first one."""
    changelog = optional_files.read_noted_changelog(tools)
    is_noted = files.has_unreleased_entries(changelog) or changelog.find_section(release.version) is not None
    return not is_noted and tags.last_tagged_version(tools) is None


def _is_adoption(tools: Tools) -> bool:
    """Return whether HEAD has a configuration that its first parent has not."""
    parent = tools.scm.resolve(f"{tools.scm.head().commit}^")
    if not parent:
        return True
    contents = {name: tools.scm.read_at(parent, name) for name in CONFIGURATIONS}
    return not any(content is not None and CONFIGURATIONS[name] in content for name, content in contents.items())
