"""What ports hand over that is no part of the domain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen


@frozen
class Secret:
    """A value that prints redacted; only the adapter that needs it opens it."""

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
        version: its identifier, which is no secret.
        created_at: when it was written, in UTC.
        content: what it holds.
    """

    version: str
    created_at: datetime
    content: Secret


@frozen(kw_only=True)
class Login:
    """How to talk to a registry over the OCI distribution API.

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
        """Host and port, as image references begin."""
        return self.url.partition("://")[2]

    @property
    def insecure(self) -> bool:
        """Whether the registry speaks HTTP without TLS."""
        return self.url.startswith("http://")


@frozen(kw_only=True)
class HeadState:
    """Where the checkout stands.

    Attributes:
        commit: full hash.
        branch: short name, or empty when HEAD is detached.
    """

    commit: str
    branch: str


@frozen(kw_only=True)
class RemoteRefs:
    """What the remote answers when it is asked now.

    Attributes:
        branch_commit: commit of the branch there, or empty.
        tags: commit of every tag there, peeled, by name.
    """

    branch_commit: str
    tags: Mapping[str, str]


@frozen(kw_only=True)
class Engine:
    """What builds images on this machine.

    Attributes:
        name: `docker`, `podman`, `buildah` or `bundle`.
        warning: what it lacks, in words; empty when nothing.
        fix: what to do about that.
    """

    name: str
    warning: str = ""
    fix: str = ""
