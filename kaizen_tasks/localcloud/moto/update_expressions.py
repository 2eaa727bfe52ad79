"""Update expressions of DynamoDB in moto, which otherwise take half of the time of an update.

Importing this module imports moto, which takes a second: import it at the first request.
"""

from __future__ import annotations

import functools
import inspect
import pickle
from typing import Any

from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node  # type: ignore[attr-defined]
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.tokens import ExpressionTokenizer


def patch_update_expressions() -> None:
    """Parse each expression once, copy its tree in C, and look up which nodes a traverser processes.

    moto 5.2.5 parses an expression twice in each request, copies the tree node by node, and walks it ten times; at each
    node it asks an abstract class whether the node is an instance. At each part of an expression it counts again the
    clauses below, all of which the whole expression has too.
    """
    vars(validators).update(deepcopy=_copy)
    UpdateExpressionParser.make = staticmethod(_parse)
    original = inspect.unwrap(DepthFirstTraverser.traverse_node_recursively)
    DepthFirstTraverser.traverse_node_recursively = functools.update_wrapper(_traverse, original)
    validators.ActionCountValidator.traverse = validators.ActionCountValidator.verify_action_counts


@functools.lru_cache(maxsize=256)
def _parse(expression: str) -> Any:
    """Return the tree of an expression; moto's validators change a copy of it."""
    return UpdateExpressionParser(ExpressionTokenizer.make_list(expression)).parse()


def _copy(tree: Any) -> Any:
    return pickle.loads(pickle.dumps(tree, pickle.HIGHEST_PROTOCOL))  # noqa: S301 - what this process has just dumped


def _traverse(traverser: Any, node: Any, child_id: int = -1) -> Any:
    """Process the nodes of a tree, children first; return what replaces it."""
    return _process(traverser, traverser.nodes_to_be_processed(), node, child_id)


def _process(traverser: Any, kinds: tuple[type, ...], node: Any, child_id: int) -> Any:
    kind: Any = type(node)
    if not _is_subclass(kind, (Node,)):
        return node
    parent = node.parent
    for number, child in enumerate(node.children or ()):
        traverser.pre_processing_of_child(node, number)
        _process(traverser, kinds, child, number)
    if _is_subclass(kind, kinds):
        node = traverser.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


@functools.cache
def _is_subclass(kind: Any, kinds: tuple[type, ...]) -> bool:
    return issubclass(kind, kinds)
