"""Common parts of ECS's operations: errors, pagination, tags and times."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, TypeVar

from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from kaizen_tasks.localcloud.server.http_message import JsonObject


class _Identified(Protocol):
    @property
    def arn(self) -> str:
        """Return what identifies an item in its list."""


_Item = TypeVar("_Item", bound=_Identified)


def invalid_parameter(message: str) -> ServiceError:
    """Return the error for a value that ECS does not accept."""
    return ServiceError("InvalidParameterException", message)


def client_error(message: str) -> ServiceError:
    """Return the error for a request that is not possible, such as one for a resource that does not exist."""
    return ServiceError("ClientException", message)


def resource_not_found(message: str = "The specified resource could not be found.") -> ServiceError:
    """Return the error for an unknown ARN."""
    return ServiceError("ResourceNotFoundException", message)


def cluster_not_found(message: str = "Cluster not found.") -> ServiceError:
    """Return the error for an unknown or deleted cluster."""
    return ServiceError("ClusterNotFoundException", message)


def service_not_found() -> ServiceError:
    """Return the error for an unknown service."""
    return ServiceError("ServiceNotFoundException", "Service not found.")


def service_not_active() -> ServiceError:
    """Return the error for a service that is being deleted, or deleted."""
    return ServiceError("ServiceNotActiveException", "Service was not ACTIVE.")


def deployment_not_found() -> ServiceError:
    """Return the error for an unknown service deployment."""
    return ServiceError("ServiceDeploymentNotFoundException", "Service deployment not found.")


def conflict(message: str) -> ServiceError:
    """Return the error for a request that the state of a resource does not allow."""
    return ServiceError("ConflictException", message)


def unsupported(noun: str) -> ServiceError:
    """Return the error for what ECS offers, and the local cloud does not."""
    return ServiceError("UnsupportedFeatureException", f"{noun} are not offered by the local cloud.")


def missing(arn: str) -> JsonObject:
    """Return the entry for an unknown resource among the `failures` of an operation that describes several."""
    return {"arn": arn, "reason": "MISSING"}


def check_count(member: str, values: Collection[str], most: int) -> None:
    """Refuse a request that names more resources than an operation takes."""
    if len(values) > most:
        raise invalid_parameter(f"{member} can have at most {most} items.")


def paginate(
    items: Sequence[_Item], request: JsonObject, *, page_size: int, largest_page: int = 100
) -> tuple[Sequence[_Item], JsonObject]:
    """Return the requested page; its token is the ARN of the last item on the previous page.

    Args:
        items: all items.
        request: may have `maxResults` and `nextToken`.
        page_size: items of a page if the request does not say.
        largest_page: the greatest `maxResults` of the operation.

    Raises:
        ServiceError: the token or the size of the page is not valid.
    """
    size = request.get("maxResults", page_size)
    if not 1 <= size <= largest_page:
        raise invalid_parameter(f"maxResults must be between 1 and {largest_page}.")
    start = 0
    if "nextToken" in request:
        arns = [item.arn for item in items]
        if request["nextToken"] not in arns:
            raise invalid_parameter("Invalid token.")
        start = arns.index(request["nextToken"]) + 1
    page = items[start : start + size]
    has_more = start + len(page) < len(items)
    return page, {"nextToken": page[-1].arn} if has_more else {}


def tags_by_key(tags: Sequence[dict[str, str]]) -> dict[str, str]:
    """Return the values of tags by key.

    Raises:
        ServiceError: a tag has no key, or the prefix that is reserved for AWS.
    """
    if not all("key" in tag for tag in tags):
        raise invalid_parameter("Tag keys can not be empty.")
    if any(tag["key"].lower().startswith("aws:") for tag in tags):
        raise invalid_parameter("Some tags contain invalid keys: aws: is reserved.")
    return {tag["key"]: tag.get("value", "") for tag in tags}


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Return tags as operations answer them."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def now() -> float:
    """Return the current time in seconds since the epoch, as precisely as ECS answers times."""
    return round(time.time(), 3)
