"""Headings and definitions are those that markdown-it sees."""

import re

import pytest
from hypothesis import example, given
from markdown_it import MarkdownIt

from kaizen_tasks.domain.changelog.markdown.block_parser import MAX_NESTING_DEPTH, parse_blocks
from kaizen_tasks.domain.changelog.markdown.lines import line_numbers, split_lines
from kaizen_tasks.domain.changelog.outline import build_outline
from kaizen_tasks.errors import Refused
from tests.domain.changelog.documents import ORDERLY, nasty

ORACLE = MarkdownIt("commonmark", {"maxNesting": 10_000})
"""A line feed is added to what it reads: without one it fails at the end of some comments in quotations."""


def oracle_headings(text: str) -> list[tuple[int, int, int, str]]:
    tokens = ORACLE.parse(text + "\n")
    return [
        (token.map[0], token.map[1], int(token.tag[1]), tokens[at + 1].content)
        for at, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0 and token.map
    ]


def oracle_definitions(text: str) -> list[int]:
    env: dict[str, object] = {}
    ORACLE.parse(text + "\n", env)
    references = env.get("references", {})
    duplicates = env.get("duplicate_refs", [])
    assert isinstance(references, dict)
    assert isinstance(duplicates, list)
    return sorted(one["map"][0] for one in [*references.values(), *duplicates])


def lines_of(text: str) -> list[str]:
    lines = re.split(r"\r\n?|\n", text.replace("\0", "\ufffd"))
    return lines if lines[-1].strip(" \t") else lines[:-1]


@given(nasty())
@example("# \u2028")
@example("\u2028\n---")
@example("- a\n\n  [x]: /u\n---")
@example('[a]: /u\n"" x')
@example("> a\n```\n## x")
@example("-\n\n  ## x")
def test_sees_every_heading_as_markdown_it_does(text: str) -> None:
    seen = [
        (block.first_line, block.end_line, block.level, block.text)
        for block in parse_blocks(lines_of(text)).blocks
        if block.kind == "heading"
    ]
    assert oracle_headings(text) == seen


@given(nasty())
@example("[a]: /u\n[1.0.0]: http://x\n\n# b")
@example("[1.0.0]: https://x/y")
@example("- a\n[1.0.0]: https://x/y\n\n")
@example("```\n\n[1.0.0]: https://x/y\n\n```\n## a")
@example("<!--\n## a\n\n## b\n-->\n## c")
@example("text\r## a\r\n## b")
@example("# T\n> - <!--\n> ")
def test_takes_the_same_headings_and_definitions_on_the_fast_path(text: str) -> None:
    content = text.encode().removeprefix(b"\xef\xbb\xbf")
    found = build_outline(content)
    headings = list(
        zip(
            line_numbers(content, [mark.start for mark in found.headings]),
            [mark.level for mark in found.headings],
            strict=True,
        )
    )
    plain = [
        offset
        for start, end in found.definitions.plain_spans
        for offset in split_lines(content, start, end).offsets[:-1]
    ]
    starts = sorted([*plain, *(one.start for one in found.definitions.parsed_spans)])
    text = content.decode()
    assert [(first + 1, level) for first, _, level, _ in oracle_headings(text) if level <= 2] == headings
    assert [line + 1 for line in oracle_definitions(text)] == line_numbers(content, starts)


def test_reads_an_orderly_file_without_looking_at_its_blocks() -> None:
    found = build_outline(ORDERLY)
    assert found.definitions.parsed_spans == ()
    assert len(found.definitions.plain_spans) == 1


@pytest.mark.parametrize("opening", [">", "- ", "1. ", "> - "])
def test_refuses_nesting_that_would_exhaust_the_stack(opening: str) -> None:
    with pytest.raises(Refused, match="deeper than"):
        parse_blocks([opening * (MAX_NESTING_DEPTH + 1) + "x"])


def test_reads_nesting_up_to_the_limit() -> None:
    assert parse_blocks([">" * MAX_NESTING_DEPTH + "x"]).blocks[0].kind == "quote"
