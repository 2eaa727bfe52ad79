"""Writes HCL as `terraform fmt` would: two blanks for each level, equals signs below each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import field, frozen

INDENT = "  "


@frozen
class Raw:
    """An expression that is written as it is: a reference such as `aws_iam_role.execution.arn`."""

    text: str


@frozen
class Call:
    """A call of a function with one argument."""

    function: str
    argument: Value


if TYPE_CHECKING:
    from typing import TypeAlias

    Value: TypeAlias = "str | int | Raw | Call | Sequence[Value] | Mapping[str, Value]"
    """An expression; a mapping is an object, a sequence a list."""


@frozen(kw_only=True)
class HclBlock:
    """A block.

    Attributes:
        kind: `resource`, `lifecycle`.
        labels: the texts after it.
        attributes: values by name, in order.
        blocks: the blocks inside, after the attributes.
        comments: lines of a comment above it.
    """

    kind: str
    labels: tuple[str, ...] = ()
    attributes: Mapping[str, Value] = field(factory=dict)
    blocks: tuple[HclBlock, ...] = ()
    comments: tuple[str, ...] = ()


def render_hcl(blocks: Sequence[HclBlock]) -> str:
    """Return blocks as the text of a file."""
    return "\n".join("\n".join((*_block_lines(block), "")) for block in blocks)


def quote(text: str) -> str:
    """Return a text as a string of HCL, without templates in it."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def _block_lines(block: HclBlock) -> Iterator[str]:
    yield from (f"# {line}".rstrip() for line in block.comments)
    head = " ".join((block.kind, *map(quote, block.labels)))
    body = list(_attribute_lines(block.attributes, gap=("",)))
    for inner in block.blocks:
        body += ["", *_block_lines(inner)] if body else _block_lines(inner)
    yield f"{head} {{"
    yield from _indented(body)
    yield "}"


def _attribute_lines(attributes: Mapping[str, Value], *, gap: Sequence[str] = ()) -> Iterator[str]:
    """Yield attributes; the equals signs of those on neighbouring lines are below each other.

    Args:
        attributes: values by name.
        gap: lines before and after a value of several lines.
    """
    values = {name: _value_lines(value) for name, value in attributes.items()}
    group: list[str] = []
    is_first = True
    for name, lines in values.items():
        if len(lines) == 1:
            group.append(name)
            continue
        yield from _aligned(group, values)
        if not is_first or group:
            yield from gap
        group, is_first = [], False
        yield f"{name} = {lines[0]}"
        yield from lines[1:]
    if group and not is_first:
        yield from gap
    yield from _aligned(group, values)


def _aligned(names: Sequence[str], values: Mapping[str, Sequence[str]]) -> Iterator[str]:
    width = max(map(len, names), default=0)
    yield from (f"{name:<{width}} = {values[name][0]}" for name in names)


def _value_lines(value: Value) -> list[str]:
    """Return the lines of an expression."""
    match value:
        case Raw(text):
            return [text]
        case str():
            return [quote(value)]
        case int():
            return [json.dumps(value)]
        case Call(function, argument):
            first, *others = _value_lines(argument)
            return [f"{function}({first}", *others[:-1], f"{others[-1]})"] if others else [f"{function}({first})"]
        case Mapping():
            return ["{", *_indented(_attribute_lines(value)), "}"] if value else ["{}"]
        case _:
            return _list_lines(value)


def _list_lines(values: Sequence[Value]) -> list[str]:
    items = [_value_lines(item) for item in values]
    if all(len(lines) == 1 for lines in items):
        return [f"[{', '.join(lines[0] for lines in items)}]"]
    return ["[", *_indented(line for lines in items for line in (*lines[:-1], f"{lines[-1]},")), "]"]


def _indented(lines: Sequence[str] | Iterator[str]) -> list[str]:
    return [f"{INDENT}{line}" if line else "" for line in lines]
