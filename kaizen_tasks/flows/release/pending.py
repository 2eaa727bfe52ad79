"""Finds the release that an earlier run started, so that running the command again finishes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.release import files

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.ports.tools import Tools


def find_pending_release(tools: Tools) -> Release | None:
    """Return the release that was started here and must be finished, or None.

    A release that was started must be finished if HEAD is its commit or the parent of that, or if its image was pushed.
    """
    releases = tools.scm.pending_releases()
    if not releases:
        return None
    head = tools.scm.head()
    for name, commit in releases.items():
        if head.commit in {commit, tools.scm.resolve(f"{commit}^")} or _is_pushed(name, commit, tools):
            return Release(version=versions.parse_version(name, origin="pending release"), commit=commit)
    return None


def _is_pushed(name: str, commit: str, tools: Tools) -> bool:
    if not tools.settings.pipeline:
        return False
    image = tools.registry.find_image(tools.settings.first_stage.environments[0].repository, name)
    return image is not None and image.revision == commit


def has_failed(release: Release, tools: Tools) -> bool:
    """Return whether the latest ledger entry of the first environment says that this release failed."""
    if not tools.settings.pipeline:
        return False
    from kaizen_tasks.domain.ledger import Event
    from kaizen_tasks.flows.ledger import entries

    latest_entry = entries.read_latest_entry(tools.settings.first_stage.environments[0], tools)
    return latest_entry is not None and latest_entry.event is Event.FAILED and latest_entry.version == release.name


def find_completed_release(version: Version, last_version: Version | None, tools: Tools) -> Release | None:
    """Return the last release if VERSION still names it, HEAD is its commit and no entry is unreleased, else None."""
    if version != last_version or files.has_unreleased_entries(files.read_changelog(tools)):
        return None
    commit = files.tag_commit(version, tools)
    return Release(version=version, commit=commit) if commit == tools.scm.head().commit else None


def current_release(tools: Tools) -> Release:
    """Return the release that VERSION names; its commit is that of the tag, else of the pending release, else HEAD.

    Raises:
        Refused: VERSION is not committed.
    """
    version = files.read_version(tools)
    commit = files.tag_commit(version, tools) or tools.scm.pending_releases().get(versions.image_tag(version))
    if commit:
        return Release(version=version, commit=commit)
    head = tools.scm.head().commit
    content = tools.scm.read_at(head, files.VERSION_FILE)
    if content is None or versions.parse_version_file(content) != version:
        message = f"VERSION is {version} here, but not in commit {head[:10]}"
        raise Refused(message, state=NOTHING_CHANGED, hint="make the release commit first: inv commit")
    return Release(version=version, commit=head)
