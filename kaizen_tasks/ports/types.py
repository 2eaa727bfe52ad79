"""Values that ports return and that do not belong to the domain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen


@frozen
class Secret:
    """A value that prints as [redacted]; `reveal` returns it."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __str__(self) -> str:
        return "[redacted]"


@frozen(kw_only=True)
class SecretVersion:
    """One version of a secret.

    Attributes:
        version: its identifier, which is not secret.
        created_at: in UTC.
        content: the document.
    """

    version: str
    created_at: datetime
    content: Secret


@frozen(kw_only=True)
class Login:
    """Address and credentials of a registry that speaks the OCI distribution API.

    Attributes:
        url: scheme, host and port: `https://123456789012.dkr.ecr.eu-west-1.amazonaws.com`.
        username: for HTTP Basic.
        password: for HTTP Basic.
    """

    url: str
    username: str
    password: Secret

    @property
    def host(self) -> str:
        """Host and port: the beginning of an image reference."""
        return self.url.partition("://")[2]

    @property
    def insecure(self) -> bool:
        """Whether the registry speaks HTTP without TLS."""
        return self.url.startswith("http://")


@frozen(kw_only=True)
class HeadState:
    """What is checked out.

    Attributes:
        commit: full hash.
        branch: short name, or empty when HEAD is detached.
    """

    commit: str
    branch: str


@frozen(kw_only=True)
class RemoteRefs:
    """The refs of the remote.

    Attributes:
        branch_commit: commit of the branch, or empty.
        tags: commit of every tag, peeled, by name.
    """

    branch_commit: str
    tags: Mapping[str, str]


@frozen(kw_only=True)
class Engine:
    """What builds images on this machine.

    Attributes:
        name: `docker`, `podman`, `buildah` or `bundle`.
        warning: what it cannot do; empty when there is nothing.
        fix: what to do about that.
    """

    name: str
    warning: str = ""
    fix: str = ""
