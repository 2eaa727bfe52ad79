"""Evaluates Terraform's expressions: https://developer.hashicorp.com/terraform/language/expressions.

Values are texts, booleans, tuples and dicts. Numbers are texts: they only matter inside names.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from lark import Token, Tree

from kaizen_tasks.domain.init.detect.terraform.hcl import Node, operands

REFERENCE = re.compile(r"\$\{([\w.-]+)\}")
"""A reference in a text of several lines, which is not parsed further."""

Value = Any
"""A text, a boolean, None, a tuple or a dict: what JSON can hold, but for numbers."""


class UnsupportedExpressionError(Exception):
    """The expression contains something that only Terraform can evaluate."""


class Scope(Protocol):
    """What names mean."""

    def resolve(self, names: tuple[str, ...]) -> tuple[Value, int]:
        """Return the value of the longest known beginning of a dotted name, and how many of its parts that has.

        Raises:
            UnsupportedExpressionError: there is none.
        """
        ...


class LoopScope:
    """A scope with the variables of a `for` expression in front of it."""

    def __init__(self, variables: Mapping[str, Value], outer: Scope) -> None:
        self._variables = variables
        self._outer = outer

    def resolve(self, names: tuple[str, ...]) -> tuple[Value, int]:
        """Return the loop's variable, or what the outer scope says."""
        return (self._variables[names[0]], 1) if names[0] in self._variables else self._outer.resolve(names)


def evaluate(node: Node, scope: Scope) -> Value:
    """Return the value of an expression.

    Raises:
        UnsupportedExpressionError: only Terraform can evaluate it.
    """
    if isinstance(node, Token):
        return str(node)
    evaluator = _EVALUATORS.get(str(node.data))
    if evaluator is None:
        raise UnsupportedExpressionError(str(node.data))
    return evaluator(node, scope)


def evaluate_text(node: Node, scope: Scope) -> str:
    """Return the text that an expression evaluates to; empty when it is no text, or cannot be evaluated."""
    try:
        value = evaluate(node, scope)
    except UnsupportedExpressionError:
        return ""
    return value if isinstance(value, str) else ""


def _term(node: Tree[Token], scope: Scope) -> Value:
    return evaluate(operands(node)[0], scope)


def _string(node: Tree[Token], scope: Scope) -> Value:
    parts = [_string_part(part, scope) for part in operands(node)]
    return "".join(parts)


def _string_part(part: Node, scope: Scope) -> str:
    [child] = part.children if isinstance(part, Tree) else [part]
    if isinstance(child, Token):
        return str(child).replace('\\"', '"').replace("$${", "${")
    return _as_text(evaluate(child, scope))


def _as_text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        raise UnsupportedExpressionError("a text was expected")
    return value


def _heredoc(node: Tree[Token], scope: Scope) -> Value:
    """Return a text of several lines, in which what only Terraform knows stays as it is written."""
    _, _, body = str(node.children[0]).partition("\n")
    text = textwrap.dedent(body.rstrip().rpartition("\n")[0])
    return REFERENCE.sub(lambda match: _resolve_text(match, scope), text)


def _resolve_text(match: re.Match[str], scope: Scope) -> str:
    names = tuple(match[1].split("."))
    try:
        value, count = scope.resolve(names)
        return _as_text(value) if count == len(names) else match[0]
    except UnsupportedExpressionError:
        return match[0]


def _interpolation(node: Tree[Token], scope: Scope) -> Value:
    return evaluate(operands(node)[0], scope)


def _literal(node: Tree[Token], scope: Scope) -> Value:  # noqa: ARG001 - the signature of every evaluator
    return {"true": True, "false": False, "null": None}[str(node.children[0])]


def _number(node: Tree[Token], scope: Scope) -> Value:  # noqa: ARG001
    return str(node.children[0])


def _tuple(node: Tree[Token], scope: Scope) -> Value:
    return tuple(evaluate(child, scope) for child in operands(node))


def _object(node: Tree[Token], scope: Scope) -> Value:
    return dict(_object_element(child, scope) for child in operands(node))


def _object_element(node: Node, scope: Scope) -> tuple[str, Value]:
    assert isinstance(node, Tree)
    key_node, value_node = operands(node)
    assert isinstance(key_node, Tree)
    try:
        value = evaluate(value_node, scope)
    except UnsupportedExpressionError:
        value = None  # the other elements can be of use
    return _object_key(key_node.children[0], scope), value


