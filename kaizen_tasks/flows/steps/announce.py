"""The step that publishes the release notes of a tag on the server of the remote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain.decision import Act, Decision, Done
from kaizen_tasks.domain.forge import ReleasePage
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.errors import NOTHING_CHANGED, KaizenError, PushFailed, Refused
from kaizen_tasks.flows.release import files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from semver import Version

    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.ports.tools import Tools


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
        if not release.commit or _remote_commit(release, tools) != release.commit:
            return Act(f"publish the release notes of {release.name} on {server}, once its tag is there", release)
        try:
            page = tools.forge.find_release(tools.settings.git_tag(release.version))
        except KaizenError as error:
            raise _announcement_error(error, release, tools) from error
        if page is None:
            return Act(f"publish the release notes of {release.name} on {server}", release)
        if page.shows(_page(release, tools)):
            return Done(f"the release notes of {release.name} are on {server}", release)
        verb = "publish the draft" if page.is_draft else "replace the release notes"
        return Act(f"{verb} of {release.name} on {server}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Publish the page.

        Raises:
            PushFailed: it was not published; the release itself is complete.
        """
        try:
            if _remote_commit(release, tools) != release.commit:  # the server would make a tag of its own
                tag = tools.settings.git_tag(release.version)
                raise Refused(f"the tag {tag} is not on the remote", hint="inv tag")
            tools.forge.publish_release(_page(release, tools), is_latest=_is_latest(release, tools))
        except KaizenError as error:
            raise _announcement_error(error, release, tools) from error
        return release.with_verified_step(self.label)


def _remote_commit(release: Release, tools: Tools) -> str:
    """Return the commit of the release's tag on the remote; empty when the remote has none."""
    remote = tools.scm.cached_remote_refs(tools.scm.head().branch)
    return remote.tags.get(tools.settings.git_tag(release.version), "") if remote else ""


def _page(release: Release, tools: Tools) -> ReleasePage:
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
            return to_markdown(changelog, (section,), base_url=tools.forge.files_url(tag))
    raise Refused(f"the changelog has no section for {release.version}", hint="inv changelog.check")


def _changelogs(release: Release, tools: Tools) -> Iterator[Changelog]:
    if tools.release_files.read(files.CHANGELOG_FILE) is not None:
        yield files.read_changelog(tools)
    if changelog := files.changelog_at(release.commit, tools):
        yield changelog


def _is_latest(release: Release, tools: Tools) -> bool:
    """Return whether no later release is for everybody, on any line."""
    remote = tools.scm.cached_remote_refs(tools.scm.head().branch)
    tagged_versions = files.versions_from_tags(tools, tuple(remote.tags) if remote else tools.scm.tags())
    later_versions = [version for version in tagged_versions if version > release.version and not version.prerelease]
    return not later_versions and not release.version.prerelease


def _announcement_error(error: KaizenError, release: Release, tools: Tools) -> PushFailed:
    server = tools.forge.server()
    return PushFailed(
        error.message,
        state=f"{release.name} is released and stays so; only its release notes on {server} are missing or old",
        hint=f"{error.hint}; then: inv announce --release {release.name}".removeprefix("; then: "),
    )


def find_pushed_release(version: Version | None, tools: Tools) -> Release:
    """Return a release with the commit of its tag on the remote; by default the last release.

    Raises:
        Refused: there is no release, or its tag is not on the remote.
    """
    version = version or files.last_released_version(tools)
    if version is None:
        raise Refused("announce: nothing is released yet", state=NOTHING_CHANGED, hint="inv cut --push")
    release, tag = Release(version=version), tools.settings.git_tag(version)
    commit = _remote_commit(release, tools)
    if not commit and tools.forge.access_problem():
        commit = files.tag_commit(version, tools)
    if not commit:
        is_here = bool(files.tag_commit(version, tools))
        hint = f"git push {tools.settings.release.remote} {tag}" if is_here else "git tag lists the releases"
        raise Refused(f"announce: the tag {tag} is not on the remote", state=NOTHING_CHANGED, hint=hint)
    return evolve(release, commit=commit)
