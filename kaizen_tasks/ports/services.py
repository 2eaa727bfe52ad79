"""What runs the app, and how the app itself is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.domain.health import Answer, Question
    from kaizen_tasks.domain.service import Operation, Service


class Platform(Protocol):
    """What runs the services."""

    def service(self, name: str) -> Service:
        """Return a service as it is now.

        Raises:
            NotFound: there is no such service.
        """
        ...

    def addresses(self) -> Mapping[str, str]:
        """Return the own address of every service, with a scheme, by its name, with as few questions as can be."""
        ...

    def start(self, service: Service) -> str:
        """Start a deployment of the image that the service follows; return the operation's identifier.

        Returns an empty string when the service is busy with another operation and nothing was started.

        Raises:
            Refused: the service is in a state from which it cannot deploy.
        """
        ...

    def operations(self, service: Service) -> tuple[Operation, ...]:
        """Return the newest operations, newest first."""
        ...


class Prober(Protocol):
    """Asks the running app over a new connection each time."""

    def ask(self, url: str, *, timeout: float, limit: int, question: Question | None = None) -> Answer:
        """Ask an address, with a plain GET unless told otherwise; follow no redirect.

        At most `limit` bytes are read, within `timeout` seconds. Every failure is an answer with a `fault`; nothing is
        raised.
        """
        ...
