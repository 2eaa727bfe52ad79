"""The fast search finds the headings and definitions that markdown-it finds."""

import pytest
from hypothesis import example, given
from markdown_it import MarkdownIt

from kaizen_tasks.domain.changelog import outline
from kaizen_tasks.domain.changelog.markdown.lines import line_numbers, split_lines
from kaizen_tasks.domain.changelog.outline import build_outline
from tests.domain.changelog.documents import ORDERLY, nasty

ORACLE = MarkdownIt("commonmark", {"maxNesting": 10_000})
"""It gets a line feed at the end: without one it fails for some comments in quotations."""


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


@given(nasty())
@example("[a]: /u\n[1.0.0]: http://x\n\n# b")
@example("[1.0.0]: https://x/y")
@example("- a\n[1.0.0]: https://x/y\n\n")
@example("```\n\n[1.0.0]: https://x/y\n\n```\n## a")
@example("<!--\n## a\n\n## b\n-->\n## c")
@example("text\r## a\r\n## b")
@example("# T\n> - <!--\n> ")
def test_fast_search_finds_the_headings_and_definitions_that_markdown_it_finds(text: str) -> None:
    content = text.encode().removeprefix(b"\xef\xbb\xbf")
    found = build_outline(content)
    headings = list(
        zip(
            line_numbers(content, [start for start, _ in found.headings]),
            [1 if start in found.titles else 2 for start, _ in found.headings],
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


def test_fast_search_needs_no_block_parser_for_an_orderly_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(outline, "parse_blocks")
    found = build_outline(ORDERLY.replace(b"## [1.1.0]", b"<!-- version list -->\n\n## [1.1.0]"))
    assert found.definitions.parsed_spans == ()
    assert len(found.definitions.plain_spans) == 1
