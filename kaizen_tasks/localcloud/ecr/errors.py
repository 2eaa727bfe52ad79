"""What ECR's operations share: finding a repository, paging, and saying no in ECR's words."""

from __future__ import annotations

import base64
import binascii
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from kaizen_tasks.localcloud.registry.blobs import DigestMismatchError, UnknownUploadError
from kaizen_tasks.localcloud.registry.manifests import ManifestError
from kaizen_tasks.localcloud.registry.store import (
    ImageExistsError,
    InvalidTagError,
    MissingChildrenError,
    MissingLayersError,
    RepositoryExistsError,
    TagProtectedError,
    UnknownRepositoryError,
)
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kaizen_tasks.localcloud.registry.repositories import Repository
    from kaizen_tasks.localcloud.registry.store import ImageStore
    from kaizen_tasks.localcloud.server.auth import Tokens
    from kaizen_tasks.localcloud.server.http_message import Document

T = TypeVar("T")

_PAGE = 100
_CODES: dict[type[Exception], str] = {
    UnknownRepositoryError: "RepositoryNotFoundException",
    RepositoryExistsError: "RepositoryAlreadyExistsException",
    InvalidTagError: "InvalidParameterException",
    ImageExistsError: "ImageAlreadyExistsException",
    TagProtectedError: "ImageTagAlreadyExistsException",
    MissingLayersError: "LayersNotFoundException",
    MissingChildrenError: "ReferencedImagesNotFoundException",
    ManifestError: "InvalidParameterException",
    UnknownUploadError: "UploadNotFoundException",
    DigestMismatchError: "InvalidLayerException",
}
_NAMED_WITH_REGISTRY = (UnknownRepositoryError, RepositoryExistsError, ImageExistsError)


class EcrPart:
    """What every group of ECR operations works with."""

    store: ImageStore
    tokens: Tokens
    account: str
    registry: str

    def named(self, request: Document) -> Repository:
        """Return the repository that a request names."""
        self.check_account(request)
        return self.find(request["repositoryName"])

    def find(self, name: str) -> Repository:
        """Return a repository by name."""
        with as_ecr_refuses(self.account):
            return self.store.repository(name)

    def check_account(self, request: Document) -> None:
        """Refuse a registry that is not this one."""
        other = request.get("registryId", self.account)
        if other != self.account:
            name = request.get("repositoryName", "")
            message = f"The repository with name '{name}' does not exist in the registry with id '{other}'"
            raise ServiceError("RepositoryNotFoundException", message)


@contextmanager
def as_ecr_refuses(account: str) -> Iterator[None]:
    """Turn the store's refusals into ECR's.

    Args:
        account: whose registry it is.
    """
    try:
        yield
    except tuple(_CODES) as error:
        code = next(code for kind, code in _CODES.items() if isinstance(error, kind))
        where = f" in the registry with id '{account}'" if isinstance(error, _NAMED_WITH_REGISTRY) else ""
        raise ServiceError(code, f"{error}{where}") from error


def refusal(member: str, constraint: str) -> ServiceError:
    """Return ECR's answer to a value that it cannot use."""
    message = f"Invalid parameter at '{member}' failed to satisfy constraint: '{constraint}'"
    return ServiceError("InvalidParameterException", message)


def page(items: Sequence[T], request: Document, *, key: Callable[[T], str]) -> tuple[list[T], str | None]:
    """Return one page of items that are in the order of a key, and the token of the next.

    A token names the last item of its page, so that items that come or go disturb no other.
    """
    after = _position(request.get("nextToken"))
    rest = [item for item in items if after is None or key(item) > after]
    size = request.get("maxResults", _PAGE)
    chosen = rest[:size]
    if len(rest) <= size:
        return chosen, None
    return chosen, base64.urlsafe_b64encode(key(chosen[-1]).encode()).decode()


def _position(token: str | None) -> str | None:
    if token is None:
        return None
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise refusal("nextToken", "Invalid pagination token") from error
