"""Sends messages to their targets, with addresses and keys from the secret store."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.adapters.notify.apprise_services import AppriseService
from kaizen_tasks.adapters.notify.receiver import Receiver
from kaizen_tasks.adapters.notify.slack import API_URL, SlackBot, send_to_webhook
from kaizen_tasks.adapters.notify.webhook import send_json
from kaizen_tasks.domain.git.remote_url import is_loopback
from kaizen_tasks.domain.notification.message import Message
from kaizen_tasks.domain.notification.signature import KEY_EXAMPLE, signing_keys
from kaizen_tasks.domain.notification.target import NotifyTarget
from kaizen_tasks.errors import KaizenError, NotFound, Refused, Undelivered, Unreachable
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.messenger import Messenger
from kaizen_tasks.ports.secrets import Secret, Secrets

MAX_REFERENCE_LENGTH = 1_000
STDIN = "file:///dev/stdin"
"""Keeps a secret from the history of a shell and from the list of processes."""


class TargetMessenger(Messenger):
    """Sends messages to all kinds of targets. Safe to use from several threads.

    Args:
        secrets: returns the secrets of the home account; called when the first one is needed.
        network: returns proxies, and trusted certificates.
        clock: the time, which signatures have.
        is_local: whether AWS is a local cloud, whose secrets may name receivers on this machine.
    """

    def __init__(
        self,
        secrets: Callable[[], Secrets],
        *,
        network: Callable[[], NetworkSettings],
        clock: Clock,
        is_local: bool = False,
    ) -> None:
        self._secrets = secrets
        self._network = network
        self._clock = clock
        self._is_local = is_local
        self._contents: dict[str, str] = {}
        self._lock = threading.Lock()

    def send(self, message: Message, target: NotifyTarget, *, reference: str = "") -> str:
        """Send a message with its idempotency key."""
        now = self._clock.now()
        if target.format == "apprise":
            self._service(target).send(message)
        elif target.token_secret:
            return self._bot(target).send(message, reference=reference)[:MAX_REFERENCE_LENGTH]
        elif target.format == "slack":
            send_to_webhook(message, self._receiver(target), now=now)
        else:
            send_json(message, self._receiver(target), keys=self._keys(target), now=now)
        return ""

    def is_on_this_machine(self, target: NotifyTarget) -> bool:
        """Return whether a target's address is of this machine; one that cannot be read is not."""
        try:
            address = target.webhook or (self._read(target, target.webhook_secret) if target.webhook_secret else "")
            return is_loopback(urlsplit(address).hostname or "")
        except (Undelivered, ValueError):
            return False

    def require_usable(self, target: NotifyTarget) -> None:
        """Check what a message needs: secrets, their form, and where the receiver is; nothing is sent."""
        if receiver := self._checked_receiver(target):
            receiver.require_reachable()

    def require_valid(self, target: NotifyTarget) -> None:
        """Check secrets and their form, as far as that needs no network but to the secrets.

        Raises:
            Undelivered: a secret is missing, or is not what it should be.
        """
        if receiver := self._checked_receiver(target):
            receiver.require_valid()

    def _checked_receiver(self, target: NotifyTarget) -> Receiver | None:
        """Return the receiver of a target whose secrets are there; None for a service of Apprise, which is checked."""
        if target.format == "apprise":
            self._service(target).require_valid()
            return None
        if target.token_secret:
            return self._bot(target).receiver
        self._keys(target)
        return self._receiver(target)

    def _service(self, target: NotifyTarget) -> AppriseService:
        url = self._read(target, target.webhook_secret)
        return AppriseService(
            target=target.name, url=Secret(url), setting=_secret(target.webhook_secret), network=self._network()
        )

    def _bot(self, target: NotifyTarget) -> SlackBot:
        token = self._read(target, target.token_secret)
        setting = _secret(target.token_secret)
        if not token.startswith("xox") or not token.isascii() or not token.isprintable() or " " in token:
            hint = f"write the token of the bot, which begins with xoxb-, into {setting}"
            raise Undelivered(f"{target.name}: {setting} is not a token of Slack", hint=hint, is_permanent=True)
        receiver = self._at(target, target.webhook or API_URL, setting, secrets=(token,))
        return SlackBot(receiver=receiver, token=Secret(token), channel=target.channel, now=self._clock.now())

    def _receiver(self, target: NotifyTarget) -> Receiver:
        if target.webhook:
            return self._at(target, target.webhook, "webhook of [[notify]]")
        return self._at(target, self._read(target, target.webhook_secret), _secret(target.webhook_secret))

    def _at(self, target: NotifyTarget, url: str, setting: str, *, secrets: tuple[str, ...] = ()) -> Receiver:
        return Receiver(
            target=target.name,
            url=url,
            setting=setting,
            secrets=secrets,
            private_host=target.private_host or self._own_host(target, url),
            network=self._network(),
        )

    def _own_host(self, target: NotifyTarget, url: str) -> str:
        """Return the host of a receiver on this machine if it is meant: the file names it, or the cloud is local."""
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            return ""
        return host if is_loopback(host) and (target.webhook or self._is_local) else ""

    def _keys(self, target: NotifyTarget) -> tuple[bytes, ...]:
        if not target.signing_secret:
            return ()
        setting = _secret(target.signing_secret)
        try:
            return signing_keys(self._read(target, target.signing_secret))
        except ValueError as error:
            message = f"{target.name}: {setting} {error}"
            raise Undelivered(message, hint=f"write into it {KEY_EXAMPLE}", is_permanent=True) from None

    def _read(self, target: NotifyTarget, name: str) -> str:
        """Return the content of a secret, which is read once.

        Raises:
            Undelivered: it cannot be read.
        """
        with self._lock:
            if name not in self._contents:
                try:
                    self._contents[name] = _only_value(self._secrets().current(name).content.reveal()).strip()
                except KaizenError as error:
                    raise _unreadable(target, name, error) from error
            return self._contents[name]


def _secret(name: str) -> str:
    return f"the secret {name}"


def _only_value(content: str) -> str:
    """Return the value of a JSON object with one member, which the AWS console makes of a secret; else the content."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return content
    values = [*document.values()] if isinstance(document, dict) else []
    return values[0] if len(values) == 1 and isinstance(values[0], str) else content


def _unreadable(target: NotifyTarget, name: str, error: KaizenError) -> Undelivered:
    message, hint = error.message, error.hint
    if isinstance(error, NotFound):
        message = f"there is no secret {name} in the account and region of [aws]"
        hint = f"create it, and type its text: aws secretsmanager create-secret --name {name} --secret-string {STDIN}"
    elif type(error) is Refused:  # it holds bytes
        hint = "store it as text"
    is_permanent = isinstance(error, Refused) and not isinstance(error, Unreachable)
    return Undelivered(f"{target.name}: {message}", hint=hint, is_permanent=is_permanent)
