"""Services that Apprise knows: https://appriseit.com/services/. It is installed with the extra `notify`."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.adapters.notify.receiver import MAX_REASON_LENGTH
from kaizen_tasks.domain.notification.message import Message
from kaizen_tasks.domain.notification.receiver import redact
from kaizen_tasks.domain.notification.topic import Topic
from kaizen_tasks.domain.text.printable import printable
from kaizen_tasks.errors import Undelivered
from kaizen_tasks.ports.secrets import Secret

if TYPE_CHECKING:
    from apprise import Apprise, NotifyBase

TIMEOUT_SECONDS = 15.0
"""Seconds for one message; services may need several requests."""

INSTALL_HINT = 'pip install "kaizen-tasks[notify]", wherever these tasks run'
LOCAL_SCHEMES = frozenset({"dbus", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"})
"""Services that show a message on this machine, where nobody may be."""


@frozen(kw_only=True)
class AppriseService:
    """One service, by its URL in the form of Apprise.

    Attributes:
        target: the target's name.
        url: the URL, which usually has passwords in it.
        setting: what holds the URL, in words.
        network: trusted certificates; Apprise reads the variables of proxies itself.
    """

    target: str
    url: Secret
    setting: str
    network: NetworkSettings = field(repr=False)

    def require_valid(self) -> None:
        """Check that Apprise is installed and knows the service; nothing is sent.

        Raises:
            Undelivered: it is not, or does not.
        """
        self._load()

    def send(self, message: Message) -> None:
        """Send a message as title and plain text.

        Apprise runs in a thread that nobody waits for at the end: a service that sends one byte a second never exceeds
        its timeouts.

        Raises:
            Undelivered: the service has not accepted it within some seconds.
        """
        sender, outcomes = self._load(), list[Any]()
        worker = threading.Thread(
            target=lambda: outcomes.append(_notify(sender, message)), name=f"notify {self.target}", daemon=True
        )
        worker.start()
        worker.join(TIMEOUT_SECONDS)
        if not outcomes:
            raise self._error(f"does not accept the message within {TIMEOUT_SECONDS:g}s")
        problem = outcomes[0]
        if problem is not None:
            raise self._error(self._clean(problem) or "does not accept the message")

    def _load(self) -> Apprise:
        try:
            from apprise import Apprise, AppriseAsset
        except ModuleNotFoundError as error:
            message = "needs Apprise, which is not installed"
            raise self._error(message, hint=INSTALL_HINT, is_permanent=True) from error
        logger = logging.getLogger("apprise")
        logger.propagate = False  # it repeats what the result has, and more than that when debugging
        asset = AppriseAsset(
            service_timeout=0,  # with one, Apprise starts threads that keep the process alive
            async_mode=False,
            http_redirects=False,
            storage_mode="memory",
            pgp_autogen=False,
            pem_autogen=False,
        )
        service: Any = self._instantiate(Apprise, asset)
        service.redirects = False  # also against the URL, which may ask for them
        bundle = self.network.ca_bundle
        if bundle.is_configured and service.verify_certificate is True:
            service.verify_certificate = bundle.path  # what `requests` takes in place of yes or no
        return Apprise(service, asset=asset)

    def _instantiate(self, apprise: type[Apprise], asset: Any) -> NotifyBase:
        url = self.url.reveal()
        scheme = url.partition("://")[0].lower()
        service = apprise.instantiate(url, asset=asset) if "://" in url else None
        if service is None or scheme in LOCAL_SCHEMES:
            problem = "is not an address that Apprise knows"
            if scheme in LOCAL_SCHEMES:  # Apprise knows it only where the service is
                problem = "names a service of the machine on which a command happens to run"
            hint = f"correct {self.setting}; https://appriseit.com/services/ has the addresses"
            raise self._error(f"{self.setting} {problem}", hint=hint, is_permanent=True)
        return service

    def _clean(self, text: str) -> str:
        return printable(redact(text, self.url.reveal()))[:MAX_REASON_LENGTH]

    def _error(self, message: str, *, hint: str = "", is_permanent: bool = False) -> Undelivered:
        return Undelivered(f"{self.target}: {message}", hint=hint, is_permanent=is_permanent)


def _notify(sender: Apprise, message: Message) -> str | None:
    """Send a message; return what Apprise says about a failure, or None."""
    try:
        result = sender.notify(
            title=message.subject, body=message.body or message.subject, body_format="text", notify_type=_kind(message)
        )
    except Exception as error:  # noqa: BLE001 - services are code of many authors
        return type(error).__name__
    return None if result else " ".join(entry.message for entry in result.logs()) or str(result.status.name).lower()


def _kind(message: Message) -> str:
    """Return how Apprise marks a message: by a colour or a picture."""
    if message.topic.is_failure:
        return "failure"
    if message.topic is Topic.ROLLED_BACK:
        return "warning"
    return "success" if message.topic.brings_release else "info"
