"""Mending what needs no judgement: misspelt types, the order of types, missing links."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.edit import Splice, spliced
from kaizen_tasks.domain.changelog.entries import CHANGE_TYPES, nearest_type
from kaizen_tasks.domain.changelog.links.style import (
    after,
    appended,
    before,
    is_ascending,
    learnt_range,
    recent_links,
    stands_alone,
    tag_page,
    v_tag,
)
from kaizen_tasks.domain.changelog.lint.check_links import unlinked
from kaizen_tasks.domain.changelog.model import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from semver import Version

    from kaizen_tasks.domain.changelog.entries import Group
    from kaizen_tasks.domain.changelog.model import Changelog, Section


def fix(content: bytes, *, repository_url: str | None, tag: Callable[[Version], str] = v_tag) -> bytes:
    """Mend what is mechanical and leave everything else to a person.

    Args:
        content: the changelog.
        repository_url: where links lead when the file has none to learn from.
        tag: gives the git tag of a version.

    Raises:
        Refused: the changelog cannot be read.
    """
    log = _if_alike(parse(content), _spelt)
    log = _if_alike(log, _ordered)
    return _linked(log, tuple(_links(log, repository_url, tag)), repository_url)


def _linked(log: Changelog, links: tuple[Splice, ...], repository_url: str | None) -> bytes:
    """Add links, unless they would not be read as such, or anything else would be read differently."""
    if not links:
        return log.content
    result = parse(spliced(log.content, links))
    alike = _statements(result) == _statements(log) and not unlinked(result, repository_url)
    return result.content if alike else log.content


def _if_alike(log: Changelog, splices: Callable[[Section], Iterator[Splice]]) -> Changelog:
    """Change every section, unless afterwards anything is read that was not there before."""
    changes = [splice for section in log.sections for splice in splices(section)]
    if not changes:
        return log
    changed = parse(spliced(log.content, changes))
    return changed if _texts(changed) == _texts(log) else log


def _texts(log: Changelog) -> list[Counter[str]]:
    return [Counter(entry.text for entry in section.entries) for section in log.sections]


def _statements(log: Changelog) -> list[tuple[str, list[str]]]:
    return [(section.heading, [entry.text for entry in section.entries]) for section in log.sections]


def _spelt(section: Section) -> Iterator[Splice]:
    """Correct types that can mean one thing only, unless that is there as well."""
    names = {group.name for group in section.groups}
    for group in section.groups:
        right = group.type or nearest_type(group.name)
        if right and right not in names and "\n" not in group.name:
            names.add(right)
            at = section.content.index(group.name.encode(), group.start, group.body)
            yield Splice(start=at, end=at + len(group.name.encode()), new=right.encode())


def _ordered(section: Section) -> Iterator[Splice]:
    """Put groups into the order of the types; the blank lines between them stay where they are."""
    groups = section.groups
    types = [group.type for group in groups]
    if None in types or len(set(types)) < len(types):
        return
    ordered = sorted(groups, key=lambda group: CHANGE_TYPES.index(group.type) if group.type else 0)
    if ordered == list(groups):
        return
    for place, group in zip(groups, ordered, strict=True):
        yield attrs.evolve(_chunk(section, place), new=_chunk(section, group).new)


def _chunk(section: Section, group: Group) -> Splice:
    text = section.content[group.start : group.end].rstrip(b"\r\n")
    return Splice(start=group.start, end=group.start + len(text), new=text)


def _links(log: Changelog, repository_url: str | None, tag: Callable[[Version], str]) -> Iterator[Splice]:
    """Define missing links beside those of the releases next to them."""
    lines = dict(_missing_lines(log, repository_url, tag))
    ascending = is_ascending(*[*recent_links(log, 2), None, None][:2])
    labels = [section.title.label for section in log.sections]
    labels = labels[::-1] if ascending else labels
    defined = [at for at, label in enumerate(labels) if (link := log.link(label)) and stands_alone(log, link)]
    if not defined and lines:
        yield appended(log, list(lines.values()))
        return
    for at, label in enumerate(labels):
        line = lines.pop(label, None)
        if line:
            yield _beside(log, labels, defined, at, line)


def _beside(log: Changelog, labels: Sequence[str], defined: Sequence[int], at: int, line: str) -> Splice:
    above = max((other for other in defined if other < at), default=None)
    link = log.link(labels[defined[0] if above is None else above])
    assert link
    return before(log, link, [line]) if above is None else after(log, link, [line])


def _missing_lines(
    log: Changelog, repository_url: str | None, tag: Callable[[Version], str]
) -> Iterator[tuple[str, str]]:
    like = learnt_range(log, repository_url)
    if not like:
        return
    ordered = sorted({section.version for section in log.releases if section.version})
    below = dict(zip(ordered[1:], ordered, strict=False))
    for section in unlinked(log, repository_url):
        version = section.version
        older = below.get(version) if version else ordered[-1]
        newer = tag(version) if version else "HEAD"
        url = attrs.evolve(like, older=tag(older), newer=newer).url if older else tag_page(like, newer)
        yield section.title.label, f"[{section.title.label}]: {url}"
