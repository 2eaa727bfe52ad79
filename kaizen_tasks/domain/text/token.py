"""Recognises what is probably a password, a token or a key, so that it does not stay in a file that many can read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

TOKEN_HOSTS = (
    *(".hooks.slack.com", ".discord.com", ".discordapp.com", ".webhook.office.com", ".logic.azure.com", ".make.com"),
    *(".chat.googleapis.com", ".api.telegram.org", ".hooks.zapier.com", ".maker.ifttt.com", ".pipedream.net"),
)
"""Ends of hosts whose addresses for messages are secrets: who knows one can write to the channel."""

TOKEN_PARAMETER = re.compile(r"tok|key|sig|secret|auth|pass|pwd|code|credential")
TOKEN_LIKE = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-|xox[a-z]-|whsec_|(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{16,}|[0-9]{16,}"
)
"""What a password or a token looks like, and a name does not: UUIDs, prefixes of tokens, long mixtures."""


def is_token_like(text: str) -> bool:
    """Return whether a text is rather a token, or an address, than a name."""
    return "://" in text or TOKEN_LIKE.search(text) is not None


def has_token(address: str) -> bool:
    """Return whether a web address seems to have a password, a token or a key in it."""
    parts = urlsplit(address)
    parameters = (name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    is_known = f".{parts.hostname}".endswith(TOKEN_HOSTS) and len(parts.path) > 1
    looks_random = TOKEN_LIKE.search(f"{parts.path}?{parts.query}#{parts.fragment}") is not None
    return is_known or looks_random or "@" in parts.netloc or any(map(TOKEN_PARAMETER.search, parameters))


def without_tokens(message: str, values: object) -> str:
    """Return a message in which no text of tables and lists is repeated that is probably a secret.

    Args:
        message: a message, which may quote one of the values.
        values: tables and lists of values.
    """
    for text in _texts(values):
        if repr(text) in message and _is_secret(text):
            message = message.replace(repr(text), "its text")
    return message


def _texts(values: object) -> Iterator[str]:
    if isinstance(values, str):
        yield values
    elif isinstance(values, dict | list):
        for value in values.values() if isinstance(values, dict) else values:
            yield from _texts(value)


def _is_secret(text: str) -> bool:
    """Return whether a text is probably a secret; an address is only one if it has a token in it."""
    try:
        return has_token(text) if "://" in text else is_token_like(text)
    except ValueError:  # an address that is none
        return True
