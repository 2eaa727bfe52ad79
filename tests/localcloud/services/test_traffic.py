from __future__ import annotations

from collections import Counter

import pytest

from kaizen_tasks.localcloud.services.traffic import ResponseCount, ResponseObserver, WeightedTargets


def test_targets_get_exactly_their_share() -> None:
    targets = WeightedTargets({8001: 95.0, 8002: 5.0})

    assert Counter(targets.next() for _ in range(200)) == {8001: 190, 8002: 10}


def test_share_is_spread_evenly() -> None:
    targets = WeightedTargets({8001: 3.0, 8002: 1.0})

    assert [targets.next() for _ in range(8)] == [8001, 8001, 8002, 8001] * 2


@pytest.mark.parametrize("weights", [{}, {8001: 0.0}])
def test_nothing_is_a_target_without_a_weight(weights: dict[int, float]) -> None:
    assert WeightedTargets(weights).next() is None


def observed(*chunks: tuple[str, bytes]) -> list[bool]:
    """Return what an observer counts in the chunks of a connection, each by who sends it."""
    counted: list[bool] = []
    observer = ResponseObserver(counted.append)
    for sender, chunk in chunks:
        (observer.see_request if sender == "client" else observer.see_response)(chunk)
    return counted


def test_every_response_of_a_connection_is_counted_by_its_status() -> None:
    statuses = (b"200 OK", b"404 Not Found", b"302 Found", b"500 Internal Server Error")

    counted = [
        observed(("client", b"GET / HTTP/1.1\r\n\r\n"), ("server", b"HTTP/1.1 " + status + b"\r\n\r\n"))
        for status in statuses
    ]

    assert counted == [[False], [True], [False], [True]]


def test_body_that_looks_like_a_response_is_not_counted() -> None:
    body = ("server", b"HTTP/1.1 500 is what the page is about")

    assert observed(("client", b"GET"), ("server", b"HTTP/1.1 200 OK\r\n\r\n"), body) == [False]


def test_interim_response_is_not_counted() -> None:
    continued = (("client", b"POST / HTTP/1.1\r\n"), ("server", b"HTTP/1.1 100 Continue\r\n\r\n"))

    assert observed(*continued, ("client", b"body"), ("server", b"HTTP/1.1 413 Too Large\r\n\r\n")) == [True]


def test_other_protocols_are_not_counted() -> None:
    assert observed(("client", b"\x16\x03\x01"), ("server", b"\x16\x03\x03"), ("server", b"HTTP/1.1 500")) == []


def test_counts_are_added_and_subtracted() -> None:
    now, before = ResponseCount(total=10, errors=3), ResponseCount(total=4, errors=1)

    assert now - before == ResponseCount(total=6, errors=2)
    assert now + before == ResponseCount(total=14, errors=4)
