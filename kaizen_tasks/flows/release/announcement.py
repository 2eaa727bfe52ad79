"""The page of a release on the server of the remote: which release, and what the page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.forge import ReleasePage
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import NOTHING_CHANGED, KaizenError, PushFailed, Refused
from kaizen_tasks.flows.release import files, last_release, tags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from semver import Version

    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.ports.tools import Tools

RUN_AGAIN = "run the same command again"


def remote_commit(release: Release, tools: Tools) -> str:
    """Return the commit of the release's tag on the remote; empty when the remote has none."""
    remote = tools.scm.cached_remote_refs(tools.scm.push_target().branch)
    return remote.tags.get(tools.settings.git_tag(release.version), "") if remote else ""


def render_page(release: Release, tools: Tools) -> ReleasePage:
    """Return what the release's page shows.

    Raises:
        Refused: no changelog has a section for it.
    """
    tag = tools.settings.git_tag(release.version)
    is_prerelease = bool(release.version.prerelease)
    return ReleasePage(tag=tag, title=tag, notes=_notes(release, tag, tools), is_prerelease=is_prerelease)


def _notes(release: Release, tag: str, tools: Tools) -> str:
    """Return the release's section in this clone's changelog, which may have been corrected, or in its commit.

    Raises:
        Refused: neither has a section for it.
    """
    from kaizen_tasks.domain.changelog.render.sections import to_markdown

    for changelog in _changelogs(release, tools):
        if section := changelog.find_section(release.version):
            return to_markdown(changelog, (section,), base_url=files.links_base(tag, tools))
    raise Refused(f"the changelog has no section for {release.version}", hint="inv changelog.check")


def _changelogs(release: Release, tools: Tools) -> Iterator[Changelog]:
    if tools.release_files.read(files.changelog_file(tools)) is not None:
        yield files.read_changelog(tools)
    if changelog := files.changelog_at(release.commit, tools):
        yield changelog


def is_latest(release: Release, tools: Tools) -> bool:
    """Return whether no later release is for everybody, on any line."""
    remote = tools.scm.cached_remote_refs(tools.scm.push_target().branch)
    tagged_versions = tags.versions_from_tags(tools, tuple(remote.tags) if remote else tools.scm.tags())
    later_versions = [version for version in tagged_versions if version > release.version and not version.prerelease]
    return not later_versions and not release.version.prerelease


def announcement_error(error: KaizenError, release: Release, tools: Tools) -> PushFailed:
    """Return the error of a page that was not published, after which the release itself is complete."""
    server, command = tools.forge.server(), f"inv announce --release {release.name}"
    wait = error.hint.removeprefix(RUN_AGAIN).strip()
    hint = f"{error.hint}; then: {command}" if wait == error.hint else f"{wait}: {command}"
    return PushFailed(
        error.message,
        state=f"{release.name} is released and stays so; only its release notes on {server} are missing or old",
        hint=hint.removeprefix("; then: ").removeprefix(": "),
    )


def find_pushed_release(version: Version | None, tools: Tools) -> Release:
    """Return a release with the commit of its tag on the remote; by default the last release.

    Raises:
        Refused: there is no release, or its tag is not on the remote.
    """
    version = version or last_release.last_released_version(tools)
    if version is None:
        raise Refused("announce: nothing is released yet", state=NOTHING_CHANGED, hint="inv cut --push")
    release, tag = Release(version=version), tools.settings.git_tag(version)
    commit = remote_commit(release, tools)
    if not commit and tools.forge.access_problem():
        commit = tags.tag_commit(version, tools)
    if not commit:
        is_here = bool(tags.tag_commit(version, tools))
        hint = f"git push {tools.scm.push_target().remote} {tag}" if is_here else "see the releases: git tag --list"
        raise Refused(f"announce: the tag {tag} is not on the remote", state=NOTHING_CHANGED, hint=hint)
    return evolve(release, commit=commit)
