"""Releases as a fragment of HTML, for a "What's new" page: escaped, without scripts, styles or attributes."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.entries import outdented
from kaizen_tasks.domain.changelog.markdown.block_parser import structure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaizen_tasks.domain.changelog.entries import Entry
    from kaizen_tasks.domain.changelog.markdown.block_types import Block, Item
    from kaizen_tasks.domain.changelog.model import Changelog, Section
    from kaizen_tasks.domain.changelog.render.inline import Inline


def to_html(log: Changelog, sections: Sequence[Section], *, base_url: str | None = None) -> str:
    """Render releases.

    Args:
        log: where link labels are looked up.
        sections: what to show.
        base_url: makes relative links absolute.
    """
    from kaizen_tasks.domain.changelog.render.inline import Inline

    inline = Inline(urls={key: link.url for key, link in log.link_by_key.items()}, base_url=base_url)
    return "\n".join(line for section in sections for line in _section(section, inline)) + "\n"


def _section(section: Section, inline: Inline) -> Iterator[str]:
    title = section.title
    when = f' <time datetime="{title.date}">{title.date}</time>' if title.date else ""
    yanked = " <em>yanked</em>" if title.yanked else ""
    yield f"<section>\n<h2>{html.escape(title.label)}{when}{yanked}</h2>"
    if section.summary:
        yield _blocks(section.summary, inline)
    for group in section.groups:
        yield f"<h3>{html.escape(group.name)}</h3>"
        yield from _entries(group.entries, inline)
    yield "</section>"


def _entries(entries: Sequence[Entry], inline: Inline) -> Iterator[str]:
    if entries:
        items = "".join(f"<li>{_blocks(entry.text, inline)}</li>\n" for entry in entries)
        yield f"<ul>\n{items}</ul>"


def _blocks(text: str, inline: Inline) -> str:
    """Render Markdown blocks; a paragraph alone needs no element of its own."""
    lines = text.split("\n")
    blocks = structure(lines).blocks
    rendered = [_block(block, lines[block.first : block.end], inline) for block in blocks]
    alone = len(blocks) == 1 and blocks[0].kind == "paragraph"
    return rendered[0].removeprefix("<p>").removesuffix("</p>") if alone else "\n".join(filter(None, rendered))


def _block(block: Block, lines: Sequence[str], inline: Inline) -> str:
    if _says_nothing(block, lines):
        return ""
    match block.kind:
        case "list":
            return (
                "<ul>\n" + "".join(f"<li>{_item(item, block, lines, inline)}</li>\n" for item in block.items) + "</ul>"
            )
        case "code":
            return f"<pre>{html.escape(_dedented(lines, 4))}</pre>"
        case "fence":
            return f"<pre>{html.escape(_dedented(lines[1 : -1 if block.closed else None], 0))}</pre>"
        case "heading":
            return f"<p><strong>{inline.html(block.text)}</strong></p>"
        case _:
            return f"<p>{inline.html(chr(10).join(line.strip() for line in lines))}</p>"


def _says_nothing(block: Block, lines: Sequence[str]) -> bool:
    comment = block.kind == "html" and lines[0].lstrip().startswith("<!--")
    return comment or block.kind in {"definition", "rule"}


def _item(item: Item, block: Block, lines: Sequence[str], inline: Inline) -> str:
    head, *others = lines[item.first - block.first : item.end - block.first]
    return _blocks("\n".join([head[item.column :], *(outdented(line, item.indent) for line in others)]), inline)


def _dedented(lines: Sequence[str], indent: int) -> str:
    return "\n".join(outdented(line, indent) for line in lines)
