"""What everything that stands in the app's DynamoDB table has in common: its name, its door, how it writes times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws import translated

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from types_boto3_dynamodb.client import DynamoDBClient

    from kaizen_tasks.adapters.aws import Aws


class AppTable:
    """One table for one app, `kaizen-<app>`; the prefix of `pk` says what an item is.

    Args:
        aws: whose table.
        app: the app's name.
    """

    def __init__(self, aws: Aws, *, app: str) -> None:
        self._aws = aws
        self.table = f"kaizen-{app}"

    @property
    def _dynamodb(self) -> DynamoDBClient:
        return self._aws.dynamodb()

    def _about(self, doing: str) -> AbstractContextManager[None]:
        return translated(doing, missing="create it: inv setup")


def sortable(at: datetime) -> str:
    """Write a time so that text sorts as time does: in UTC, always with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
