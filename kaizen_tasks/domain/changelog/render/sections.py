"""Releases as Markdown and as JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.links.reference_definitions import normalize_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kaizen_tasks.domain.changelog.entries import Group
    from kaizen_tasks.domain.changelog.links.index import Link
    from kaizen_tasks.domain.changelog.model import Changelog, Section

_LABEL = re.compile(r"\[((?:[^\[\]\\]|\\.)+)\]")


def to_markdown(log: Changelog, sections: Sequence[Section], *, base_url: str | None = None) -> str:
    """Return the body of one release as written, or several releases with their headings.

    Definitions that stand elsewhere in the file and are used come last.

    Args:
        log: where link labels are looked up.
        sections: what to show.
        base_url: makes relative links absolute.
    """
    from kaizen_tasks.domain.changelog.render.inline import absolutize_links

    with_heading = len(sections) != 1
    text = "\n\n".join(_section_markdown(section, with_heading=with_heading) for section in sections)
    keys = dict.fromkeys(normalize_label(label) for label in _LABEL.findall(text))
    links = [log.link_by_key[key] for key in keys if key in log.link_by_key]
    definitions = [_definition_line(link, base_url) for link in links]
    return "\n\n".join(filter(None, [absolutize_links(text, base_url), "\n".join(definitions)])) + "\n"


def _section_markdown(section: Section, *, with_heading: bool) -> str:
    start = section.start if with_heading else section.body_start
    return section.content[start : max(section.body_end, section.body_start)].decode().strip("\r\n")


def _definition_line(link: Link, base_url: str | None) -> str:
    from kaizen_tasks.domain.changelog.render.inline import absolute_url

    return f"[{link.label}]: {absolute_url(link.url, base_url)}"


def to_json(section: Section) -> str:
    """Return one release: version, date, yanked, summary and the groups with their entries."""
    import json

    return json.dumps(_release_document(section), ensure_ascii=False, indent=2) + "\n"


def to_json_list(sections: Sequence[Section]) -> str:
    """Return several releases as a list of what `to_json` gives for one."""
    import json

    return json.dumps([_release_document(section) for section in sections], ensure_ascii=False, indent=2) + "\n"


def _release_document(section: Section) -> Mapping[str, object]:
    return {
        "version": str(section.version) if section.version else None,
        "title": section.title.label,
        "date": section.date.isoformat() if section.date else None,
        "yanked": section.yanked,
        "summary": section.summary,
        "groups": [_group_document(group) for group in section.groups],
    }


def _group_document(group: Group) -> Mapping[str, object]:
    entries = [{"text": entry.text, "breaking": entry.is_breaking, "line": entry.line} for entry in group.entries]
    return {"type": group.type, "name": group.name, "entries": entries}
