"""Common parts of ECR's operations: repositories by name, pagination and errors."""

from __future__ import annotations

import base64
import binascii
import bisect
import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from kaizen_tasks.localcloud.registry import registry_errors
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kaizen_tasks.localcloud.registry.repositories import ImageRepository
    from kaizen_tasks.localcloud.registry.store import ImageStore
    from kaizen_tasks.localcloud.server.auth import Tokens
    from kaizen_tasks.localcloud.server.http_message import JsonObject

T = TypeVar("T")

_PAGE_SIZE = 100
_ERROR_CODES: dict[type[Exception], str] = {
    registry_errors.UnknownRepositoryError: "RepositoryNotFoundException",
    registry_errors.RepositoryExistsError: "RepositoryAlreadyExistsException",
    registry_errors.UnknownImageError: "ImageNotFoundException",
    registry_errors.InvalidTagError: "InvalidParameterException",
    registry_errors.ImageExistsError: "ImageAlreadyExistsException",
    registry_errors.TagProtectedError: "ImageTagAlreadyExistsException",
    registry_errors.MissingLayersError: "LayersNotFoundException",
    registry_errors.MissingChildrenError: "ReferencedImagesNotFoundException",
    registry_errors.ManifestError: "InvalidParameterException",
    registry_errors.UnknownUploadError: "UploadNotFoundException",
    registry_errors.DigestMismatchError: "InvalidLayerException",
}
_REGISTRY_SCOPED_ERRORS = (
    registry_errors.UnknownRepositoryError,
    registry_errors.RepositoryExistsError,
    registry_errors.ImageExistsError,
)


class EcrBase:
    """Base of the groups of ECR's operations."""

    store: ImageStore
    tokens: Tokens
    account: str
    registry: str

    def requested_repository(self, request: JsonObject) -> ImageRepository:
        """Return the repository of a request."""
        self.check_account(request)
        return self.get_repository(request["repositoryName"])

    def get_repository(self, name: str) -> ImageRepository:
        """Return a repository by name."""
        with ecr_errors(self.account):
            return self.store.repository(name)

    def identify(self, repository: ImageRepository) -> JsonObject:
        """Return the members that identify a repository in responses."""
        return {"registryId": self.account, "repositoryName": repository.name}

    def check_account(self, request: JsonObject) -> None:
        """Refuse a request for another registry."""
        registry_id = request.get("registryId", self.account)
        if registry_id != self.account:
            name = request.get("repositoryName", "")
            message = f"The repository with name '{name}' does not exist in the registry with id '{registry_id}'"
            raise ServiceError("RepositoryNotFoundException", message)


@contextmanager
def ecr_errors(account: str) -> Iterator[None]:
    """Translate the registry's errors into ECR's.

    Args:
        account: the account number.
    """
    try:
        yield
    except tuple(_ERROR_CODES) as error:
        code = next(code for error_type, code in _ERROR_CODES.items() if isinstance(error, error_type))
        suffix = f" in the registry with id '{account}'" if isinstance(error, _REGISTRY_SCOPED_ERRORS) else ""
        raise ServiceError(code, f"{error}{suffix}") from error


def validation_error(member: str, constraint: str) -> ServiceError:
    """Return ECR's error for an invalid value."""
    message = f"Invalid parameter at '{member}' failed to satisfy constraint: '{constraint}'"
    return ServiceError("InvalidParameterException", message)


def paginate(
    items: Sequence[T],
    request: JsonObject,
    *,
    key: Callable[[T], str],
    is_included: Callable[[T], bool] = lambda _item: True,
) -> tuple[list[T], str | None]:
    """Return one page of items that are sorted by a key, and the token of the next page.

    The token contains the key of the page's last item, so that added or removed items do not shift the pages. Only the
    items of the page are looked at, so that the time for all pages grows with their number alone.
    """
    last_key = _decode_token(request.get("nextToken"))
    start = 0 if last_key is None else bisect.bisect_right(items, last_key, key=key)
    page_size = request.get("maxResults", _PAGE_SIZE)
    included_items = filter(is_included, itertools.islice(items, start, None))
    page_items = list(itertools.islice(included_items, page_size))
    if next(included_items, None) is None:
        return page_items, None
    return page_items, base64.urlsafe_b64encode(key(page_items[-1]).encode()).decode()


def _decode_token(token: str | None) -> str | None:
    if token is None:
        return None
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise validation_error("nextToken", "Invalid pagination token") from error
