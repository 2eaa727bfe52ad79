"""Headers of responses that a cache has sent."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.cached_response import cache_header


@pytest.mark.parametrize(
    "header",
    [
        "Age: 37",
        "Age: 007",
        "X-Cache: HIT",
        "X-Cache: Hit from cloudfront",
        "X-Cache: RefreshHit from cloudfront",
        "X-Cache: TCP_MEM_HIT from a23-1-2-3.deploy.akamaitechnologies.com (AkamaiGHost/11)",
        "X-Cache: MISS, HIT",
        "X-Cache: HIT-CLUSTER",
        "X-Cache-Hits: 0, 3",
        "X-Cache-Status: STALE",
        "X-Proxy-Cache: UPDATING",
        "X-Nginx-Cache: REVALIDATED",
        "Cf-Cache-Status: HIT",
        "Cf-Cache-Status: STALE",
        "Cdn-Cache: HIT",
        "X-Litespeed-Cache: hit,private",
        "X-Vercel-Cache: PRERENDER",
        "X-Nextjs-Cache: STALE",
        "X-Drupal-Cache: HIT",
        "X-From-Cache: 1",
        "X-Served-From-Cache: Yes",
        "Akamai-Cache-Status: Miss from child, Hit from parent",
        "X-Varnish: 32770 3",
        "X-Varnish: 5, 32770 3",
        "Cache-Status: ExampleCache; hit; ttl=376",
        'Cache-Status: OriginCache; hit=?1, "CDN, Company; Here"; fwd=uri-miss',
        'Warning: 110 cache "Response is Stale"',
        "Via: http/1.1 edge (ApacheTrafficServer/9.2 [uScHs f p eN:t cCHi p s ])",
        'Server-Timing: cdn-cache-hit,cdn-pop;desc="FRA56"',
        "Server-Timing: edge; dur=1, cdn-cache; desc=HIT",
    ],
)
def test_answer_of_a_cache_is_recognised_by_its_header(header: str) -> None:
    name, _, value = header.partition(": ")

    assert cache_header({"content-type": "application/json", name.lower(): value}) == header


@pytest.mark.parametrize(
    "header",
    [
        "Age: 0",
        "Age: soon",
        "X-Cache: Miss from cloudfront",
        "X-Cache: TCP_MISS from hit.example.com",
        "X-Cache: Error from cloudfront",
        "X-Cache: CONFIG_NOCACHE",
        "X-Cache-Lookup: HIT from proxy:3128",
        "X-Cache-Hits: 0",
        "X-Ratelimit-Hits: 3",
        "X-Cache-Key: /hit",
        "X-Served-By: cache-fra-whit-1",
        "X-Cacheable: YES",
        "Cf-Cache-Status: DYNAMIC",
        "Cf-Cache-Status: MISS",
        "Cf-Cache-Status: EXPIRED",
        "Cf-Cache-Status: BYPASS",
        "Cache-Control: public, stale-while-revalidate=60",
        "Cdn-Cache-Control: max-age=60",
        "X-Rack-Cache: stale, invalid, store",
        "X-Varnish: 32770",
        "X-Varnish: 32770, 4",
        "Cache-Status: ExampleCache; fwd=uri-miss; stored",
        'Cache-Status: "a; hit"; fwd=miss',
        "Cache-Status: ExampleCache; hit=?0",
        'Warning: 299 - "Deprecated"',
        "Via: 1.1 varnish, 1.1 abc.cloudfront.net (CloudFront)",
        "Via: http/1.1 edge (ApacheTrafficServer/9.2 [uScMsSf pSeN:t cCMi p sS])",
        "Server-Timing: cdn-cache-miss",
        "Server-Timing: cache; desc=read; dur=2",
    ],
)
def test_answer_of_the_app_passes(header: str) -> None:
    name, _, value = header.partition(": ")

    assert cache_header({name.lower(): value}) == ""
