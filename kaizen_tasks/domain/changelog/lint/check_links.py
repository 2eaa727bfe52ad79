"""Rules about the links of headings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.links.compare_url import names, read_range
from kaizen_tasks.domain.changelog.links.reference_definitions import normalised
from kaizen_tasks.domain.changelog.links.style import learnt_range
from kaizen_tasks.domain.changelog.lint.problem import Inspection, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.changelog.links.compare_url import Range
    from kaizen_tasks.domain.changelog.model import Changelog, Section

_USE = re.compile(r"\[((?:[^\[\]\\]|\\.)+)\]")


def unlinked(log: Changelog, repository_url: str | None) -> tuple[Section, ...]:
    """Return the sections whose heading asks for a link that nobody defines.

    None do in a file without any such link, unless the repository is known; nor without a release.
    """
    if not log.newest or not learnt_range(log, repository_url):
        return ()
    keys = log.link_by_key
    return tuple(
        section
        for section in log.sections
        if section.title.bracketed
        and not section.title.target
        and (section.unreleased or section.version)
        and normalised(section.title.label) not in keys
    )


def missing_links(inspection: Inspection) -> Iterator[Problem]:
    """Find headings in brackets that lead nowhere."""
    for section in unlinked(inspection.log, inspection.repository_url):
        yield Problem(
            line=section.line,
            rule="link-missing",
            what=f"[{section.title.label}] has no link",
            fix=f"define it at the end of the file: [{section.title.label}]: https://...",
        )


def dead_links(inspection: Inspection) -> Iterator[Problem]:
    """Find definitions that nothing uses."""
    log = inspection.log
    used = _used_keys(log)
    for link in log.links:
        if link.key not in used:
            yield Problem(
                line=link.line,
                rule="link-dead",
                what=f"nothing uses the link [{link.label}]",
                fix="remove it, or add the section that it belongs to",
            )


def _used_keys(log: Changelog) -> set[str]:
    content, at, pieces = log.content, 0, []
    for link in log.links:
        pieces.append(content[at : link.start])
        at = link.end
    text = b"".join([*pieces, content[at:]]).decode()
    return {normalised(label) for label in _USE.findall(text)}


def wrong_ranges(inspection: Inspection) -> Iterator[Problem]:
    """Find links that compare other versions than those of the heading and the release before."""
    for section in inspection.log.sections:
        link = inspection.log.link_by_key.get(normalised(section.title.label))
        compared = read_range(link.url if link else section.title.url)
        wrong = _fault(inspection, section, compared) if compared else ""
        if wrong:
            yield Problem(
                line=link.line if link else section.line,
                rule="link-range",
                what=f"the link of [{section.title.label}] {wrong}",
                fix="compare with the release before",
            )


def _fault(inspection: Inspection, section: Section, compared: Range) -> str:
    if section.unreleased:
        newest = max((version for version, _ in inspection.versioned), default=None)
        right = newest is None or names(compared.older, str(newest))
        return "" if right else f"starts at {compared.older}, not at {newest}"
    if not section.version:
        return ""
    if not names(compared.newer, section.title.name):
        return f"ends at {compared.newer}"
    previous = inspection.previous.get(section.version)
    right = previous is None or names(compared.older, str(previous))
    return "" if right else f"starts at {compared.older}, not at {previous}"
