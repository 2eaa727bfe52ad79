"""Releases as a fragment of HTML, for a "What's new" page: escaped, without scripts, styles or attributes."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.entries import dedent_line
from kaizen_tasks.domain.changelog.markdown.block_parser import parse_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaizen_tasks.domain.changelog.entries import ChangelogEntry
    from kaizen_tasks.domain.changelog.markdown.block_types import Block, ListItem
    from kaizen_tasks.domain.changelog.model import Changelog, Section
    from kaizen_tasks.domain.changelog.render.inline import InlineRenderer


def to_html(log: Changelog, sections: Sequence[Section], *, base_url: str | None = None) -> str:
    """Render releases.

    Args:
        log: where link labels are looked up.
        sections: what to show.
        base_url: makes relative links absolute.
    """
    from kaizen_tasks.domain.changelog.render.inline import InlineRenderer

    renderer = InlineRenderer(urls={key: link.url for key, link in log.link_by_key.items()}, base_url=base_url)
    return "\n".join(line for section in sections for line in _render_section(section, renderer)) + "\n"


def _render_section(section: Section, renderer: InlineRenderer) -> Iterator[str]:
    heading = section.title
    date_html = f' <time datetime="{heading.date}">{heading.date}</time>' if heading.date else ""
    yanked_html = " <em>yanked</em>" if heading.yanked else ""
    yield f"<section>\n<h2>{html.escape(heading.label)}{date_html}{yanked_html}</h2>"
    if section.summary:
        yield _render_blocks(section.summary, renderer)
    for group in section.groups:
        yield f"<h3>{html.escape(group.name)}</h3>"
        yield from _render_entries(group.entries, renderer)
    yield "</section>"


def _render_entries(entries: Sequence[ChangelogEntry], renderer: InlineRenderer) -> Iterator[str]:
    if entries:
        items = "".join(f"<li>{_render_blocks(entry.text, renderer)}</li>\n" for entry in entries)
        yield f"<ul>\n{items}</ul>"


def _render_blocks(text: str, renderer: InlineRenderer) -> str:
    """Render Markdown blocks; a paragraph alone needs no element of its own."""
    lines = text.split("\n")
    blocks = parse_blocks(lines).blocks
    html_blocks = [_render_block(block, lines[block.first_line : block.end_line], renderer) for block in blocks]
    is_single_paragraph = len(blocks) == 1 and blocks[0].kind == "paragraph"
    return (
        html_blocks[0].removeprefix("<p>").removesuffix("</p>")
        if is_single_paragraph
        else "\n".join(filter(None, html_blocks))
    )


def _render_block(block: Block, lines: Sequence[str], renderer: InlineRenderer) -> str:
    if _is_invisible(block, lines):
        return ""
    match block.kind:
        case "list":
            return (
                "<ul>\n"
                + "".join(f"<li>{_render_item(item, block, lines, renderer)}</li>\n" for item in block.items)
                + "</ul>"
            )
        case "code":
            return f"<pre>{html.escape(_dedent_lines(lines, 4))}</pre>"
        case "fence":
            return f"<pre>{html.escape(_dedent_lines(lines[1 : -1 if block.is_closed else None], 0))}</pre>"
        case "heading":
            return f"<p><strong>{renderer.render(block.text)}</strong></p>"
        case _:
            return f"<p>{renderer.render(chr(10).join(line.strip() for line in lines))}</p>"


def _is_invisible(block: Block, lines: Sequence[str]) -> bool:
    is_comment = block.kind == "html" and lines[0].lstrip().startswith("<!--")
    return is_comment or block.kind in {"definition", "rule"}


def _render_item(item: ListItem, block: Block, lines: Sequence[str], renderer: InlineRenderer) -> str:
    first_line, *other_lines = lines[item.first_line - block.first_line : item.end_line - block.first_line]
    return _render_blocks(
        "\n".join([first_line[item.content_column :], *(dedent_line(line, item.indent) for line in other_lines)]),
        renderer,
    )


def _dedent_lines(lines: Sequence[str], indent: int) -> str:
    return "\n".join(dedent_line(line, indent) for line in lines)
