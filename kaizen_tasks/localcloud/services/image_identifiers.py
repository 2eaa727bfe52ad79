"""The names by which services refer to images: `host/repository:tag` or `host/repository@digest`."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

_LOCAL_HOST = re.compile(r"127\.0\.0\.1:\d+")


@attrs.frozen
class ImageIdentifier:
    """An image of a registry.

    Attributes:
        host: the registry; empty if the identifier has none.
        repository: the repository in it.
        reference: a tag or a digest; the tag `latest` if the identifier has neither.
    """

    host: str
    repository: str
    reference: str

    @classmethod
    def parse(cls, text: str) -> ImageIdentifier:
        """Split an identifier."""
        host, slash, path = text.partition("/")
        if not slash or not ({".", ":"} & {*host}):  # as docker tells a registry from the first part of a path
            host, path = "", text
        if "@" in path:
            name, _, digest = path.partition("@")
            return cls(host, name.partition(":")[0], digest)
        repository, _, tag = path.partition(":")
        return cls(host, repository, tag or "latest")


@attrs.frozen(kw_only=True)
class OwnRegistry:
    """Recognises the registry of an account in a region by the hosts in identifiers of images.

    Any port of this machine is taken for it that is not another registry's: after a restart while its port was in use
    it has another one, and services keep the identifiers that they were given.

    Args:
        account: the account number.
        region: the region.
        is_foreign: returns whether a host and port is a registry of another account or region.
    """

    account: str
    region: str
    is_foreign: Callable[[str], bool] = lambda _host: False

    @property
    def aws_host(self) -> str:
        """Return the host that it has on AWS."""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com"

    def has_host(self, host: str) -> bool:
        """Return whether a host, with its port, is this registry."""
        return host == self.aws_host or (_LOCAL_HOST.fullmatch(host) is not None and not self.is_foreign(host))
