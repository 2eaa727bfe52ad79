"""The ports of the machine that a command runs on, and of its way into the network."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen


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


class Host(Protocol):
    """The machine that a command runs on: its container engine, and the state of its processes."""

    def build_engine(self) -> Engine:
        """Return the engine that would build an image on this machine.

        Raises:
            Refused: the configured engine does not work, or for `auto` no engine does.
        """

    def process_identity(self) -> str:
        """Return an identity of this process that is unique across machines and reboots; empty where there is none."""

    def is_dead(self, process: str, *, env_marker: str) -> bool:
        """Return whether a process has certainly ended; False when this machine cannot tell.

        Args:
            process: what `process_identity` returned in the process.
            env_marker: a text in the environment of its child processes, which must have ended as well.
        """

    def is_running(self, process: str) -> bool:
        """Return whether another process certainly runs on this machine; False when it is stopped, or elsewhere.

        Args:
            process: what `process_identity` returned in the process.
        """


class Network(Protocol):
    """The proxies and certificate authorities that are in effect for every connection."""

    def route(self, url: str) -> str:
        """Return in words how the server of a URL is reached: `directly` or `through http://proxy:3128 (HTTPS_PROXY)`.

        Raises:
            ConfigurationError: the setting that names the proxy is invalid.
        """

    def addresses(self, host: str) -> frozenset[str]:
        """Return the IP addresses of a host, as this machine resolves its name; none if it cannot."""

    def authorities(self) -> str:
        """Return which file of certificate authorities is trusted, and what names it.

        Raises:
            ConfigurationError: the file cannot be read.
        """
