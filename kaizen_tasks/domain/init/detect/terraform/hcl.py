"""Reads HCL, the language of Terraform, into blocks and attributes that know their lines.

The grammar is that of https://github.com/amplify-education/python-hcl2; comments are no part of what it returns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import hcl2
from attrs import field, frozen
from lark import Token, Tree
from lark.exceptions import LarkError, UnexpectedInput

if TYPE_CHECKING:
    from collections.abc import Iterable

Node = Tree[Token] | Token
"""A part of an expression."""


@frozen(kw_only=True)
class Expression:
    """The source of a value, and its place.

    Attributes:
        node: the syntax tree.
        source: `path:line`.
    """

    node: Node
    source: str


@frozen(kw_only=True)
class Block:
    """A block such as `resource "aws_ecr_repository" "app" { … }`, or a whole file, whose kind is empty.

    Attributes:
        kind: `resource`, `variable`, `image_repository`.
        labels: the texts after it.
        attributes: expressions by name.
        blocks: the blocks inside.
        source: `path:line`.
    """

    kind: str = ""
    labels: tuple[str, ...] = ()
    attributes: Mapping[str, Expression] = field(factory=dict)
    blocks: tuple[Block, ...] = ()
    source: str = ""

    def find(self, *kinds: str) -> Block | None:
        """Return the first block at a path of kinds, or None."""
        block: Block | None = self
        for kind in kinds:
            block = next((each for each in block.blocks if each.kind == kind), None) if block else None
        return block


class HclError(Exception):
    """A file is no HCL.

    Attributes:
        line: the line of the first error, or 0.
    """

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def parse_hcl(path: str, text: str) -> Block:
    """Return a file as a block without a kind.

    Raises:
        HclError: the text is no HCL.
    """
    try:
        tree = hcl2.parses_to_tree(text)
    except UnexpectedInput as error:
        raise HclError(max(error.line, 0)) from error
    except LarkError as error:
        raise HclError(0) from error
    return _read_body(_subtrees(tree, "body")[0], path)


def _read_body(body: Tree[Token], path: str, **place: object) -> Block:
    attributes = {}
    for node in _subtrees(body, "attribute"):
        name, *_, value = node.children
        attributes[_text(name)] = Expression(node=value, source=_source(node, path))
    blocks = tuple(_read_block(node, path) for node in _subtrees(body, "block"))
    return Block(attributes=attributes, blocks=blocks, **place)  # type: ignore[arg-type]


def _read_block(node: Tree[Token], path: str) -> Block:
    body = _subtrees(node, "body")[0]
    kind, *labels = [_text(child) for child in node.children if child is not body and _is_name(child)]
    return _read_body(body, path, kind=kind, labels=tuple(labels), source=_source(node, path))


def _is_name(node: Node) -> bool:
    return isinstance(node, Tree) and node.data != "new_line_or_comment"


def _source(node: Tree[Token], path: str) -> str:
    return f"{path}:{node.meta.line}"


def _subtrees(node: Tree[Token], kind: str) -> list[Tree[Token]]:
    return [child for child in node.children if isinstance(child, Tree) and child.data == kind]


def _text(node: Node) -> str:
    """Return the text of a name or label, without its quotation marks."""
    return "".join(_tokens([node])).strip('"')


def _tokens(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Token):
            yield str(node)
        else:
            yield from _tokens(node.children)


def operands(node: Tree[Token]) -> list[Node]:
    """Return the children of a node that are no layout: neither line breaks nor comments, brackets or commas."""
    return [
        child
        for child in node.children
        if not (isinstance(child, Tree) and child.data == "new_line_or_comment")
        and not (isinstance(child, Token) and child.type in _LAYOUT)
    ]


_LAYOUT = frozenset(
    {"LPAR", "RPAR", "LBRACE", "RBRACE", "LSQB", "RSQB", "COMMA", "DOT", "EQ", "COLON", "DBLQUOTE", "INTERP_START"}
    | {"QMARK", "NL_OR_COMMENT", "FOR", "IN", "IF", "FOR_OBJECT_ARROW", "ELLIPSIS", "ATTR_SPLAT", "FULL_SPLAT_START"}
)
