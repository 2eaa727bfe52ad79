"""Release numbers on the remote: which are taken, and which of the releases under way an environment has to finish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.release import ENVIRONMENT_TRAILER
from kaizen_tasks.errors import KaizenError, NotFound
from kaizen_tasks.flows.release import tags

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.git.remote_refs import RemoteRefs
    from kaizen_tasks.domain.image import Image
    from kaizen_tasks.ports.tools import Tools

BRANCH_TRAILER = "Kaizen-Branch"
"""Names the branch of a release in the message of its commit, if releases of an app come from several branches."""

MAX_CONCURRENT_LOOKUPS = 16


def read_remote(tools: Tools) -> RemoteRefs | None:
    """Return the refs of the remote, or None when there is no remote or it does not answer.

    Nothing depends on this answer alone: a claim that somebody else holds is refused by the remote itself.
    """
    try:
        return tools.scm.cached_remote_refs(tools.scm.push_target().branch)
    except KaizenError:
        return None


def open_claims(environment: Environment, tools: Tools) -> dict[Version, str]:
    """Return the commits of the releases that are under way to an environment, by version."""
    remote = read_remote(tools)
    if remote is None:
        return {}
    void = remote.tags.keys() | remote.abandoned.keys()
    claims = {tag: commit for tag, commit in remote.claims.items() if tag not in void}
    unknown_tags = [tag for tag, commit in claims.items() if not tools.scm.resolve(commit)]
    if unknown_tags:
        tools.scm.fetch_claims(unknown_tags)
    pairs = ((tools.settings.tag_pattern.parse(tag), commit) for tag, commit in claims.items())
    return {
        version: commit
        for version, commit in pairs
        if version and is_of_line(commit, tools) and _concerns(environment, version, commit, tools)
    }


def is_of_line(commit: str, tools: Tools) -> bool:
    """Return whether a release was begun on the line that is checked out, by the branch that its commit names.

    A hotfix is of no line: it is finished by its environment. A commit without a branch is one of an earlier version of
    these tasks, or of a time when there was one branch: it is of this line if this branch has what it was made from.
    """
    head = tools.scm.head()
    if not tools.settings.has_several_lines or not head.branch:
        return True
    branch = tools.scm.commit_trailer(commit, BRANCH_TRAILER)
    if branch or tools.scm.commit_trailer(commit, ENVIRONMENT_TRAILER):
        return branch in {"", head.branch} or branch == tools.scm.push_target().branch
    base = tools.scm.resolve(f"{commit}^")
    return not base or tools.scm.is_ancestor(base, head.commit) or tools.scm.is_ancestor(head.commit, base)


def _concerns(environment: Environment, version: Version, commit: str, tools: Tools) -> bool:
    """Return whether a release is for an environment, by its commit's trailer or else by where its image is."""
    name = tools.scm.commit_trailer(commit, ENVIRONMENT_TRAILER)
    if name:
        return name == environment.name
    publishers = environments_with(versions.image_tag(version), commit, tools, first=environment)
    return environment in publishers or (not publishers and environment in tools.settings.first_stage.environments)


def environments_with(name: str, commit: str, tools: Tools, *, first: Environment) -> tuple[Environment, ...]:
    """Return the environments whose repository has a release's image, built from its commit.

    Args:
        name: the release's name, which is the tag of its image.
        commit: the release commit.
        tools: the ports.
        first: the environment to search first; if its repository has the image, no other is searched.
    """
    if has_image(first, name, commit, tools):
        return (first,)
    from kaizen_tasks.flows.parallel import map_parallel

    others = [environment for environment in tools.settings.environments.values() if environment != first]
    results = map_parallel(
        lambda other: has_image(other, name, commit, tools), others, max_workers=MAX_CONCURRENT_LOOKUPS
    )
    return tuple(environment for environment, result in zip(others, results, strict=True) if result)


def has_image(environment: Environment, name: str, commit: str, tools: Tools) -> bool:
    """Return whether an environment's repository has a release's image, built from its commit."""
    image = find_image(environment, name, tools)
    return image is not None and image.revision == commit


def find_image(environment: Environment, name: str, tools: Tools) -> Image | None:
    """Return the image of a release in an environment's repository; None too when there is no such repository."""
    try:
        return tools.at(environment).registry.find_image(environment.repository, name)
    except NotFound:
        return None  # configured, but not set up yet


def taken_versions(tools: Tools) -> frozenset[Version]:
    """Return the versions that are tagged, claimed or abandoned, here or on the remote."""
    remote = read_remote(tools)
    remote_tags = (*remote.tags, *remote.claims, *remote.abandoned) if remote else ()
    return frozenset(tags.versions_from_tags(tools, (*tools.scm.tags(), *remote_tags)))


def is_given_up(version: Version, tools: Tools) -> bool:
    """Return whether the remote has a version among those that were given up, and no tag of it is known."""
    remote = read_remote(tools)
    if remote is None or tools.settings.git_tag(version) not in remote.abandoned:
        return False
    return not is_tagged(version, tools, ask_remote=True)


def is_tagged(version: Version, tools: Tools, *, ask_remote: bool) -> bool:
    """Return whether a version has its tag, here or, if it may be asked, on the remote."""
    if tags.tag_commit(version, tools):
        return True
    remote = read_remote(tools) if ask_remote else None
    return remote is not None and tools.settings.git_tag(version) in remote.tags


def last_version_on_remote(tools: Tools, *, above: Version | None) -> Version | None:
    """Return the highest version that only the remote has tagged, on HEAD or an ancestor, above another; else None.

    A clone whose branch has a release that another clone has finished lacks its tag until the next `git fetch`.
    """
    remote, head_commit = read_remote(tools), tools.scm.head().commit
    if remote is None:
        return None
    missing_tags = tags.tags_by_version(tools, tuple(remote.tags.keys() - set(tools.scm.tags())))
    for version in sorted(missing_tags, reverse=True):
        if above is not None and version <= above:
            break
        commit = tools.scm.resolve(remote.tags[missing_tags[version]])
        if commit and tools.scm.is_ancestor(commit, head_commit):
            return version
    return None


def is_claimed_elsewhere(version: Version, commit: str, tools: Tools) -> bool:
    """Return whether the remote has the version on another commit, as a tag or a claim, or as an abandoned number."""
    remote, tag = read_remote(tools), tools.settings.git_tag(version)
    if remote is None:
        return False
    return tag in remote.abandoned or bool({remote.tags.get(tag), remote.claims.get(tag)} - {None, commit})
