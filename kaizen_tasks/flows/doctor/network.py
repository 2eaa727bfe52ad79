"""Checks of the network: the proxies and certificate authorities in effect, and whether AWS and the registry answer."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kaizen_tasks.domain.doctor import Finding, Subject
from kaizen_tasks.domain.health import ProbeRequest
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.doctor.check import Check
from kaizen_tasks.flows.parallel import map_parallel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaizen_tasks.ports.tools import Tools

REACH_TIMEOUT_SECONDS = 5.0
MAX_BODY_BYTES = 64 * 1024
MAX_CONCURRENT_PROBES = 16
FIX = "HTTPS_PROXY, NO_PROXY and AWS_CA_BUNDLE decide how a host is reached and whose certificate is trusted"


def checks(tools: Tools) -> Iterator[Check]:
    """Return the checks of the network."""
    yield Check(subject=Subject("proxy"), probe=partial(_check_proxy, tools))
    yield Check(subject=Subject("certificates"), probe=partial(_check_authorities, tools))
    yield Check(subject=Subject("network"), probe=partial(_check_reachability, tools))


def _check_proxy(tools: Tools, subject: Subject) -> Iterator[Finding]:
    app_urls = {environment.url for environment in tools.settings.environments.values() if environment.url}
    hosts_by_route: dict[str, list[str]] = {}
    for url in (*_server_urls(tools), *sorted(app_urls)):
        hosts_by_route.setdefault(tools.network.route(url), []).append(urlsplit(url).netloc)
    if len(hosts_by_route) <= 1:
        yield subject.ok(f"all hosts are reached {next(iter(hosts_by_route), 'directly')}")
        return
    for route, hosts in sorted(hosts_by_route.items(), reverse=True):
        yield subject.ok(f"{route}: {', '.join(hosts)}")


def _check_authorities(tools: Tools, subject: Subject) -> Iterator[Finding]:
    yield subject.ok(f"trusted are the authorities in {tools.network.authorities()}")


def _check_reachability(tools: Tools, subject: Subject) -> Iterator[Finding]:
    """Send a request to each server: any response will do, since none is signed."""
    urls = _server_urls(tools)
    probe = partial(
        tools.prober.probe, timeout=REACH_TIMEOUT_SECONDS, max_bytes=MAX_BODY_BYTES, request=ProbeRequest(method="HEAD")
    )
    if not urls:
        yield subject.skipped("the endpoints of AWS are not known without a valid profile")
        return
    hosts_by_error: dict[str, list[str]] = {}
    for url, response in zip(urls, map_parallel(probe, urls, max_workers=MAX_CONCURRENT_PROBES), strict=True):
        if not response.status:
            host = urlsplit(url).netloc
            hosts_by_error.setdefault(response.error.removesuffix(f": {urlsplit(url).hostname}"), []).append(host)
    for error, hosts in hosts_by_error.items():
        count = f" ({len(hosts)} of {len(urls)} hosts: {', '.join(hosts)})" if len(hosts) > 1 else ""
        yield subject.problem(f"{hosts[0]} {error}{count}", FIX)
    if not hosts_by_error:
        yield subject.ok(f"{len(urls)} hosts of AWS answer" if len(urls) > 1 else f"{urlsplit(urls[0]).netloc} answers")


def _server_urls(tools: Tools) -> Sequence[str]:
    """Return the URLs of the AWS services and, if the credentials work, of the registry; each server once."""
    urls: list[str] = []
    with suppress(KaizenError):  # reported by the check of the credentials
        urls += tools.account.endpoint_urls()
        regions = {each.target.region: each for each in tools.settings.environments.values()}
        regions.pop(tools.settings.aws.region, None)
        for environment in regions.values():
            urls += tools.at(environment).account.endpoint_urls()
        targets = {each.target: tools.at(each) for each in tools.settings.environments.values()}
        urls += [target.registry.credentials().url for target in targets.values()]
    return tuple({urlsplit(url).netloc: url for url in urls}.values())
