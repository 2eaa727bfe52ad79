"""Update expressions have the effects that moto gives them, although each is parsed once and its tree walked faster."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import pytest
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]

from kaizen_tasks.localcloud.moto.update_expressions import patch_update_expressions
from tests.localcloud.moto.test_transactions import backend, key

pytestmark = pytest.mark.unit

NAMES = {"#value": "value", "#list": "list", "#count": "counter"}
VALUES = {":one": {"N": "1"}, ":text": {"S": "x"}, ":more": {"L": [{"S": "a"}, {"S": "b"}, {"S": "c"}]}}
EXPRESSIONS = (
    "SET #value = :text",
    "SET #list = list_append(if_not_exists(#list, :more), :more)",
    "SET extra = if_not_exists(extra, :one) + :one, #value = :text REMOVE #list[2], #list[0]",
    "ADD #count :one SET #value = if_not_exists(#value, :text)",
    "ADD #count :one",
    "SET #value = :none",
    "SET #value =",
    "SET missing.part = :one",
    "ADD #value :one",
    "SET pk = :text",
    "SET #value = :text, #value = :one",
    "REMOVE #value, #list[1]",
    "SET #value = :text SET #count = :one",
    "REMOVE #value ADD #count :one REMOVE #list",
    "SET a.b = :text, extra = :one, a.b.c = :one, a.b = :one",
    "SET #count = :one REMOVE #count, extra, extra",
)


def outcomes() -> list[Any]:
    """Return the item or the error after each expression, on items that exist and on one that does not."""
    database = backend(size=2)
    return [update(database, name, text) for name in ("0", "1", "new", "0") for text in EXPRESSIONS]


def update(database: Any, name: str, expression: str) -> Any:
    try:
        return database.update_item("app", key(name), expression, NAMES, VALUES).to_json()["Attributes"]
    except MockValidationException as error:
        return type(error), str(error)


def test_outcomes_are_those_of_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    patch_update_expressions()
    with monkeypatch.context() as unpatched:
        unpatched.setattr(validators, "deepcopy", copy.deepcopy)
        traverse = inspect.unwrap(DepthFirstTraverser.traverse_node_recursively)
        unpatched.setattr(DepthFirstTraverser, "traverse_node_recursively", traverse)
        unpatched.delattr(validators.ActionCountValidator, "traverse")
        expected = outcomes()
    assert outcomes() == expected
    assert sum(isinstance(outcome, tuple) for outcome in expected) == 40


def test_an_expression_is_parsed_once() -> None:
    patch_update_expressions()
    tree = UpdateExpressionParser.make("SET parsed = :once")
    assert UpdateExpressionParser.make("SET parsed = :once") is tree
