"""Tells builds that fail for want of something outside of the repository from those that a change of it corrects."""

from __future__ import annotations

import re
from collections.abc import Iterable

UNAVAILABLE_HINT = "this machine cannot get what the build needs: check the network, and who may pull the base image"
"""The hint of such a failure, by which a rehearsal recognises it."""

_UNAVAILABLE = re.compile(
    "|".join(
        (
            # the base image
            r"pull access denied|failed to resolve source metadata|failed to (authorize|copy)|error pulling image",
            r"toomanyrequests|manifest( for .*)? (unknown|not found)|no match for platform|unauthorized: ",
            r"initializing source docker://|unable to copy from source|short-name .* did not resolve",
            # names and connections: Go, glibc, musl, curl, apt, apk, npm, pip, bundler
            r"no such host|server misbehaving|i/o timeout|TLS handshake timeout|proxyconnect tcp|dial tcp",
            r"(temporary failure in name|temporary failure) resol|name or service not known|bad address '",
            r"could not resolve (host|proxy)|DNS lookup error|temporary error \(try again later\)|unable to resolve",
            r"network is unreachable|no route to host|connection (refused|timed out|reset)|could not connect to",
            r"\b(EAI_AGAIN|ENOTFOUND|ENETUNREACH|ETIMEDOUT|ECONNREFUSED|ECONNRESET|EHOSTUNREACH)\b",
            r"failed to establish a new connection|could not reach host|Net::OpenTimeout|SocketError",
            # what stands between: a proxy with a certificate of its own, another architecture
            r"certificate signed by unknown authority|certificate verify failed|self.signed certificate",
            r"exec format error",
        )
    ),
    re.IGNORECASE,
)


def is_unavailable(lines: Iterable[str]) -> bool:
    """Return whether the output of a failed build shows that this machine could not get what the build needs."""
    return any(_UNAVAILABLE.search(line) for line in lines)