def _object_key(node: Node, scope: Scope) -> str:
    names = dotted_name(node)
    return names[0] if len(names) == 1 else _as_text(evaluate(node, scope))


def selected_by(node: Tree[Token], references: set[tuple[str, ...]]) -> tuple[Node | None, Node | None]:
    """Return the operand that a node compares with one of some references, and the table in which it looks one up."""
    parts = operands(node)
    if node.data == "binary_op" and len(parts) == 2 and isinstance(parts[1], Tree):
        _, right = operands(parts[1])
        if dotted_name(parts[0]) in references:
            return right, None
        if dotted_name(right) in references:
            return parts[0], None
    if (
        node.data == "index_expr_term"
        and isinstance(parts[1], Tree)
        and dotted_name(operands(parts[1])[0]) in references
    ):
        return None, parts[0]
    if node.data == "function_call" and len(parts) == 2 and isinstance(parts[1], Tree):
        arguments = operands(parts[1])
        if len(arguments) > 1 and dotted_name(arguments[1]) in references:
            return None, arguments[0]
    return None, None


def dotted_name(node: Node) -> tuple[str, ...]:
    """Return the parts of a reference such as `var.name`; none when the node is another expression."""
    if isinstance(node, Token):
        return ()
    parts = operands(node)
    match str(node.data):
        case "expr_term":
            return dotted_name(parts[0]) if len(parts) == 1 else ()
        case "identifier" | "keyword":
            return (str(node.children[0]),)
        case "get_attr_expr_term":
            base, attribute = dotted_name(parts[0]), _attribute_name(parts[1])
            return (*base, attribute) if base else ()
        case "index_expr_term" if str(_index_text(parts[1])).isdigit():
            return dotted_name(parts[0])  # `aws_ecr_repository.app[0]` is the only one that there is
        case _:
            return ()


def _attribute_name(node: Node) -> str:
    [name] = operands(node) if isinstance(node, Tree) else [node]
    return str(name.children[0]) if isinstance(name, Tree) else str(name)


def _index_text(node: Node) -> str:
    """Return the index in brackets if it is a number, else an empty text."""
    while isinstance(node, Tree) and len(inner := operands(node)) == 1:
        node = inner[0]
    return str(node) if isinstance(node, Token) and node.type == "INT_LITERAL" else ""


def _reference(node: Tree[Token], scope: Scope) -> Value:
    names = dotted_name(node)
    if names:
        value, count = scope.resolve(names)
        for name in names[count:]:
            value = _member(value, name)
        return value
    parts = operands(node)
    base = evaluate(parts[0], scope)
    if node.data == "get_attr_expr_term":
        return _member(base, _attribute_name(parts[1]))
    index = parts[1]
    assert isinstance(index, Tree)
    return _member(base, _as_text(evaluate(operands(index)[0], scope)))


def _member(value: Value, name: str) -> Value:
    if isinstance(value, dict) and name in value:
        return value[name]
    if isinstance(value, tuple) and name.isdigit() and int(name) < len(value):
        return value[int(name)]
    raise UnsupportedExpressionError(name)


def _conditional(node: Tree[Token], scope: Scope) -> Value:
    condition, if_true, if_false = operands(node)
    return evaluate(if_true if evaluate(condition, scope) in {True, "true"} else if_false, scope)


def _binary(node: Tree[Token], scope: Scope) -> Value:
    left_node, term = operands(node)
    assert isinstance(term, Tree)
    operator_node, right_node = operands(term)
    assert isinstance(operator_node, Tree)
    left, right = evaluate(left_node, scope), evaluate(right_node, scope)
    match str(operator_node.children[0]):
        case "==":
            return bool(left == right)
        case "!=":
            return bool(left != right)
        case "&&":
            return bool(left in {True, "true"} and right in {True, "true"})
        case "||":
            return bool(left in {True, "true"} or right in {True, "true"})
        case operator:
            raise UnsupportedExpressionError(operator)


def _unary(node: Tree[Token], scope: Scope) -> Value:
    operator, operand = operands(node)
    if str(operator) == "!":
        return evaluate(operand, scope) not in {True, "true"}
    raise UnsupportedExpressionError(str(operator))


