"""What every prober must do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.domain.health import ProbeRequest, ProbeResponse
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from kaizen_tasks.ports.platform import Prober


class Site(Protocol):
    """A prober, and a URL for it."""

    prober: Prober
    url: str
    nowhere: str

    def answer(self, status: int, body: bytes) -> None:
        """Set the response of the URL, which has the header `X-Site: here`."""

    @property
    def heard(self) -> ProbeRequest:
        """The last request, with its headers that begin with `X-`."""


class ProberContract:
    """Subclasses provide the fixture `site`."""

    def test_response_has_status_and_body(self, site: Site) -> None:
        site.answer(503, b"not yet")

        assert ProbeResponse(status=503, body=b"not yet") == site.prober.probe(
            site.url, timeout=HANG_SECONDS, max_bytes=100
        )

    def test_every_probe_sends_a_request(self, site: Site) -> None:
        site.answer(200, b"old")
        site.prober.probe(site.url, timeout=HANG_SECONDS, max_bytes=100)
        site.answer(200, b"new")

        assert ProbeResponse(status=200, body=b"new") == site.prober.probe(
            site.url, timeout=HANG_SECONDS, max_bytes=100
        )

    def test_reads_no_more_than_it_was_told(self, site: Site) -> None:
        site.answer(200, b"12345")

        assert ProbeResponse(status=200, body=b"12345") == site.prober.probe(
            site.url, timeout=HANG_SECONDS, max_bytes=5
        )
        assert ProbeResponse(status=200, body=b"1234", error="answers more than 4 bytes") == site.prober.probe(
            site.url, timeout=HANG_SECONDS, max_bytes=4
        )

    def test_refused_connection_is_explained(self, site: Site) -> None:
        assert ProbeResponse(error="refuses the connection") == site.prober.probe(
            site.nowhere, timeout=HANG_SECONDS, max_bytes=100
        )

    def test_brings_headers_by_name_in_lower_case(self, site: Site) -> None:
        site.answer(200, b"")

        assert site.prober.probe(site.url, timeout=HANG_SECONDS, max_bytes=100).headers["x-site"] == "here"

    def test_asks_with_get_unless_told_otherwise(self, site: Site) -> None:
        site.answer(200, b"")
        site.prober.probe(site.url, timeout=HANG_SECONDS, max_bytes=100)

        assert ProbeRequest() == site.heard

    def test_request_has_method_headers_and_body(self, site: Site) -> None:
        wanted = ProbeRequest(method="POST", headers={"X-Trace": "7"}, body=b"a=b")
        site.answer(201, b"made")

        assert ProbeResponse(status=201, body=b"made") == site.prober.probe(
            site.url, timeout=HANG_SECONDS, max_bytes=100, request=wanted
        )
        assert wanted == site.heard
