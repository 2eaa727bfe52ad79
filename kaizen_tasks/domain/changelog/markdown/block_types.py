"""What the block structure of Markdown consists of."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from kaizen_tasks.domain.changelog.links.reference_definitions import ReferenceDefinition

BlockKind: TypeAlias = Literal["code", "fence", "quote", "rule", "list", "definition", "html", "heading", "paragraph"]


@attrs.frozen(kw_only=True)
class ListItem:
    """One list item: its lines, where its content starts on the first, and the indent of the others."""

    first_line: int
    end_line: int
    content_column: int
    indent: int


@attrs.frozen(kw_only=True)
class Block:
    """One block of the outermost level, from line `first_line` up to but not including line `end_line`."""

    kind: BlockKind
    first_line: int
    end_line: int
    level: int = 0
    text: str = ""
    items: tuple[ListItem, ...] = ()
    is_closed: bool = True


@attrs.frozen(kw_only=True)
class BlockStructure:
    """The outermost blocks of some lines, and the definitions found at any depth."""

    blocks: tuple[Block, ...]
    definitions: tuple[tuple[int, ReferenceDefinition], ...]