def _loop(node: Tree[Token], scope: Scope) -> Iterator[tuple[LoopScope, list[Node]]]:
    """Yield the scope of each round of a `for` expression, with the nodes of its result."""
    intro, *results = operands(node)
    assert isinstance(intro, Tree)
    condition = next((each for each in results if isinstance(each, Tree) and each.data == "for_cond"), None)
    results = [each for each in results if each is not condition]
    *variables, collection_node = operands(intro)
    names = [dotted_name(each)[0] for each in variables]
    for key, value in _pairs(evaluate(collection_node, scope)):
        round_scope = LoopScope(dict(zip(names, (key, value) if len(names) > 1 else (value,), strict=True)), scope)
        if condition is None or evaluate(operands(condition)[0], round_scope) in {True, "true"}:
            yield round_scope, results


def _pairs(collection: Value) -> Iterator[tuple[str, Value]]:
    if isinstance(collection, dict):
        yield from collection.items()
    elif isinstance(collection, tuple):
        yield from ((str(position), value) for position, value in enumerate(collection))
    else:
        raise UnsupportedExpressionError("a collection was expected")


def _for_tuple(node: Tree[Token], scope: Scope) -> Value:
    return tuple(evaluate(result, round_scope) for round_scope, [result] in _loop(node, scope))


def _for_object(node: Tree[Token], scope: Scope) -> Value:
    return {
        _as_text(evaluate(key, round_scope)): evaluate(value, round_scope)
        for round_scope, [key, value] in _loop(node, scope)
    }


def _call(node: Tree[Token], scope: Scope) -> Value:
    name_node, *rest = operands(node)
    assert isinstance(name_node, Tree)
    name = str(name_node.children[0])
    nodes = operands(rest[0]) if rest and isinstance(rest[0], Tree) else []
    if name in {"try", "coalesce"}:
        return _first_usable(nodes, scope)
    function = _FUNCTIONS.get(name)
    if function is None:
        raise UnsupportedExpressionError(name)
    try:
        return function(*(evaluate(each, scope) for each in nodes))
    except (TypeError, ValueError, AttributeError, IndexError, KeyError) as error:
        raise UnsupportedExpressionError(name) from error


def _first_usable(nodes: list[Node], scope: Scope) -> Value:
    for node in nodes:
        try:
            value = evaluate(node, scope)
        except UnsupportedExpressionError:
            continue
        if value not in {None, ""}:
            return value
    raise UnsupportedExpressionError("coalesce")


def _lookup(table: dict[str, Value], key: str, *default: Value) -> Value:
    return table[key] if key in table or not default else default[0]


def _format(template: str, *values: str) -> str:
    return template.replace("%d", "%s") % values


def _set(values: Value) -> Value:
    return tuple(dict.fromkeys(values))


_FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "concat": lambda *lists: tuple(value for each in lists for value in each),
    "contains": lambda values, value: value in values,
    "element": lambda values, index: values[int(index) % len(values)],
    "format": _format,
    "join": lambda separator, values: separator.join(values),
    "jsonencode": json.dumps,
    "keys": lambda table: tuple(sorted(table)),
    "lookup": _lookup,
    "lower": str.lower,
    "merge": lambda *tables: {key: value for each in tables for key, value in (each or {}).items()},
    "replace": lambda text, old, new: text.replace(old, new),
    "split": lambda separator, text: tuple(text.split(separator)),
    "substr": lambda text, start, length: text[int(start) :][: int(length)],
    "title": str.title,
    "tolist": tuple,
    "tomap": dict,
    "toset": _set,
    "tostring": _as_text,
    "trimprefix": str.removeprefix,
    "trimspace": str.strip,
    "trimsuffix": str.removesuffix,
    "upper": str.upper,
    "values": lambda table: tuple(table.values()),
}

_EVALUATORS: Mapping[str, Callable[[Tree[Token], Scope], Value]] = {
    "binary_op": _binary,
    "conditional": _conditional,
    "expr_term": _term,
    "float_lit": _number,
    "for_object_expr": _for_object,
    "for_tuple_expr": _for_tuple,
    "function_call": _call,
    "get_attr_expr_term": _reference,
    "heredoc_template": _heredoc,
    "heredoc_template_trim": _heredoc,
    "identifier": _reference,
    "index_expr_term": _reference,
    "int_lit": _number,
    "interpolation": _interpolation,
    "literal_value": _literal,
    "object": _object,
    "string": _string,
    "tuple": _tuple,
    "unary_op": _unary,
}
