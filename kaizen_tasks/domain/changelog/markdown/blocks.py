"""The outermost blocks of Markdown with their lines: read by markdown-it, or at once where the text is plain.

Its import takes longer than cutting a release, so the plain Markdown of most `[Unreleased]` sections is read without.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

BlockKind: TypeAlias = Literal["heading", "item", "html", "rule", "text"]

MAX_NESTING = 120
"""Levels as markdown-it counts them: a quotation is one, a list with its item two; each costs frames of the stack."""

_KIND_BY_TOKEN: Final[dict[str, BlockKind]] = {
    "html_block": "html",
    "hr": "rule",
    "paragraph_open": "text",
    "blockquote_open": "text",
    "code_block": "text",
    "fence": "text",
}
_PLAIN_LINE = re.compile(
    r"(?P<blank>[ \t]*)|###[ ](?P<heading>\w+(?:[ ]\w+)*)[ \t]*|(?P<item>[-*+][ ](?=\S).*\w.*)|(?P<rest>[ ]{2}.*)"
    r"|(?P<html><!--.*-->[ \t]*)"
)
_ITEM_MARKER = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])")


@attrs.frozen(kw_only=True)
class Block:
    """A block of the outermost level, or an item of a list there, up to but not including line `end_line`.

    `level` and `text` are a heading's. An item's content starts at position `content_start` of its first line, and
    `indent` columns of the lines below belong to the list.
    """

    kind: BlockKind
    first_line: int
    end_line: int
    level: int = 0
    text: str = ""
    content_start: int = 0
    indent: int = 0


@attrs.frozen(kw_only=True)
class Definition:
    """A link reference definition at any depth, with its label as written, up to but not including `end_line`."""

    label: str
    first_line: int
    end_line: int


@attrs.frozen(kw_only=True)
class BlockStructure:
    """The outermost blocks and all definitions; `may_continue` tells that more lines might belong to the last block."""

    blocks: tuple[Block, ...]
    definitions: tuple[Definition, ...] = ()
    may_continue: bool = False


def parse_blocks(lines: Sequence[str]) -> BlockStructure:
    """Read the blocks of lines without their endings.

    Raises:
        Refused: lists or quotations are nested too deeply.
    """
    plain_blocks = parse_plain_blocks(lines)
    return BlockStructure(blocks=plain_blocks) if plain_blocks is not None else _parse_with_markdown_it(lines)


def parse_plain_blocks(lines: Sequence[str]) -> tuple[Block, ...] | None:
    """Return the headings of level 3, list items and comments of a text; None where it contains anything else."""
    blocks: list[Block] = []
    for number, line in enumerate(lines):
        match = _PLAIN_LINE.fullmatch(line)
        if not match:
            return None
        if match.lastgroup == "rest":
            if not blocks or blocks[-1].kind != "item":
                return None
            blocks[-1] = attrs.evolve(blocks[-1], end_line=number + 1)
        elif match.lastgroup == "heading":
            heading = Block(kind="heading", first_line=number, end_line=number + 1, level=3, text=match["heading"])
            blocks.append(heading)
        elif match.lastgroup == "item":
            blocks.append(Block(kind="item", first_line=number, end_line=number + 1, content_start=2, indent=2))
        elif match.lastgroup == "html":
            blocks.append(Block(kind="html", first_line=number, end_line=number + 1))
    return tuple(blocks)


def _parse_with_markdown_it(lines: Sequence[str]) -> BlockStructure:
    tokens = _block_parser().parse("\n".join(lines) + "\n")
    for token in tokens:
        if token.level > MAX_NESTING and token.map:
            raise Refused(
                "the changelog nests lists or quotations too deeply to be read",
                hint=f"outdent the line that reads {lines[token.map[0]][:40]!r}",
            )
    open_ends = [token.map[1] for token in tokens[-1:] if token.map and token.type in {"fence", "html_block"}]
    return BlockStructure(
        blocks=tuple(_outermost_blocks(tokens, lines)),
        definitions=tuple(
            Definition(label=token.meta["label"], first_line=token.map[0], end_line=token.map[1])
            for token in tokens
            if token.type == "definition" and token.map
        ),
        may_continue=any(end >= len(lines) for end in open_ends),
    )


@functools.cache
def _block_parser() -> MarkdownIt:
    """Return a parser that finds blocks and definitions, and leaves the text inside them as it is."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING + 2, "inline_definitions": True})
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def _outermost_blocks(tokens: Sequence[Token], lines: Sequence[str]) -> Iterator[Block]:
    for position, token in enumerate(tokens):
        if not token.map or token.level > 1:
            continue
        first_line, end_line = token.map
        if token.type == "list_item_open":
            yield _item(lines[first_line], first_line, end_line)
        elif token.type == "heading_open" and not token.level:
            level, text = int(token.tag[1]), tokens[position + 1].content
            yield Block(kind="heading", first_line=first_line, end_line=end_line, level=level, text=text)
        elif token.type in _KIND_BY_TOKEN and not token.level:
            yield Block(kind=_KIND_BY_TOKEN[token.type], first_line=first_line, end_line=end_line)


def _item(line: str, first_line: int, end_line: int) -> Block:
    """Measure the marker of a list item: https://spec.commonmark.org/0.31.2/#list-items."""
    marker = _ITEM_MARKER.match(line)
    assert marker
    marker_end = marker.end()
    text_start = len(line) - len(line[marker_end:].lstrip(" \t"))
    padding = len(line[:text_start].expandtabs(4)) - marker_end
    if text_start == len(line) or padding > 4:
        content_start, padding = (text_start if text_start == len(line) else marker_end + 1), 1
    else:
        content_start = text_start
    indent = marker_end + padding
    return Block(kind="item", first_line=first_line, end_line=end_line, content_start=content_start, indent=indent)
