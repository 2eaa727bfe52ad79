"""What stands in the way of a release, one line each; every function looks at one thing and changes nothing."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from kaizen_tasks.domain import docs_checklist
from kaizen_tasks.domain import version as versions
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.release import files as documents
from kaizen_tasks.flows.release import pending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from semver import Version

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools
    from kaizen_tasks.ports.types import Remote


def of_checkout(branches: tuple[str, ...], tools: Tools) -> Iterator[str]:
    """Look at the clone: what is under way, on which branch, and what is not committed."""
    head = tools.scm.head()
    yield from tools.scm.obstacles()
    if not head.branch:
        yield "HEAD is detached: check out a branch"
    elif not any(fnmatch.fnmatchcase(head.branch, pattern) for pattern in branches):
        yield f"the branch {head.branch} is not released from; allowed: {', '.join(branches)}"
    files = [name for name in tools.scm.modified() if name not in documents.RELEASED]
    if files:
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        yield f"uncommitted changes would not be in the release: {', '.join(files[:3])}{more}"


def of_remote(release: Release, tools: Tools, *, hotfix: bool) -> Iterator[str]:
    """Ask the remote itself, since its refs here are from the last fetch."""
    head, name = tools.scm.head(), tools.settings.release.remote
    try:
        remote = tools.scm.remote(head.branch)
    except KaizenError as error:
        yield error.what
        return
    if remote is None:
        return
    known = (head.commit, release.commit) if release.commit else (head.commit,)
    if remote.branch and not any(tools.scm.is_ancestor(remote.branch, each) for each in known):
        yield f"{name}/{head.branch} has commits that are not here: git pull --no-rebase"
    yield from _taken_tag(remote, release, tools)
    if not hotfix:
        yield from _later_tag(remote, release, tools)


def _taken_tag(remote: Remote, release: Release, tools: Tools) -> Iterator[str]:
    name, tag = tools.settings.release.remote, tools.settings.git_tag(release.version)
    there, here = remote.tags.get(tag, ""), release.commit or tools.scm.commit_of(f"refs/tags/{tag}")
    if there and there != here:
        yield f"{name} has the tag {tag} on commit {there[:10]}: git fetch --tags, and choose another version"


def _later_tag(remote: Remote, release: Release, tools: Tools) -> Iterator[str]:
    newest = versions.latest(documents.released_versions(tools, tuple(remote.tags)))
    if newest is not None and newest > release.version:
        name = tools.settings.release.remote
        yield f"{name} has the tag {tools.settings.git_tag(newest)}, which is above {release.version}: git fetch --tags"


def of_version(release: Release, tools: Tools) -> Iterator[str]:
    """Compare the witnesses of the last release: changelog headings, VERSION, and the tags that HEAD descends from.

    The tag of a hotfix on another branch has its heading there.
    """
    parsed = documents.changelog(tools)
    newest = versions.latest(tuple(each.version for each in parsed.releases if each.version is not None))
    if newest is not None and newest > release.version:
        yield f"CHANGELOG.md has [{newest}], which is above the {release.version} to be released"
    tagged = _tagged_above(newest, tools) if newest is not None else None
    if tagged is not None and tagged != release.version:
        yield f"the tag {tools.settings.git_tag(tagged)} has no heading in CHANGELOG.md, which ends at [{newest}]"
    tag = tools.scm.commit_of(f"refs/tags/{tools.settings.git_tag(release.version)}")
    if tag and release.commit != tag:
        yield f"the tag {tools.settings.git_tag(release.version)} exists already, on commit {tag[:10]}"


def _tagged_above(newest: Version, tools: Tools) -> Version | None:
    """Return the highest tag that HEAD descends from, if it is above the newest heading.

    Which tags those are takes git a walk through the history; mostly none at all is above.
    """
    if max(documents.tagged_versions(tools, behind_head=False), default=newest) <= newest:
        return None
    tagged = versions.latest(documents.tagged_versions(tools, behind_head=True))
    return tagged if tagged is not None and tagged > newest else None


def of_documents(release: Release, tools: Tools) -> Iterator[str]:
    """Look at the two files: what is written in them and not committed would be lost when the release's come along."""
    if release.commit:
        return  # they are behind because an earlier run was stopped
    modified = tools.scm.modified()
    if documents.VERSION in modified and documents.version(tools) != release.version:
        yield f"VERSION is edited and not committed: git checkout {documents.VERSION}"
    if documents.CHANGELOG in modified and documents.changelog(tools).find(release.version) is None:
        yield f"CHANGELOG.md is edited and not committed: git commit {documents.CHANGELOG}"


def of_documentation(tools: Tools) -> Iterator[str]:
    """Hold the commits since the last release against the documentation checklist."""
    rules = tools.settings.docs_checklist
    if not rules:
        return
    last = versions.latest(documents.tagged_versions(tools, behind_head=True))
    since = tools.scm.commit_of(f"refs/tags/{tools.settings.git_tag(last)}") if last else ""
    touched = tools.scm.touched(since, tools.scm.head().commit)
    for rule in rules:
        missing = docs_checklist.missing(rule.when, rule.update, touched)
        if missing:
            yield f"{missing[0]} was changed, and none of {', '.join(rule.update)}: update it, or --skip-docs 'reason'"


def of_environment(environment: Environment, release: Release, tools: Tools) -> Iterator[str]:
    """Ask for everything that a deployment needs."""
    looks: tuple[Callable[[], object], ...] = (
        lambda: tools.registry.address(environment.repository),
        lambda: tools.platform.service(environment.service),
        lambda: tools.ledger.entries(environment.name, limit=1),
    )
    complaints = tuple(filter(None, map(complaint, looks)))
    yield from complaints
    if not complaints:
        yield from _image(environment, release, tools)


def _image(environment: Environment, release: Release, tools: Tools) -> Iterator[str]:
    image = tools.registry.image(environment.repository, release.name)
    begun = pending.begun(tools)
    own = {release.commit, begun.commit if begun else ""} - {""}
    if image is not None and own and image.revision not in own:
        yield f"{environment.repository}:{release.name} exists, built from {image.revision[:10] or 'an unknown commit'}"


def complaint(look: Callable[[], object]) -> str:
    """Return what is wrong when something cannot be looked at, with what to do about it; empty when it can."""
    try:
        look()
    except KaizenError as error:
        return f"{error.what} ({error.hint})" if error.hint else error.what
    return ""
