"""The content of a section: groups and entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import shorten
from typing import Final, NamedTuple

import attrs

from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat, TypeHeading
from kaizen_tasks.domain.changelog.markdown.blocks import Block, is_comment, parse_blocks
from kaizen_tasks.domain.changelog.markdown.lines import Lines, split_lines
from kaizen_tasks.domain.changelog.wording.marks import is_placeholder, marks_breaking

_EXCERPT_LENGTH: Final = 72  # characters


@attrs.frozen(kw_only=True)
class ChangelogEntry:
    """One change: a list item, or a block outside of lists.

    Attributes:
        text: the entry as written, without the bullet and the indentation of the list.
        bullet: the bullet with its white space; empty outside of lists.
        line: number of the first line.
        start: offset of the first line.
        end: offset after the last line.
        type: the type of change that the headings above it mean, or None.
        is_under_breaking: whether a heading above it says that it is breaking.
    """

    text: str
    bullet: str
    line: int
    start: int
    end: int
    type: str | None = None
    is_under_breaking: bool = False

    @property
    def is_breaking(self) -> bool:
        """Return whether the entry is marked as breaking, or under a heading that is."""
        return self.is_under_breaking or marks_breaking(self.text)

    @property
    def excerpt(self) -> str:
        """Return the beginning of the text on one line, with an ellipsis if the text is longer."""
        return shorten(self.text, _EXCERPT_LENGTH, placeholder=" …")


@attrs.frozen(kw_only=True)
class Group:
    """A heading of level 3, or of the highest level below 3 in a section without those, and the entries below it.

    Attributes:
        name: the text of the heading.
        level: the level of the heading.
        type: the type of change that the heading means, or None.
        is_breaking: whether the heading says that the changes below it are breaking.
        spelling: the heading without spelling mistakes.
        is_qualified: whether the heading says more than its type: `Fixed (parser)`.
        line: number of the heading's line.
        start: offset of the heading.
        body_start: offset of the line below the heading.
        end: offset after the last line.
        entries: the entries.
    """

    name: str
    level: int
    type: str | None
    is_breaking: bool
    spelling: str
    is_qualified: bool
    line: int
    start: int
    body_start: int
    end: int
    entries: tuple[ChangelogEntry, ...]


class SectionBody(NamedTuple):
    """The content of a section.

    Attributes:
        groups: the groups of entries.
        intro_entries: the entries above the first group: list items and other blocks.
        summary: the text above the first group.
        end: offset after the last line that is neither blank nor a link definition.
    """

    groups: tuple[Group, ...]
    intro_entries: tuple[ChangelogEntry, ...]
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
        level = min((block.level for block in self.blocks if block.kind == "heading" and block.level >= 3), default=3)
        blocks = enumerate(self.blocks)
        headings = [position for position, block in blocks if block.kind == "heading" and block.level == level]
        ends = [*headings, len(self.blocks)]
        intro = self.blocks[: ends[0]]
        return SectionBody(
            groups=tuple(map(self._group, headings, ends[1:])),
            intro_entries=tuple(self._entries(intro, TypeHeading(None, is_breaking=False, spelling=""))),
            summary=self._summary(intro),
            end=self._end_offset(self.blocks) or self.offsets[0],
        )

    def _group(self, position: int, end: int) -> Group:
        heading, blocks = self.blocks[position], self.blocks[position + 1 : end]
        meaning = self.changelog_format.read_type_heading(heading.text)
        return Group(
            name=heading.text,
            level=heading.level,
            type=meaning.type,
            is_breaking=meaning.is_breaking,
            spelling=meaning.spelling,
            is_qualified=meaning.is_qualified,
            line=self.line + heading.first_line,
            start=self.offsets[heading.first_line],
            body_start=self.offsets[heading.end_line],
            end=self._end_offset(blocks) or self.offsets[heading.end_line],
            entries=tuple(self._entries(blocks, meaning)),
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

    def _entries(self, blocks: Sequence[Block], group: TypeHeading) -> Iterator[ChangelogEntry]:
        """Yield the entries among blocks of a group; a heading inside the group may say more about those below it."""
        headings: list[tuple[int, TypeHeading]] = []
        for block in blocks:
            if block.kind == "heading":
                headings = [outer for outer in headings if outer[0] < block.level]
                headings.append((block.level, self.changelog_format.read_type_heading(block.text)))
            elif block.kind == "item" or not self._is_invisible(block):
                meanings = [heading for _, heading in reversed(headings)] + [group]
                entry = self._entry(
                    block,
                    change_type=next((meaning.type for meaning in meanings if meaning.type), None),
                    is_under_breaking=any(meaning.is_breaking for meaning in meanings),
                )
                if not is_placeholder(entry.text):
                    yield entry

    def _entry(self, block: Block, *, change_type: str | None, is_under_breaking: bool) -> ChangelogEntry:
        end = self._content_end(block)
        bullet, text = self._item_text(block, end) if block.kind == "item" else ("", self._text(block, end))
        return ChangelogEntry(
            text=text,
            bullet=bullet,
            line=self.line + block.first_line,
            start=self.offsets[block.first_line],
            end=self.offsets[end],
            type=change_type,
            is_under_breaking=is_under_breaking,
        )

    def _text(self, block: Block, end: int) -> str:
        return "\n".join(self.texts[block.first_line : end])

    def _item_text(self, item: Block, end: int) -> tuple[str, str]:
        """Return the bullet and the text of a list item."""
        first_line, *other_lines = self.texts[item.first_line : end]
        lines = [first_line[item.content_start :], *(dedent_line(text, item.indent) for text in other_lines)]
        return first_line[: item.content_start] or first_line, "\n".join(lines)


def dedent_line(text: str, indent: int) -> str:
    """Return a line without up to `indent` columns of white space at its start."""
    content = text.lstrip(" \t")
    white_space = text[: len(text) - len(content)]
    return " " * max(0, len(white_space.expandtabs(4)) - indent) + content
