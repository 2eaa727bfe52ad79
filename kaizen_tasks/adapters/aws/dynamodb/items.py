"""Items of the app's table: the attributes of a value, and the value of an attribute."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]


def old_item(error: ClientError) -> Item:
    """Return the stored item that did not meet the condition of a write, which the type stubs omit."""
    return cast("Mapping[str, Item]", error.response)["Item"]


def sortable_timestamp(moment: datetime) -> str:
    """Return a time as text that sorts chronologically: in UTC, always with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def attributes(value: object, *names: str) -> dict[str, AttributeValueTypeDef]:
    """Return the named attributes, text or times, as DynamoDB attribute values; those that are None are left out."""
    members = ((name, getattr(value, name)) for name in names if getattr(value, name) is not None)
    return {name: {"S": sortable_timestamp(x) if isinstance(x, datetime) else x} for name, x in members}


def parse_text(item: Item, name: str) -> str:
    """Return the text in an item's attribute; empty when a later version leaves it out or writes something else."""
    return item.get(name, {}).get("S", "")


def parse_float(item: Item, name: str) -> float:
    """Return the number in an item's attribute; 0 when the item has none."""
    return float(item.get(name, {}).get("N", "0"))


def parse_time(item: Item, name: str) -> datetime | None:
    """Return the time in an item's attribute, or None when the item has none."""
    try:
        moment = datetime.fromisoformat(parse_text(item, name))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
