"""The link definitions of a changelog, with their places in the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.links.reference_definitions import normalised
from kaizen_tasks.domain.changelog.markdown.lines import number_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.changelog.outline import Definitions, Found

_PLAIN = re.compile(rb"^\[([^\]]+)\]: (\S+)[^\n]*\n?", re.MULTILINE)


@attrs.frozen(kw_only=True)
class Link:
    """A link definition: its label and URL as written, and the offsets of its lines and of the URL."""

    label: str
    url: str
    line: int = 0
    start: int
    end: int
    url_start: int

    @property
    def key(self) -> str:
        """Return the label as labels are compared."""
        return normalised(self.label)

    @property
    def url_end(self) -> int:
        """Return the offset behind the URL."""
        return self.url_start + len(self.url.encode())


def all_links(content: bytes, definitions: Definitions) -> tuple[Link, ...]:
    """Return every definition in the order of the file, with line numbers."""
    found = [_link(content, one) for one in definitions.found]
    for start, end in definitions.plain:
        found += [_plain_link(match) for match in _PLAIN.finditer(content, start, end)]
    found.sort(key=lambda link: link.start)
    lines = number_lines(content, (link.start for link in found))
    return tuple(attrs.evolve(link, line=line) for link, line in zip(found, lines, strict=True))


def find_link(content: bytes, definitions: Definitions, label: str) -> Link | None:
    """Return the first definition of a label, without a line number, and without reading all the others."""
    key = normalised(label)
    candidates = [_link(content, one) for one in definitions.found if normalised(one.definition.label) == key]
    candidates += _plain_named(content, definitions, label)
    return min(candidates, key=lambda link: link.start, default=None)


def _plain_named(content: bytes, definitions: Definitions, label: str) -> Iterator[Link]:
    named = re.compile(rb"\n\[" + re.escape(label.encode()) + rb"\]:", re.IGNORECASE)
    for start, end in definitions.plain:
        match = named.search(content, max(start - 1, 0), end)
        at = match.start() + 1 if match else start
        plain = _PLAIN.match(content, at, end)
        if plain and normalised(plain[1].decode()) == normalised(label):
            yield _plain_link(plain)


def _plain_link(match: re.Match[bytes]) -> Link:
    return Link(
        label=match[1].decode(),
        url=match[2].decode(),
        start=match.start(),
        end=match.end(),
        url_start=match.start(2),
    )


def _link(content: bytes, found: Found) -> Link:
    label, url = found.definition.label.encode(), found.definition.destination.encode()
    behind = content.find(b"]:", found.start + len(label), found.end) + 2
    return Link(
        label=found.definition.label,
        url=found.definition.destination,
        start=found.start,
        end=found.end,
        url_start=content.find(url, behind, found.end),
    )
