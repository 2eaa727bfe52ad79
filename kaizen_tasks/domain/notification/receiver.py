"""Which receivers a message may go to: what their URL must look like, and at which addresses they may be.

No text of this module contains a URL: that of a webhook is a secret.
"""

from __future__ import annotations

import ipaddress
from typing import TypeAlias
from urllib.parse import SplitResult, quote, unquote, urlsplit

from kaizen_tasks.domain.git.remote_url import is_loopback

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA_SERVICES = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"))
)
"""Addresses at which clouds give credentials to whoever asks: AWS, Alibaba Cloud, Azure, Oracle Cloud."""

NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""The well-known prefix before an IPv4 address: https://www.rfc-editor.org/rfc/rfc6052#section-2.1."""

MIN_REDACTED_LENGTH = 6
"""Characters of the shortest part of a secret that is blackened; shorter ones are words such as `api`."""

REDACTED = "[redacted]"


def url_problem(url: str) -> str:
    """Return what is wrong with the URL of a receiver, without the URL, or an empty string.

    A URL without TLS is accepted for a receiver on this machine alone: it is a secret, and so is what is sent there.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises an error for one that is no number
    except ValueError:
        return "is not a URL"
    if not url.isascii() or not url.isprintable() or " " in url or not parts.hostname:
        return "is not a URL"
    if parts.scheme not in {"http", "https"}:
        return "is not a URL that begins with https://"
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return "begins with http://, which anybody on the way can read: it must begin with https://"
    if parts.username or parts.password:
        return "has a user name or a password, which webhooks do not know"
    return ""


def address_problem(address: str, *, host: str, private_host: str) -> str:
    """Return why a receiver must not be at an address, or an empty string.

    Args:
        address: the IP address to which its name leads.
        host: its name.
        private_host: the one name that may lead into a private network, or to this machine; empty for none.
    """
    ip = _embedded(ipaddress.ip_address(address.partition("%")[0]))
    if ip in METADATA_SERVICES:
        return "is the metadata service of a cloud"
    if not ip.is_loopback and (ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved):
        return "is not the address of a server"
    is_site_local = isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local
    if (not ip.is_global or is_site_local) and host.lower().rstrip(".") != private_host.lower().rstrip("."):
        return "is this machine" if ip.is_loopback else "is in a private network"
    return ""


def _embedded(ip: IpAddress) -> IpAddress:
    """Return the IPv4 address to which an IPv6 address leads, if it does."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


def redact(text: str, *secrets: str) -> str:
    """Return a text without secrets, and without the parts of those that are URLs, in which servers repeat them."""
    parts = {part for secret in secrets for part in _secret_parts(secret)}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, REDACTED)
    return text


def _secret_parts(secret: str) -> set[str]:
    parts = {secret, *secret.split()}
    if "://" in secret:
        parts |= _url_parts(urlsplit(secret))
    spellings = {spelling for part in parts for spelling in (part, unquote(part), quote(part, safe="/"))}
    return {spelling for spelling in spellings if len(spelling) >= MIN_REDACTED_LENGTH}


def _url_parts(parts: SplitResult) -> set[str]:
    """Return the parts of a URL that may be secret: all but the host."""
    values = (value for pair in parts.query.split("&") for value in pair.split("=", 1))
    path_and_query = f"{parts.path}?{parts.query}" if parts.query else parts.path
    credentials = parts.netloc.rpartition("@")[0]
    return {path_and_query, parts.path, *parts.path.split("/"), parts.query, *values, *credentials.split(":")}
