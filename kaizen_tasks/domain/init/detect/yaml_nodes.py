"""Reads YAML as nodes that know their lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode


def parse_yaml(text: str) -> Node | None:
    """Return a document as nodes; None when it is empty.

    Raises:
        yaml.YAMLError: the text is no YAML.
    """
    return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def line_of(node: Node) -> int:
    """Return the line of a node."""
    return int(node.start_mark.line) + 1


def child(node: Node | None, *keys: str) -> Node | None:
    """Return the node at a path of keys, or None."""
    for key in keys:
        node = next((value for name, value in pairs(node) if name == key), None)
    return node


def pairs(node: Node | None) -> Iterator[tuple[str, Node]]:
    """Yield key and node of a mapping; nothing for another node."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                yield str(key.value), value


def items(node: Node | None) -> Iterator[Node]:
    """Yield the nodes of a sequence; nothing for another node."""
    if isinstance(node, SequenceNode):
        yield from node.value


def text(node: Node | None) -> str:
    """Return the text of a scalar; empty for another node."""
    return str(node.value) if isinstance(node, ScalarNode) else ""


def text_at(node: Node | None, *keys: str) -> str:
    """Return the text at a path of keys, or an empty text."""
    return text(child(node, *keys))


def without_nodes(content: str, nodes: Iterable[Node]) -> str:
    """Return a text with empty lines in place of some nodes."""
    lines = content.split("\n")
    for node in nodes:
        first, end = node.start_mark.line, max(node.end_mark.line, node.start_mark.line + 1)
        lines[first:end] = [""] * (end - first)
    return "\n".join(lines)
