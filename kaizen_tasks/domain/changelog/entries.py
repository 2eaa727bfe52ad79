"""Groups and entries: what stands below a release's heading."""

from __future__ import annotations

import re
from textwrap import shorten
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import attrs

from kaizen_tasks.domain.changelog.markdown.block_parser import structure
from kaizen_tasks.domain.changelog.markdown.lines import split

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaizen_tasks.domain.changelog.markdown.block_types import Block, Item
    from kaizen_tasks.domain.changelog.markdown.lines import Lines

ChangeType: TypeAlias = Literal["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]

CHANGE_TYPES: Final[tuple[ChangeType, ...]] = get_args(ChangeType)
"""The six types in the order of Keep a Changelog."""

_BY_NAME: Final = {name.casefold(): name for name in CHANGE_TYPES}
_GIST: Final = 72  # characters
_BREAKING = re.compile(r"(\*\*|__)breaking(?: changes?)?(?::\1|\1:)", re.IGNORECASE)
_COMMENT = re.compile(r"\s*<!--(?:(?!-->).)*-->\s*", re.DOTALL)


@attrs.frozen(kw_only=True)
class Entry:
    """One change: a list item, or a block that stands outside of lists.

    `text` is as written, without the bullet and the indent that belongs to it; `bullet` is what was taken
    off; `start` and `end` are offsets of the whole lines in the file.
    """

    text: str
    bullet: str
    line: int
    start: int
    end: int

    @property
    def breaking(self) -> bool:
        """Tell whether the entry is marked with `**Breaking:**`."""
        return bool(_BREAKING.match(self.text))

    @property
    def gist(self) -> str:
        """Return its beginning on one line, with an ellipsis where there is more; lines are wrapped anywhere."""
        return shorten(self.text, _GIST, placeholder=" …")


@attrs.frozen(kw_only=True)
class Group:
    """Entries below one heading of level 3; `start`, `body` and `end` are offsets in the file."""

    name: str
    line: int
    start: int
    body: int
    end: int
    entries: tuple[Entry, ...]

    @property
    def type(self) -> ChangeType | None:
        """Return the type that the heading names, whatever its case; None for any other heading."""
        return _BY_NAME.get(self.name.casefold())


@attrs.frozen(kw_only=True)
class Body:
    """The lines below a release's heading; `end` is behind the last one that is no definition or blank."""

    groups: tuple[Group, ...]
    loose: tuple[Entry, ...]
    summary: str
    end: int


def nearest_type(name: str) -> ChangeType | None:
    """Return the one type that a misspelt name can mean."""
    import difflib

    bare = name.strip().rstrip(":").casefold()
    near = difflib.get_close_matches(bare, _BY_NAME, n=2, cutoff=0.75)
    return _BY_NAME[near[0]] if len(near) == 1 else None


def read_body(content: bytes, start: int, end: int, line: int) -> Body:
    """Read a span that starts right below a heading and ends before the next one.

    Args:
        content: the file.
        start: where the span starts.
        end: where it ends.
        line: the number of its first line.
    """
    return _BodyReader(content, split(content, start, end), line).body()


class _BodyReader:
    def __init__(self, content: bytes, lines: Lines, line: int) -> None:
        self.content = content
        self.texts, self.offsets = lines.texts, lines.offsets
        self.line = line
        self.blocks = structure(lines.texts).blocks

    def body(self) -> Body:
        heads = [at for at, block in enumerate(self.blocks) if block.kind == "heading" and block.level == 3]
        first = heads[0] if heads else len(self.blocks)
        intro = self.blocks[:first]
        return Body(
            groups=tuple(self._group(at, end) for at, end in zip(heads, [*heads[1:], None], strict=False)),
            loose=tuple(entry for entry in self._entries(intro) if entry.bullet),
            summary=self._summary(intro),
            end=self._end(self.blocks) or self.offsets[0],
        )

    def _group(self, at: int, end: int | None) -> Group:
        head, blocks = self.blocks[at], self.blocks[at + 1 : end]
        return Group(
            name=head.text,
            line=self.line + head.first,
            start=self.offsets[head.first],
            body=self.offsets[head.end],
            end=self._end(blocks) or self.offsets[head.end],
            entries=tuple(self._entries(blocks)),
        )

    def _end(self, blocks: Sequence[Block]) -> int:
        kept = [block for block in blocks if block.kind != "definition"]
        return self.offsets[self._last_line(kept[-1])] if kept else 0

    def _last_line(self, block: Block | Item) -> int:
        end = block.end
        while end > block.first + 1 and not self.texts[end - 1].strip(" \t"):
            end -= 1
        return end

    def _summary(self, blocks: Sequence[Block]) -> str:
        said = [block for block in blocks if not self._says_nothing(block)]
        if not said:
            return ""
        return "\n".join(self.texts[said[0].first : self._last_line(said[-1])]).strip("\n")

    def _says_nothing(self, block: Block) -> bool:
        if block.kind == "html":
            return bool(_COMMENT.fullmatch("\n".join(self.texts[block.first : block.end])))
        return block.kind in {"definition", "heading", "rule"}

    def _entries(self, blocks: Sequence[Block]) -> Iterable[Entry]:
        for block in blocks:
            if block.kind == "list":
                yield from (self._item(item) for item in block.items)
            elif not self._says_nothing(block):
                end = self._last_line(block)
                yield self._entry(block.first, end, "", "\n".join(self.texts[block.first : end]))

    def _item(self, item: Item) -> Entry:
        end = self._last_line(item)
        head, *others = self.texts[item.first : end]
        lines = [head[item.column :], *(outdented(text, item.indent) for text in others)]
        return self._entry(item.first, end, head[: item.column] or head, "\n".join(lines))

    def _entry(self, first: int, end: int, bullet: str, text: str) -> Entry:
        return Entry(
            text=text,
            bullet=bullet,
            line=self.line + first,
            start=self.offsets[first],
            end=self.offsets[end],
        )


def outdented(text: str, indent: int) -> str:
    """Take up to `indent` columns of white space off a line."""
    column = position = 0
    while position < len(text) and column < indent and text[position] in " \t":
        column += 4 - column % 4 if text[position] == "\t" else 1
        position += 1
    return " " * max(0, column - indent) + text[position:]
