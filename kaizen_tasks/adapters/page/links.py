"""Which addresses of others the page links."""

from __future__ import annotations

from urllib.parse import urlsplit


def web_url(url: str) -> str:
    """Return an address that may be linked: of the web, and nothing that hides where it leads; else an empty text."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    is_plain = url.isascii() and url.isprintable() and not any(character in url for character in " \\")
    return url if is_plain and parts.scheme in {"http", "https"} and parts.hostname and not parts.username else ""
