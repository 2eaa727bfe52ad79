"""Holds in DynamoDB, on the local cloud."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.aws.dynamodb.holds import DynamoHolds
from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger
from kaizen_tasks.errors import NotFound
from tests.contracts.holds import HoldsContract, hold
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.adapters.aws.session import Aws


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def absent(aws: Aws, clock: FakeClock) -> DynamoHolds:
    """Holds without a table."""
    return DynamoHolds(aws, app=f"coach-{secrets.token_hex(4)}", clock=clock)


@pytest.fixture
def holds(absent: DynamoHolds, aws: Aws, clock: FakeClock) -> DynamoHolds:
    DynamoLedger(aws, app=absent.table_name.removeprefix("kaizen-"), clock=clock).create()
    return absent


class TestDynamo(HoldsContract):
    def test_has_one_item_an_environment(self, holds: DynamoHolds, aws: Aws) -> None:
        holds.add(hold("mark"))

        (item,) = aws.dynamodb().scan(TableName=holds.table_name)["Items"]

        assert (item["pk"], item["sk"]) == ({"S": "hold#mark"}, {"S": "hold"})
        assert item["until"] == {"S": "2026-11-27T12:00:00.123456+00:00"}


@pytest.mark.parametrize(
    "use",
    [
        lambda holds: holds.add(hold()),
        lambda holds: holds.get("mark"),
        lambda holds: holds.get_many(["mark"]),
        lambda holds: holds.remove("mark"),
    ],
    ids=["add", "get", "get_many", "remove"],
)
def test_missing_table_hints_at_setup(absent: DynamoHolds, use: Callable[[DynamoHolds], object]) -> None:
    with pytest.raises(NotFound) as caught:
        use(absent)

    assert caught.value.hint == "create it: inv setup"
