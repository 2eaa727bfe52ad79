"""Parse Markdown into its outermost blocks: plain text by regular expressions, any other by markdown-it.

To import markdown-it takes longer than cutting a release, and most `[Unreleased]` sections are plain.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

import attrs

from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

BlockKind: TypeAlias = Literal["heading", "item", "html", "rule", "text"]

MAX_NESTING = 120
"""Maximum nesting in markdown-it's levels: one per quotation, two per list and item. Each level costs stack frames."""

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
_COMMENT = r"(?s)\s*<!--(?:(?!-->).)*-->\s*"
_ITEM_MARKER = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])")


@attrs.frozen(kw_only=True)
class Block:
    """An outermost block, or an item of an outermost list: its lines from `first_line` until before `end_line`.

    Only headings have `level` and `text`. Only items have `content_start`, the position of the content in the first
    line, and `indent`, the columns of indentation in the lines below.
    """

    kind: BlockKind
    first_line: int
    end_line: int
    level: int = 0
    text: str = ""
    content_start: int = 0
    indent: int = 0


class Definition(NamedTuple):
    """A Markdown link reference definition: its label as written, and its lines until before `end_line`."""

    label: str
    first_line: int
    end_line: int


@attrs.frozen(kw_only=True)
class BlockStructure:
    """Blocks and link definitions of lines; `may_continue` is true if later lines might belong to the last block."""

    blocks: tuple[Block, ...]
    definitions: tuple[Definition, ...] = ()
    may_continue: bool = False


def is_comment(block: Block, lines: Sequence[str]) -> bool:
    """Return whether a block is a comment and nothing else, so that no reader sees it."""
    return block.kind == "html" and bool(re.fullmatch(_COMMENT, "\n".join(lines[block.first_line : block.end_line])))


def fenced_lines(lines: Sequence[str]) -> frozenset[int]:
    """Return the numbers of the lines in fenced code at any depth, where tabs mean themselves; none without tabs."""
    if not any("\t" in line for line in lines):
        return frozenset()
    tokens = _block_parser().parse("\n".join(lines) + "\n")
    fences = (token.map for token in tokens if token.type == "fence" and token.map)
    return frozenset(number for first_line, end_line in fences for number in range(first_line, end_line))


def parse_blocks(lines: Sequence[str]) -> BlockStructure:
    """Return the block structure of lines, which are given without line endings.

    Raises:
        Refused: lists or quotations are nested too deeply.
    """
    plain_blocks = parse_plain_blocks(lines)
    return BlockStructure(blocks=plain_blocks) if plain_blocks is not None else _parse_with_markdown_it(lines)


def parse_plain_blocks(lines: Sequence[str]) -> tuple[Block, ...] | None:
    """Return the blocks of lines that contain only headings of level 3, list items and comments; otherwise None."""
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
    """Return a parser that finds blocks and link definitions, but does not parse the text inside them."""
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
    """Return the block of a list item, whose marker is measured: https://spec.commonmark.org/0.31.2/#list-items."""
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
