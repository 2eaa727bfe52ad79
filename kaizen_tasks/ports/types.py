"""Values that ports return and that do not belong to the domain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from attrs import field, frozen

from kaizen_tasks.domain.git.remote_url import is_loopback


@frozen
class Secret:
    """A secret value, which prints as [redacted]; `reveal` returns the value."""

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
        version: the version's identifier, which is not secret.
        created_at: when the version was created, in UTC.
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
        username: user name for HTTP Basic authentication.
        password: password for HTTP Basic authentication.
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

    @property
    def is_local(self) -> bool:
        """Whether the registry is on this machine, as that of a local cloud."""
        return is_loopback(urlsplit(self.url).hostname or "")


@frozen(kw_only=True)
class StoredManifest:
    """A manifest or an index, byte for byte as a registry stores it.

    Attributes:
        content: the bytes, of which the digest is made.
        media_type: `application/vnd.oci.image.manifest.v1+json` and the like.
    """

    content: bytes = field(repr=False)
    media_type: str


@frozen(kw_only=True)
class FileLocation:
    """Where a file of the app's folder really is.

    Attributes:
        path: its path past symbolic links, relative to the folder or, outside of it, absolute.
        repository: the folder of another repository, such as a submodule, that has the file; empty for the app's own.
    """

    path: str
    repository: str = ""


@frozen(kw_only=True)
class HeadState:
    """The commit and branch that are checked out.

    Attributes:
        commit: full hash of the commit.
        branch: the branch's short name; empty when HEAD is detached.
    """

    commit: str
    branch: str


@frozen(kw_only=True)
class RemoteRefs:
    """A branch, the tags and the claimed release numbers of the remote.

    Attributes:
        branch_commit: commit of the branch; empty when the remote lacks it.
        tags: commits of all tags, peeled, by the tag's name.
        claims: commits of the releases that are under way, by the tag that each will get.
        abandoned: commits of the releases that were given up, by the tag that each would have got.
    """

    branch_commit: str
    tags: Mapping[str, str]
    claims: Mapping[str, str] = field(factory=dict)
    abandoned: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class BuildObstacle:
    """A reason for which an image cannot be built as it is configured.

    Attributes:
        message: the reason.
        fix: what to do about it.
    """

    message: str
    fix: str


@frozen(kw_only=True)
class Engine:
    """The program that builds images on this machine.

    Attributes:
        name: `docker`, `podman`, `buildah` or `bundle`.
        warning: the engine's weakness; empty when there is none.
        fix: how to overcome the weakness.
        ignored_keys: configured keys of `[build]` that it ignores: `cache_from`.
        obstacles: why it cannot build as it is configured.
    """

    name: str
    warning: str = ""
    fix: str = ""
    ignored_keys: tuple[str, ...] = ()
    obstacles: tuple[BuildObstacle, ...] = ()
