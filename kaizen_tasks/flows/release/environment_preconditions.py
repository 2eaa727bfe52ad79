"""Checks what a release needs in an environment; a check yields one message for each problem and changes nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.release import claims, files, last_release, preconditions, tags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from semver import Version

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


def check_environment(environment: Environment, release: Release, tools: Tools) -> Iterator[str]:
    """Check what the release itself needs in an environment: the ledger, and a free version tag."""
    ledger_error = preconditions.error_text(partial(tools.ledger.entries, environment.name, limit=1))
    if ledger_error:
        yield ledger_error
    else:
        yield from _check_image(environment, release, tools)
        yield from _check_no_later_release(environment, release, tools)
        yield from _check_has_current_release(environment, release, tools)


def _check_image(environment: Environment, release: Release, tools: Tools) -> Iterator[str]:
    image = tools.at(environment).registry.find_image(environment.repository, release.name)
    is_foreign = image is not None and image.revision != release.commit
    if image is not None and is_foreign and not claims.is_given_up(release.version, tools):
        commit, hint = image.revision[:10] or "an unknown commit", preconditions.foreign_image_hint(release)
        yield preconditions.Problem(f"{environment.repository}:{release.name} exists, built from {commit}", hint)


def _check_no_later_release(environment: Environment, release: Release, tools: Tools) -> Iterator[str]:
    """Check that a release which exists already would not replace a later one, as in a clone that is out of date."""
    entry = ledger.read_latest_entry(environment, tools) if release.commit else None
    if entry is None or entry.event in {Event.FAILED, Event.ABANDONED}:
        return
    version = versions.parse_version(entry.version)
    if version > release.version and not _is_of_other_line(version, entry.commit, release, tools):
        remedy = f"{tools.scm.push_target().pull_command}; to go back on purpose: inv rollback --env {environment.name}"
        yield preconditions.Problem(
            f"{environment.name} has {entry.version}, which is later than {release.name}", remedy
        )


def _check_has_current_release(environment: Environment, release: Release, tools: Tools) -> Iterator[str]:
    """Check that a new release has what the environment's current one has, which the branch may never have got."""
    entry = ledger.read_latest_entry(environment, tools) if not release.commit else None
    if entry is None or entry.event in {Event.FAILED, Event.ABANDONED}:
        return
    head, version = tools.scm.head(), versions.parse_version(entry.version)
    if _is_of_other_number_range(version, release, tools):
        return
    if files.read_changelog(tools).find_section(version) is not None:
        return
    if tools.scm.resolve(entry.commit) and tools.scm.is_ancestor(entry.commit, head.commit):
        return
    tag, remote = tools.settings.git_tag(version), claims.read_remote(tools)
    if tags.tag_commit(version, tools) or (remote is not None and tag in remote.tags):
        remedy = f"git fetch --tags {tools.scm.push_target().remote} && git merge {tag}"
        yield preconditions.Problem(f"{environment.name} has {entry.version}, which {head.branch} lacks", remedy)


def _is_of_other_line(version: Version, commit: str, release: Release, tools: Tools) -> bool:
    """Return whether a later release is one of another line, so that a release of this line may replace it."""
    if not _is_on_line(tools):
        return False
    from kaizen_tasks.domain.line import line_of_version

    remote = claims.read_remote(tools)
    if line_of_version(tools.settings.lines, version) != line_of_version(tools.settings.lines, release.version):
        return True
    if not tools.scm.resolve(commit) and remote is not None and remote.branch_commit:
        tools.scm.fetch_branch(tools.scm.push_target().branch)
    if tools.scm.resolve(commit):
        return not tools.scm.is_ancestor(release.commit, commit)
    return version.to_tuple()[:2] != release.version.to_tuple()[:2]


def _is_of_other_number_range(version: Version, release: Release, tools: Tools) -> bool:
    """Return whether a version is not between the last release of this line and the one that is made now."""
    if not _is_on_line(tools):
        return False
    from kaizen_tasks.domain.line import line_of_version

    lines, last_version = tools.settings.lines, last_release.last_released_version(tools)
    is_between = version < release.version and (last_version is None or version > last_version)
    return not is_between or line_of_version(lines, version) != line_of_version(lines, release.version)


def _is_on_line(tools: Tools) -> bool:
    """Return whether HEAD is on one of several branches that releases are made from; a hotfix is on none."""
    settings, branch = tools.settings, tools.scm.head().branch
    return settings.has_several_lines and not any(preconditions.check_branch(branch, settings.release_branches))
