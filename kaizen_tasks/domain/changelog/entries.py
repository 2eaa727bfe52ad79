"""The content of a section: groups and entries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import shorten
from typing import Final

import attrs

from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat
from kaizen_tasks.domain.changelog.markdown.blocks import Block, is_comment, parse_blocks
from kaizen_tasks.domain.changelog.markdown.lines import Lines, split_lines

_EXCERPT_LENGTH: Final = 72  # characters
_BREAKING = re.compile(r"(\*\*|__)breaking(?: changes?)?(?::\1|\1:)", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class ChangelogEntry:
    """One change: a list item, or a block outside of lists.

    Attributes:
        text: the entry as written, without the bullet and the indentation of the list.
        bullet: the bullet with its white space; empty outside of lists.
        line: number of the first line.
        start: offset of the first line.
        end: offset after the last line.
    """

    text: str
    bullet: str
    line: int
    start: int
    end: int

    @property
    def is_breaking(self) -> bool:
        """Return whether the entry is marked with `**Breaking:**`."""
        return bool(_BREAKING.match(self.text))

    @property
    def excerpt(self) -> str:
        """Return the beginning of the text on one line, with an ellipsis if the text is longer."""
        return shorten(self.text, _EXCERPT_LENGTH, placeholder=" …")


@attrs.frozen(kw_only=True)
class Group:
    """A heading of level 3 and the entries below it.

    Attributes:
        name: the text of the heading.
        type: the type of change that the heading names, or None.
        line: number of the heading's line.
        start: offset of the heading.
        body_start: offset of the line below the heading.
        end: offset after the last line.
        entries: the entries.
    """

    name: str
    type: str | None
    line: int
    start: int
    body_start: int
    end: int
    entries: tuple[ChangelogEntry, ...]


@attrs.frozen(kw_only=True)
class SectionBody:
    """The content of a section; `end` is the offset after its last line that is neither blank nor a link definition."""

    groups: tuple[Group, ...]
    untyped_entries: tuple[ChangelogEntry, ...]
    summary: str
    end: int


def parse_body(
    content: bytes, start: int, end: int, line: int, changelog_format: ChangelogFormat = DEFAULT_FORMAT
) -> SectionBody:
    """Parse the text below the heading of a section.

    Args:
        content: the whole file.
        start: offset of the line below the heading.
        end: offset of the end of the section.
        line: line number at `start`.
        changelog_format: what the headings mean.
    """
    return _BodyParser(content, split_lines(content, start, end), line, changelog_format).parse()


class _BodyParser:
    def __init__(self, content: bytes, lines: Lines, line: int, changelog_format: ChangelogFormat) -> None:
        self.content = content
        self.changelog_format = changelog_format
        self.texts, self.offsets = lines.texts, lines.offsets
        self.line = line
        self.blocks = parse_blocks(lines.texts).blocks

    def parse(self) -> SectionBody:
        blocks = enumerate(self.blocks)
        headings = [position for position, block in blocks if block.kind == "heading" and block.level == 3]
        ends = [*headings, len(self.blocks)]
        intro = self.blocks[: ends[0]]
        return SectionBody(
            groups=tuple(map(self._group, headings, ends[1:])),
            untyped_entries=tuple(entry for entry in self._entries(intro) if entry.bullet),
            summary=self._summary(intro),
            end=self._end_offset(self.blocks) or self.offsets[0],
        )

    def _group(self, position: int, end: int) -> Group:
        heading, blocks = self.blocks[position], self.blocks[position + 1 : end]
        return Group(
            name=heading.text,
            type=self.changelog_format.find_type(heading.text),
            line=self.line + heading.first_line,
            start=self.offsets[heading.first_line],
            body_start=self.offsets[heading.end_line],
            end=self._end_offset(blocks) or self.offsets[heading.end_line],
            entries=tuple(self._entries(blocks)),
        )

    def _end_offset(self, blocks: Sequence[Block]) -> int:
        return self.offsets[self._content_end(blocks[-1])] if blocks else 0

    def _content_end(self, block: Block) -> int:
        end = block.end_line
        while end > block.first_line + 1 and not self.texts[end - 1].strip(" \t"):
            end -= 1
        return end

    def _summary(self, blocks: Sequence[Block]) -> str:
        visible_blocks = [block for block in blocks if not self._is_invisible(block)]
        if not visible_blocks:
            return ""
        return "\n".join(self.texts[visible_blocks[0].first_line : self._content_end(visible_blocks[-1])]).strip("\n")

    def _is_invisible(self, block: Block) -> bool:
        return block.kind in {"heading", "rule"} or is_comment(block, self.texts)

    def _entries(self, blocks: Sequence[Block]) -> Iterable[ChangelogEntry]:
        for block in blocks:
            if block.kind == "item":
                yield self._item(block)
            elif not self._is_invisible(block):
                end = self._content_end(block)
                yield self._entry(block.first_line, end, "", "\n".join(self.texts[block.first_line : end]))

    def _item(self, item: Block) -> ChangelogEntry:
        end = self._content_end(item)
        first_line, *other_lines = self.texts[item.first_line : end]
        lines = [first_line[item.content_start :], *(dedent_line(text, item.indent) for text in other_lines)]
        return self._entry(item.first_line, end, first_line[: item.content_start] or first_line, "\n".join(lines))

    def _entry(self, first: int, end: int, bullet: str, text: str) -> ChangelogEntry:
        start, line = self.offsets[first], self.line + first
        return ChangelogEntry(text=text, bullet=bullet, line=line, start=start, end=self.offsets[end])


def dedent_line(text: str, indent: int) -> str:
    """Return a line without up to `indent` columns of white space at its start."""
    content = text.lstrip(" \t")
    white_space = text[: len(text) - len(content)]
    return " " * max(0, len(white_space.expandtabs(4)) - indent) + content
