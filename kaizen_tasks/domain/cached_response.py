"""Recognises an HTTP response that a cache has sent in place of the app, by its headers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

PROOFS = {
    "age": re.compile(r"0*[1-9]"),  # 0 is also sent by caches that have just asked the app
    "via": re.compile(r".*\[[^\]]*c[hr]"),  # codes of Traffic Server: https://docs.trafficserver.apache.org/tools/via
    "server-timing": re.compile(r".*(cdn-cache-(hit|refresh)|cdn-cache;\s*desc=\"?\w*hit)"),
    "warning": re.compile(r"11[0-3]\b"),  # only caches add these: https://www.rfc-editor.org/rfc/rfc7234#section-5.5
    "x-hits": re.compile(r".*[1-9]"),
    "x-varnish": re.compile(r"(.*,)?\s*[0-9]+ +[0-9]+"),  # on a hit, also the request that filled the cache
}
"""Headers that are from a cache if their value, in lower case, begins like this."""

HIT_COUNT = re.compile(r".*(cache|varnish)-hits")
CACHE_STATUSES = ("stale", "updating", "revalidated", "prerender")
"""What caches call an answer that they have sent themselves, besides a hit: nginx, Cloudflare, Vercel, Next.js."""

HIT = re.compile(r"(?:.*[^a-z])?(?:refresh|originshield)?hit(?:[^a-z].*)?")
"""`HIT`, `TCP_MEM_HIT`, `RefreshHit`, `hit,private`; a host name after `from` is cut off before."""

NO_STATUS = re.compile(r"cache-control|cache-key|cache-tags?|x-cache-lookup|cacheable|rack-cache")
"""Headers about caches that do not say who has answered; Squid's lookup is a hit also when the app has answered."""


def cache_header(headers: Mapping[str, str]) -> str:
    """Return the header by which a response proves to be from a cache, as `Age: 37`; empty when there is none.

    Args:
        headers: the response's headers, by name in lower case.
    """
    return next((f"{name.title()}: {value}" for name, value in headers.items() if _is_from_cache(name, value)), "")


def _is_from_cache(name: str, value: str) -> bool:
    value = value.strip().lower()
    if name == "cache-status":
        return any("hit" in parameters for parameters in _cache_status_parameters(value))
    proof = PROOFS["x-hits"] if HIT_COUNT.fullmatch(name) else PROOFS.get(name)
    if proof is not None:
        return proof.match(value) is not None
    return "cache" in name and not NO_STATUS.search(name) and _is_cache_status(name, value)


def _is_cache_status(name: str, value: str) -> bool:
    """Return whether a header such as `X-Cache` or `CF-Cache-Status` says that a cache has answered."""
    if name.endswith(("from-cache", "cached")) and value in {"1", "true", "yes"}:
        return True
    statuses = [status.partition(" from ")[0].strip() for status in value.split(",")]
    return any(status in CACHE_STATUSES or HIT.fullmatch(status) for status in statuses)


def _cache_status_parameters(value: str) -> Iterator[set[str]]:
    """Yield the names of the true parameters of each cache in `Cache-Status`: https://www.rfc-editor.org/rfc/rfc9211."""
    for member in re.sub(r'"(\\.|[^"\\])*"', "", value).split(","):
        parameters = (parameter.strip() for parameter in member.split(";")[1:])
        yield {parameter.removesuffix("=?1") for parameter in parameters}
