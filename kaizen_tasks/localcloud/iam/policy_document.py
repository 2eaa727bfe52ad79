"""Policies of resources: trust policies of roles, and policies of ECR's repositories.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html. A statement with an
element or a condition that is not known here permits nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import attrs

from kaizen_tasks.localcloud.signing.sessions import Principal

if TYPE_CHECKING:
    from collections.abc import Iterator


_ACCOUNT_PRINCIPAL = re.compile(r"(?:arn:aws:iam::)?(?P<account>\d{12})(?::root)?", re.ASCII)
_ROLE_PRINCIPAL = re.compile(r"(?P<prefix>arn:aws:iam::\d{12}:role/)(?:.*/)?(?P<name>[^/]+)", re.ASCII)
_KNOWN_ELEMENTS = frozenset({"Sid", "Effect", "Principal", "Action", "Resource", "Condition"})
_IF_EXISTS = "IfExists"


@attrs.frozen(kw_only=True)
class PolicyRequest:
    """What somebody wants to do.

    Args:
        action: the action, such as `sts:AssumeRole`.
        principal: who it is; None for somebody without credentials of AWS, or of whom only the account is known.
        account: the account, if only that is known: then whoever belongs to it is taken to be meant.
        federated: the ARN of the identity provider that vouches for somebody, or an empty string.
        context: values of condition keys.
    """

    action: str
    principal: Principal | None = None
    account: str = ""
    federated: str = ""
    context: Mapping[str, str] = attrs.field(factory=dict)


def is_permitted(policy: str, request: PolicyRequest) -> bool:
    """Return whether a policy permits a request: a statement allows it, and none denies it.

    Args:
        policy: the policy's text; a text that is no policy permits nothing.
        request: the request.
    """
    effects = {statement.get("Effect") for statement in _statements(policy) if _applies(statement, request)}
    return effects == {"Allow"}


def _statements(policy: str) -> Iterator[dict[str, Any]]:
    try:
        document = json.loads(policy)
    except (ValueError, RecursionError):
        return
    for statement in _items(document.get("Statement")) if isinstance(document, dict) else ():
        if isinstance(statement, dict):
            yield statement


def _applies(statement: Mapping[str, Any], request: PolicyRequest) -> bool:
    return (
        statement.keys() <= _KNOWN_ELEMENTS
        and any(fnmatchcase(request.action.lower(), str(action).lower()) for action in _items(statement.get("Action")))
        and _names_principal(statement.get("Principal"), request)
        and _meets(statement.get("Condition"), request.context)
    )


def _names_principal(element: object, request: PolicyRequest) -> bool:
    if element == "*":
        return True
    if not isinstance(element, dict):
        return False
    if request.federated and request.federated in _items(element.get("Federated")):
        return True
    names = [str(name) for name in _items(element.get("AWS"))]
    if request.principal is None:
        return any(name == "*" or request.account in name.split(":") for name in names)
    return any(_is_principal(name, request.principal) for name in names)


def _is_principal(name: str, principal: Principal) -> bool:
    if account := _ACCOUNT_PRINCIPAL.fullmatch(name):
        return account["account"] == principal.account
    if role := _ROLE_PRINCIPAL.fullmatch(name):
        return f"{role['prefix']}{role['name']}" == principal.role_arn
    return name in ("*", principal.arn)


def _meets(condition: object, context: Mapping[str, str]) -> bool:
    if condition is None:
        return True
    if not isinstance(condition, dict):
        return False
    values = {key.lower(): value for key, value in context.items()}
    return all(
        isinstance(keys, dict)
        and all(_compare(operator, values.get(key.lower()), _items(expected)) for key, expected in keys.items())
        for operator, keys in condition.items()
    )


def _compare(operator: str, value: str | None, expected: list[Any]) -> bool:
    """Return whether the value of a condition key is one that an operator accepts."""
    texts = [str(item).lower() if isinstance(item, bool) else str(item) for item in expected]
    if operator == "Null":
        return texts == [str(value is None).lower()]
    if value is None:
        return operator.endswith(_IF_EXISTS) or "Not" in operator
    comparison = _COMPARISONS.get(operator.removesuffix(_IF_EXISTS).replace("Not", ""))
    if comparison is None:
        return False
    return any(comparison(value, text) for text in texts) != ("Not" in operator)


def _items(value: object) -> list[Any]:
    """Return the members of an element that may be one value or a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, expected: value == expected,
    "StringEqualsIgnoreCase": lambda value, expected: value.lower() == expected.lower(),
    "StringLike": fnmatchcase,
    "ArnEquals": fnmatchcase,
    "ArnLike": fnmatchcase,
    "Bool": lambda value, expected: value.lower() == expected.lower(),
}
