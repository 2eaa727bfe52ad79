"""Failures of this machine's network, as opposed to those of a server."""

from __future__ import annotations

import errno
import socket

import pytest

from kaizen_tasks.adapters.network import failures
from kaizen_tasks.adapters.network.failures import has_no_route

UNREACHABLE = OSError(errno.ENETUNREACH, "Network is unreachable")
ADDRESSES = [(socket.AF_INET6, ("2001:db8::1", 9, 0, 0)), (socket.AF_INET, ("192.0.2.1", 9))]


@pytest.mark.parametrize(
    ("error", "routed", "expected"),
    [
        (UNREACHABLE, (), True),
        (UNREACHABLE, ADDRESSES[1:], False),
        (ValueError(OSError(errno.ENETDOWN, "Network is down")), (), True),
        (OSError(errno.EHOSTUNREACH, "No route to host"), (), False),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), (), False),
    ],
)
def test_no_route_is_one_to_none_of_the_addresses(
    monkeypatch: pytest.MonkeyPatch, error: Exception, routed: tuple[object, ...], *, expected: bool
) -> None:
    """A machine without IPv6 has no route to one of the addresses, while the other one may have refused."""
    monkeypatch.setattr(failures, "_addresses", lambda _: ADDRESSES)
    monkeypatch.setattr(failures, "_has_route", lambda address: address in routed)

    assert has_no_route(error, "staging.example") is expected


@pytest.mark.integration
@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", False), ("no.such.invalid", True)])
def test_route_to_a_host_is_looked_up(host: str, *, expected: bool) -> None:
    assert has_no_route(UNREACHABLE, host) is expected
