"""Blocks of Markdown, read with markdown-it and without."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kaizen_tasks.domain.changelog.entries import dedent_line
from kaizen_tasks.domain.changelog.markdown import blocks
from kaizen_tasks.domain.changelog.markdown.blocks import MAX_NESTING, Block, parse_blocks, parse_plain_blocks
from kaizen_tasks.errors import Refused
from tests.domain.changelog.documents import nasty
from tests.domain.changelog.test_outline import oracle_headings

PLAIN_LINES = (
    *("", "  ", "\t", "### Added", "### Not fixed  ", "### [x]", "## x", "- a", "* b *", "+ `c`", "- - -", "* ***"),
    *("- ```", "- <!--", "- # d", "- > e", "- [f]: /u", "-  g", "- ", "-", "1. h", "  goes on", "    code", "  - i"),
    *("  ```", "  ---", "  ===", "  -->", "  \x0c", "text", "---", "===", "[j]: /u", "> k", "```", "- \u2028l", "- é"),
    *("<!-- m -->", "<!-- n --> o", "<!--", "<!-->", "  <!-- p -->", "-->", "<p>"),
)


def lines_of(text: str) -> list[str]:
    lines = re.split(r"\r\n?|\n", text.replace("\0", "\ufffd"))
    return lines if lines[-1].strip(" \t") else lines[:-1]


def without_trailing_blank_lines(block: Block, lines: list[str]) -> tuple[object, ...]:
    end = block.end_line
    while end > block.first_line + 1 and not lines[end - 1].strip(" \t"):
        end -= 1
    return block.kind, block.first_line, end, block.level, block.text, block.content_start, block.indent


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PLAIN_LINES), max_size=12))
@example(["- a", "", "  b", "* c", "### Added", "- d"])
@example(["- ```", "- b"])
def test_plain_text_has_the_blocks_that_markdown_it_finds(lines: list[str]) -> None:
    plain = parse_plain_blocks(lines)
    if plain is None:
        return
    found = blocks._parse_with_markdown_it(lines).blocks
    assert [without_trailing_blank_lines(block, lines) for block in found] == [
        without_trailing_blank_lines(block, lines) for block in plain
    ]


def test_headings_and_lists_of_an_ordinary_section_are_plain() -> None:
    lines = [
        "",
        "### Added",
        "",
        "- **A** thing",
        "  that goes on",
        "",
        "  - and nests",
        "",
        "### Fixed",
        "* a bug",
        "",
        "<!-- c -->",
    ]
    assert parse_plain_blocks(lines) is not None


@settings(max_examples=300, deadline=None)
@given(nasty())
@example("# \u2028")
@example("\u2028\n---")
@example("- a\n\n  [x]: /u\n---")
@example('[a]: /u\n"" x')
@example("> a\n```\n## x")
@example("-\n\n  ## x")
def test_headings_have_the_lines_and_text_that_markdown_it_gives_them(text: str) -> None:
    found = [
        (block.first_line, block.end_line, block.level, block.text)
        for block in parse_blocks(lines_of(text)).blocks
        if block.kind == "heading"
    ]
    assert oracle_headings(text) == found


@settings(max_examples=300, deadline=None)
@given(nasty())
@example("-     code\n      more")
@example(" 1)\ta\n\tb")
@example("-\n  a")
def test_content_of_a_list_item_reads_as_it_does_in_the_list(text: str) -> None:
    lines = lines_of(text)
    for block in parse_blocks(lines).blocks:
        first, *others = lines[block.first_line : block.end_line]
        if block.kind == "item" and not any(is_lazy(line, block.indent) for line in others):
            content = [first[block.content_start :], *(dedent_line(line, block.indent) for line in others)]
            assert structure("\n".join(content)) == structure("\n".join([first, *others]), inside_item=True)


def is_lazy(line: str, indent: int) -> bool:
    """Tell whether a line belongs to an item without its indent: alone, it may be something else."""
    return bool(line.strip(" \t")) and not line.expandtabs(4).startswith(" " * indent)


def structure(text: str, *, inside_item: bool = False) -> list[tuple[str, list[str]]]:
    """Return tokens with their words: tabs in front of a line may have become spaces."""
    tokens = MarkdownIt("commonmark", {"maxNesting": 1000}).parse(text + "\n")
    pairs = [(token.type, token.content.split()) for token in tokens]
    return pairs[2:-2] if inside_item else pairs


@pytest.mark.parametrize(("opening", "levels"), [(">", 1), ("1. ", 2), ("> - ", 3)])
def test_nesting_beyond_the_limit_is_refused(opening: str, levels: int) -> None:
    with pytest.raises(Refused, match="too deeply"):
        parse_blocks([opening * (MAX_NESTING // levels + 1) + "x"])


def test_nesting_up_to_the_limit_is_read() -> None:
    assert parse_blocks([">" * (MAX_NESTING - 1) + "x"]).blocks[0].kind == "text"
