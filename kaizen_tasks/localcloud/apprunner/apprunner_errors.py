"""Common parts of App Runner's operations: errors, pagination, times and tags."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.localcloud.server.http_message import JsonObject

_PAGE_SIZE = 20  # maximum of ListServices and ListOperations


class _Identified(Protocol):
    @property
    def id(self) -> str:
        """Return what identifies an item in its list."""


_Item = TypeVar("_Item", bound=_Identified)


def invalid_request(message: str) -> ServiceError:
    """Return App Runner's error for a request that it does not accept."""
    return ServiceError("InvalidRequestException", message)


def not_found(noun: str, arn: str) -> ServiceError:
    """Return App Runner's error for an unknown ARN."""
    return ServiceError("ResourceNotFoundException", f"{noun} with the provided ARN does not exist: {arn}.")


def paginate(items: Sequence[_Item], request: JsonObject) -> tuple[Sequence[_Item], JsonObject]:
    """Return the requested page; its token is the id of the last item on the previous page.

    Raises:
        ServiceError: no item has that id.
    """
    start = 0
    if "NextToken" in request:
        ids = [item.id for item in items]
        if request["NextToken"] not in ids:
            raise invalid_request("The NextToken is not valid.")
        start = ids.index(request["NextToken"]) + 1
    page = items[start : start + request.get("MaxResults", _PAGE_SIZE)]
    has_more = start + len(page) < len(items)
    return page, {"NextToken": page[-1].id} if has_more else {}


def tags_by_key(tags: Sequence[dict[str, str]]) -> dict[str, str]:
    """Return the values of tags by key.

    Raises:
        ServiceError: a tag has no key.
    """
    if not all("Key" in tag for tag in tags):
        raise invalid_request("A tag needs a Key.")
    return {tag["Key"]: tag.get("Value", "") for tag in tags}


def to_datetime(seconds: float | None) -> datetime | None:
    """Convert seconds since the epoch; None stays None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
