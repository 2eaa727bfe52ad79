"""Recognises what is probably a password, a token or a key, so that it does not stay in a file that many can read."""

from __future__ import annotations

import re
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
