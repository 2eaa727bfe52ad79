"""A network with settings of its own."""

from __future__ import annotations

from attrs import define, field

from kaizen_tasks.errors import KaizenError


@define(kw_only=True)
class FakeNetwork:
    """A network without proxies, until a test adds one.

    Attributes:
        proxies: proxy of a URL.
        bundle: the file of authorities.
        failure: raised instead, when the settings are invalid.
        names: IP addresses by host.
    """

    proxies: dict[str, str] = field(factory=dict)
    bundle: str = "/etc/ssl/certs/ca-certificates.crt (of the system)"
    failure: KaizenError | None = None
    names: dict[str, frozenset[str]] = field(factory=dict)

    def addresses(self, host: str) -> frozenset[str]:
        return self.names.get(host, frozenset())

    def route(self, url: str) -> str:
        if self.failure:
            raise self.failure
        return f"through {self.proxies[url]}" if url in self.proxies else "directly"

    def authorities(self) -> str:
        if self.failure:
            raise self.failure
        return self.bundle
