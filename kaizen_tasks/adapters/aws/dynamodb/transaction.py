"""Transactions: several items are written, all or none, on conditions."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from kaizen_tasks.errors import Unreachable

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from kaizen_tasks.adapters.aws.dynamodb.items import Item

TOTAL_ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.05

TRANSIENT_REASONS = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"}
)
"""Why a transaction is cancelled that may succeed a moment later: another one writes an item, or the table is busy."""

TRANSIENT_ERRORS = frozenset({"TransactionInProgressException"})
"""Errors of a request whose earlier attempt is still at work."""


def write_transaction(
    dynamodb: DynamoDBClient, operations: Sequence[TransactWriteItemTypeDef]
) -> tuple[Item | None, ...]:
    """Carry out all operations, or none; return an empty tuple, or what has stood in the way.

    The attempts of one request have one token, which botocore makes, so one whose answer was lost is not carried out
    twice: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html. An attempt after
    a cancelled transaction is a new request; ten minutes later, or in an emulator without tokens, a transaction that
    was carried out is refused by its own conditions, so what it has written must be recognisable as its own.

    Args:
        dynamodb: the client.
        operations: each on a condition that fails once it was carried out, and with `ALL_OLD`.

    Returns:
        for each operation the item in place that did not meet its condition, empty for a missing item, or None for an
        operation that was not in the way.

    Raises:
        Unreachable: other transactions have written the same items all the time, or the table is too busy.
        ClientError: any other error.
    """
    pause = FIRST_PAUSE_SECONDS
    for _ in range(TOTAL_ATTEMPTS):
        try:
            dynamodb.transact_write_items(TransactItems=operations)
        except dynamodb.exceptions.TransactionCanceledException as error:
            reasons = _reasons(error)
            if any(reason["Code"] == "ConditionalCheckFailed" for reason in reasons):
                return tuple(_obstacle(reason) for reason in reasons)
            if not any(reason["Code"] in TRANSIENT_REASONS for reason in reasons):
                raise
        except dynamodb.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in TRANSIENT_ERRORS:
                raise
        else:
            return ()
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - only so that two runs do not wait alike
        pause *= 2
    raise Unreachable("the table is too busy to be written", hint="run the same command again")


def _reasons(error: ClientError) -> list[dict[str, Any]]:
    """Return why each operation of a cancelled transaction was not carried out, which the type stubs omit."""
    return cast("list[dict[str, Any]]", error.response.get("CancellationReasons", []))


def _obstacle(reason: dict[str, Any]) -> Item | None:
    return reason.get("Item", {}) if reason["Code"] == "ConditionalCheckFailed" else None
