"""What DynamoDB refuses in the expressions of a request, and moto trips over or accepts.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.moto.moto_errors import MotoError

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_EXPRESSIONS = (
    "ConditionExpression",
    "UpdateExpression",
    "KeyConditionExpression",
    "FilterExpression",
    "ProjectionExpression",
)
_PLACEHOLDER = re.compile(r"[#:]\w*", re.ASCII)
_KEY = re.compile(r"[#:]\w+", re.ASCII)
_NAMES, _VALUES = "ExpressionAttributeNames", "ExpressionAttributeValues"
_UNDEFINED = {
    "#": "An expression attribute name used in the document path is not defined; attribute name",
    ":": "An expression attribute value used in expression is not defined; attribute value",
}


def check_expressions(content: bytes) -> None:
    """Refuse empty expressions, and placeholders that are undefined, unused or malformed.

    Args:
        content: the body of a request to DynamoDB; if it is malformed, moto refuses it.

    Raises:
        MotoError: DynamoDB answers ValidationException.
    """
    for request in _requests(content):
        _check_request(request)


def _requests(content: bytes) -> Iterator[JsonObject]:
    """Yield the request and the operations of its transaction, which have expressions of their own."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return
    if not isinstance(document, dict):
        return
    yield document
    items = document.get("TransactItems")
    for item in items if isinstance(items, list) else ():
        for operation in item.values() if isinstance(item, dict) else ():
            if isinstance(operation, dict):
                yield operation


def _check_request(request: JsonObject) -> None:
    expressions = {name: request[name] for name in _EXPRESSIONS if isinstance(request.get(name), str)}
    definitions = {kind: request[kind] for kind in (_NAMES, _VALUES) if isinstance(request.get(kind), dict)}
    defined = {key for placeholders in definitions.values() for key in placeholders}
    used: set[str] = set()
    for name, expression in expressions.items():
        if not expression.strip():
            raise _validation(f"Invalid {name}: The expression can not be empty;")
        placeholders = _PLACEHOLDER.findall(expression)
        for placeholder in placeholders:
            if placeholder not in defined:
                raise _validation(f"Invalid {name}: {_UNDEFINED[placeholder[0]]}: {placeholder}")
        used.update(placeholders)
    for kind, placeholders in definitions.items():
        _check_definitions(kind, placeholders, used, has_expressions=bool(expressions))


def _check_definitions(kind: str, placeholders: JsonObject, used: set[str], *, has_expressions: bool) -> None:
    if not has_expressions:
        raise _validation(f"{kind} can only be specified when using expressions")
    if not placeholders:
        raise _validation(f"{kind} must not be empty")
    sigil = "#" if kind == _NAMES else ":"
    for key in placeholders:
        if not _KEY.fullmatch(key) or key[0] != sigil:
            raise _validation(f'{kind} contains invalid key: Syntax error; key: "{key}"')
    if unused := sorted(placeholders.keys() - used):
        raise _validation(f"Value provided in {kind} unused in expressions: keys: {{{', '.join(unused)}}}")


def _validation(message: str) -> MotoError:
    return MotoError("ValidationException", message)
