"""The messages of release commits and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import release as releases
from kaizen_tasks.flows.release import files

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


def render_message(template: str, release: Release, tools: Tools, *, trailers: tuple[str, ...] = ()) -> str:
    """Return the message of a release's commit or tag, with its notes from the commit or, before that, from here."""
    values = {
        "app": tools.settings.app,
        "version": str(release.version),
        "tag": tools.settings.git_tag(release.version),
        "notes": _plain_notes(release, tools) if "{notes}" in template else "",
    }
    return releases.render_message(template, values, trailers=trailers)


def tag_message(release: Release, remark: str, tools: Tools) -> str:
    """Return the message of a release's tag, with one more paragraph if there is a remark."""
    message = render_message(tools.settings.tag.message, release, tools)
    return f"{message}\n{remark}\n" if remark else message


def _plain_notes(release: Release, tools: Tools) -> str:
    from kaizen_tasks.domain.text.plain_notes import plain_notes

    if release.commit:
        return plain_notes(files.notes_at(release.commit, release.version, tools))
    from kaizen_tasks.domain.changelog.render.sections import to_markdown

    changelog = files.read_changelog(tools)
    section = changelog.find_section(release.version)
    return plain_notes(to_markdown(changelog, [section])) if section else ""
