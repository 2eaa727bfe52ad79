"""Releases as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from kaizen_tasks.domain.changelog.link_index import Link, used_keys
from kaizen_tasks.domain.changelog.links.relative import absolute_url, absolutize_links
from kaizen_tasks.domain.changelog.links.style import is_top_level

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.entries import ChangelogEntry, Group
    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.domain.changelog.section import Section

Places: TypeAlias = Mapping[int, tuple[str, int]]
"""File and line of entries, by another line."""


def to_markdown(log: Changelog, sections: Sequence[Section], *, base_url: str | None = None) -> str:
    """Return one release without its heading, or several with headings, followed by the link definitions they use.

    Args:
        log: the changelog, in which link labels are looked up.
        sections: the releases to render.
        base_url: base of relative links, which are made absolute; None leaves them relative.
    """
    if len(sections) == 1:
        text = body_markdown(sections[0])
    else:
        text = "\n\n".join(_decode_span(section, section.start) for section in sections)
    definitions = "\n".join(used_definitions(log, text, base_url=base_url))
    return "\n\n".join(filter(None, [absolutize_links(text, base_url), definitions])) + "\n"


def body_markdown(section: Section) -> str:
    """Return the Markdown below a section's heading."""
    return _decode_span(section, section.body_start)


def _decode_span(section: Section, start: int) -> str:
    return section.content[start : max(section.body_end, section.body_start)].decode().strip("\r\n")


def used_definitions(log: Changelog, text: str, *, base_url: str | None = None) -> list[str]:
    """Return the link definition of every label that a text uses, each as it is written, but in the first column."""
    return [_definition(log, log.link_by_key[key], base_url) for key in used_keys(text) if key in log.link_by_key]


def _definition(log: Changelog, link: Link, base_url: str | None) -> str:
    url = absolute_url(link.url, base_url)
    if is_top_level(log, link):
        before, after = log.content[link.start : link.url_start], log.content[link.url_end : link.end]
        return (before + url.encode() + after).decode().rstrip("\r\n")
    return f"[{link.label}]: {f'<{url}>' if not url or ' ' in url else url}"


def to_json(section: Section, *, places: Places = MappingProxyType({})) -> str:
    """Return a release as JSON: version, title, date, yanked, summary, and groups with their entries.

    Args:
        section: the release, or what is unreleased.
        places: file and line of entries that were folded in, by their line in the section.
    """
    import json

    return json.dumps(release_document(section, places), ensure_ascii=False, indent=2) + "\n"


def to_json_list(sections: Sequence[Section]) -> str:
    """Return several releases as a JSON list."""
    import json

    return json.dumps([release_document(section) for section in sections], ensure_ascii=False, indent=2) + "\n"


def release_document(section: Section, places: Places = MappingProxyType({})) -> Mapping[str, object]:
    """Return a release as a JSON document; for the arguments see `to_json`."""
    return {
        "version": str(section.version) if section.version else None,
        "title": section.title.label,
        "date": section.date.isoformat() if section.date else None,
        "yanked": section.yanked,
        "summary": section.summary,
        "groups": [_group_document(group, places) for group in section.groups],
    }


def _group_document(group: Group, places: Places) -> Mapping[str, object]:
    entries = [_entry_document(entry, places) for entry in group.entries]
    return {"type": group.type, "name": group.name, "entries": entries}


def _entry_document(entry: ChangelogEntry, places: Places) -> Mapping[str, object]:
    path, line = places.get(entry.line, ("", entry.line))
    place: Mapping[str, object] = {"file": path, "line": line} if path else {"line": line}
    return {"text": entry.text, "breaking": entry.is_breaking, **place}
