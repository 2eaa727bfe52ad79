"""The link definitions of a changelog."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.markdown.lines import line_numbers

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.outline import DefinitionIndex, DefinitionSpan

_DESTINATION = rb"(?s)\]:[ \t]*(?:(?:\r\n?|\n)[ \t>]*)?(?:<((?:[^<>\\\r\n]|\\.)*)>|([^\x00-\x20\x7f]*))"
"""The URL after a label, on the same or the next line: https://spec.commonmark.org/0.31.2/#link-destination."""

_LABEL = r"\[((?:[^\[\]\\]|\\.)+)\]"
_PLAIN_DEFINITION = re.compile(rb"^\[([^\]]+)\]: (\S+)[^\n]*\n?", re.MULTILINE)


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
        """Return the normalised label, by which links are looked up."""
        return normalize_label(self.label)

    @property
    def url_end(self) -> int:
        """Return the offset after the URL."""
        return self.url_start + len(self.url.encode())


def normalize_label(label: str) -> str:
    """Return a label in the form in which CommonMark compares labels, regardless of case and runs of white space."""
    return " ".join(label.split()).casefold().upper()


def used_keys(text: str) -> dict[str, None]:
    """Return the normalised labels in brackets in a text, in the text's order; the values are None."""
    return dict.fromkeys(normalize_label(label) for label in re.findall(_LABEL, text))


def all_links(content: bytes, definitions: DefinitionIndex) -> tuple[Link, ...]:
    """Return all link definitions in the order of the file, with line numbers."""
    links = [_link(content, span) for span in definitions.parsed_spans]
    for start, end in definitions.plain_spans:
        links += [_plain_link(match) for match in _PLAIN_DEFINITION.finditer(content, start, end)]
    links.sort(key=lambda link: link.start)
    lines = line_numbers(content, (link.start for link in links))
    return tuple(attrs.evolve(link, line=line) for link, line in zip(links, lines, strict=True))


def find_link(content: bytes, definitions: DefinitionIndex, label: str) -> Link | None:
    """Return the first link definition of a label, without line number, or None; other definitions are not parsed."""
    key = normalize_label(label)
    candidates = [_link(content, span) for span in definitions.parsed_spans if normalize_label(span.label) == key]
    candidates += _plain_links_named(content, definitions, label)
    return min(candidates, key=lambda link: link.start, default=None)


def _plain_links_named(content: bytes, definitions: DefinitionIndex, label: str) -> Iterator[Link]:
    label_pattern = re.compile(rb"\n\[" + re.escape(label.encode()) + rb"\]:", re.IGNORECASE)
    for start, end in definitions.plain_spans:
        match = label_pattern.search(content, max(start - 1, 0), end)
        position = match.start() + 1 if match else start
        plain_match = _PLAIN_DEFINITION.match(content, position, end)
        if plain_match and normalize_label(plain_match[1].decode()) == normalize_label(label):
            yield _plain_link(plain_match)


def _plain_link(match: re.Match[bytes]) -> Link:
    label, url = match[1].decode(), match[2].decode()
    return Link(label=label, url=url, start=match.start(), end=match.end(), url_start=match.start(2))


def _link(content: bytes, span: DefinitionSpan) -> Link:
    match = re.compile(_DESTINATION).search(content, span.start + len(span.label), span.end)
    assert match
    group = 1 if match[2] is None else 2
    url, url_start = match[group].decode(), match.start(group)
    return Link(label=span.label, url=url, start=span.start, end=span.end, url_start=url_start)
