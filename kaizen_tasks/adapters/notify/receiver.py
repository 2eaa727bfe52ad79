"""Requests to the receiver of messages, and the translation of its answers, in one place.

A receiver may be anybody: it is given one request, a few seconds and a small part of a line, and nothing that it names.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from attrs import field, frozen

from kaizen_tasks.adapters.http.prober import HttpProber
from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.domain.health import ProbeRequest, ProbeResponse
from kaizen_tasks.domain.notification.receiver import address_problem, redact, url_problem
from kaizen_tasks.domain.text.printable import printable
from kaizen_tasks.errors import Undelivered

TIMEOUT_SECONDS = 8.0
"""Seconds for a request with all that belongs to it: names, connections, and an answer that does not end."""

MAX_RESPONSE_BYTES = 65_536
MAX_REASON_LENGTH = 200
MAX_RETRY_SECONDS = 86_400.0
"""The longest wait that a receiver may ask for: a day."""

TRANSIENT_STATUSES = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600)}
)


@frozen(kw_only=True)
class Receiver:
    """Where a target's messages are sent.

    Attributes:
        target: the target's name.
        url: the address.
        setting: what holds the address, in words: `the secret kaizen/slack`.
        secrets: what no message may repeat.
        private_host: the name that may lead into a private network; empty for none.
        network: proxies, and trusted certificates.
    """

    target: str
    url: str = field(repr=False)
    setting: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    private_host: str = ""
    network: NetworkSettings

    @property
    def host(self) -> str:
        """The host and port, which are not secret."""
        return urlsplit(self.url).netloc

    def require_valid(self) -> None:
        """Check the address, and that it does not name an address where no receiver may be.

        Raises:
            Undelivered: it may not be used.
        """
        if problem := url_problem(self.url):
            raise self.error(f"{self.setting} {problem}", hint=f"correct {self.setting}", is_permanent=True)
        host = urlsplit(self.url).hostname or ""
        with suppress(ValueError):  # a name
            self.require_address(str(ipaddress.ip_address(host)))

    def require_reachable(self) -> None:
        """Check the address, and to what its name leads; nothing is sent.

        Raises:
            Undelivered: it may not be used.
        """
        self.require_valid()
        if self.network.proxy(self.url):
            return
        host = urlsplit(self.url).hostname or ""
        addresses = self.network.addresses(host)
        if not addresses:
            hint = f"check whether this machine can resolve names, and {self.setting}"
            raise self.error(f"{host} has no address", hint=hint)
        for address in addresses:
            self.require_address(address)

    def require_address(self, address: str) -> None:
        """Check an IP address of the receiver.

        Raises:
            Undelivered: it may not be used.
        """
        host = urlsplit(self.url).hostname or ""
        if problem := address_problem(address, host=host, private_host=self.private_host):
            where = host if host == address else f"{host} ({address})"
            hint = f"correct {self.setting}: no message may be sent there"
            if not address_problem(address, host=host, private_host=host):
                hint = f'if that is meant, write private_host = "{host}" in [[notify]]; else correct {self.setting}'
            raise self.error(f"{where} {problem}", hint=hint, is_permanent=True)

    def post(self, body: bytes, headers: Mapping[str, str]) -> ProbeResponse:
        """Send a POST request and return the response, which may have been cut."""
        self.require_valid()
        request = ProbeRequest(method="POST", headers=headers, body=body)
        prober = HttpProber(self.network, require_address=self.require_address)
        return prober.probe(self.url, timeout=TIMEOUT_SECONDS, max_bytes=MAX_RESPONSE_BYTES, request=request)

    def require_accepted(self, response: ProbeResponse, *, now: datetime) -> None:
        """Check that a receiver has accepted a message; whatever follows the status does not matter then.

        Raises:
            Undelivered: it has not.
        """
        status = response.received_status
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return
        if not status:
            hint = self.clean(response.network_remedy)
            raise self.error(f"{self.host} {self.clean(response.error)}", hint=hint)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise self._redirect(response)
        reason = self.reason(response.body)
        message = f"{self.host} answers HTTP {status}{': ' if reason else ''}{reason}"
        is_transient = status in TRANSIENT_STATUSES
        raise self.error(
            message,
            hint="" if is_transient else f"correct what it names, or {self.setting}",
            retry_after=retry_seconds(response.headers, now),
            is_permanent=not is_transient,
        )

    def reason(self, body: bytes) -> str:
        """Return the beginning of a body as one line without secrets; an HTML page is left out."""
        text = " ".join(body.decode(errors="replace").split())
        return "" if text.startswith("<") else self.clean(text)[:MAX_REASON_LENGTH]

    def clean(self, text: str) -> str:
        """Return a text from outside, without secrets and without what a terminal obeys."""
        return printable(redact(text, self.url, *self.secrets))

    def error(
        self, message: str, *, hint: str = "", retry_after: float = 0.0, is_permanent: bool = False
    ) -> Undelivered:
        """Return the error for a message that was not delivered."""
        return Undelivered(f"{self.target}: {message}", hint=hint, retry_after=retry_after, is_permanent=is_permanent)

    def _redirect(self, response: ProbeResponse) -> Undelivered:
        """Return the error for a redirect, which names the other host alone: its path may be a secret of somebody."""
        try:
            target = urlsplit(urljoin(self.url, response.headers.get("location", ""))).netloc.rpartition("@")[2]
        except ValueError:
            target = "nowhere"
        place = "itself" if target == self.host else self.clean(target)[:MAX_REASON_LENGTH]
        message = f"{self.host} redirects to {place} (HTTP {response.received_status})"
        hint = f"write the final address into {self.setting}: messages follow no redirect"
        return self.error(message, hint=hint, is_permanent=True)


def retry_seconds(headers: Mapping[str, str], now: datetime) -> float:
    """Return for how many seconds a receiver asks not to be asked again; 0 if it does not say, a day at most.

    https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    """
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value) if value[:1].isdigit() else (_parse_date(value) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_SECONDS) if math.isfinite(seconds) else 0.0


def _parse_date(text: str) -> datetime:
    date = parsedate_to_datetime(text)
    return date if date.tzinfo else date.replace(tzinfo=UTC)
