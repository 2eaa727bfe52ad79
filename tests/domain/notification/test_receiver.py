"""Which URLs and addresses receivers may have, and texts without their secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.notification.receiver import REDACTED, address_problem, redact, url_problem

URL = "https://hooks.example.com/services/T0AB12CD/B0XY98ZW/s3cr3tT0kenValue?key=an%2Fother"


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "https://chat.example:8443/hooks/abc",
        "https://[2001:db8::1]/hook",
        "http://127.0.0.1:8080/hook",
        "http://localhost/hook",
        "http://[::1]:99/hook",
    ],
)
def test_urls_with_tls_and_those_of_this_machine_are_accepted(url: str) -> None:
    assert url_problem(url) == ""


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "is not a URL"),
        ("hooks.example.com/services", "is not a URL"),
        ("https://", "is not a URL"),
        ("https://exa mple.com/", "is not a URL"),
        ("https://example.com/\nX-Header: 1", "is not a URL"),
        ("https://exämple.com/", "is not a URL"),
        ("https://example.com:port/", "is not a URL"),
        ("https://[::1/", "is not a URL"),
        ("ftp://example.com/hook", "is not a URL that begins with https://"),
        ("file:///etc/passwd", "is not a URL"),
        (
            "http://hooks.example.com/services/T0/B0",
            "begins with http://, which anybody on the way can read: it must begin with https://",
        ),
        (
            "http://169.254.169.254/latest",
            "begins with http://, which anybody on the way can read: it must begin with https://",
        ),
        ("https://user:pass@example.com/", "has a user name or a password, which webhooks do not know"),
    ],
)
def test_other_urls_are_refused_without_being_repeated(url: str, problem: str) -> None:
    assert problem == url_problem(url)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_public_addresses_are_accepted(address: str) -> None:
    assert address_problem(address, host="hooks.example.com", private_host="") == ""


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("127.0.0.1", "is this machine"),
        ("127.8.9.10", "is this machine"),
        ("::1", "is this machine"),
        ("::ffff:127.0.0.1", "is this machine"),
        ("10.0.0.7", "is in a private network"),
        ("172.16.0.1", "is in a private network"),
        ("192.168.1.1", "is in a private network"),
        ("100.64.0.1", "is in a private network"),
        ("fd12:3456::1", "is in a private network"),
        ("::ffff:10.0.0.1", "is in a private network"),
        ("2002:a00:1::", "is in a private network"),
        ("64:ff9b::a00:1", "is in a private network"),
        ("fec0::1", "is in a private network"),
    ],
)
def test_private_addresses_need_the_permission_for_their_name(address: str, problem: str) -> None:
    assert problem == address_problem(address, host="chat.example", private_host="")
    assert problem == address_problem(address, host="chat.example", private_host="other.example")
    assert address_problem(address, host="Chat.example", private_host="chat.example.") == ""


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("169.254.169.254", "is the metadata service of a cloud"),
        ("::ffff:169.254.169.254", "is the metadata service of a cloud"),
        ("64:ff9b::a9fe:a9fe", "is the metadata service of a cloud"),
        ("fd00:ec2::254", "is the metadata service of a cloud"),
        ("100.100.100.200", "is the metadata service of a cloud"),
        ("168.63.129.16", "is the metadata service of a cloud"),
        ("169.254.170.2", "is not the address of a server"),  # credentials of ECS tasks
        ("fe80::1%eth0", "is not the address of a server"),
        ("0.0.0.0", "is not the address of a server"),
        ("::", "is not the address of a server"),
        ("224.0.0.1", "is not the address of a server"),
        ("255.255.255.255", "is not the address of a server"),
    ],
)
def test_addresses_of_no_receiver_are_refused_whatever_is_allowed(address: str, problem: str) -> None:
    assert problem == address_problem(address, host="chat.example", private_host="chat.example")


@pytest.mark.parametrize(
    "echo",
    [
        f"no such hook: {URL}",
        "Cannot POST /services/T0AB12CD/B0XY98ZW/s3cr3tT0kenValue",
        'path "\\/services\\/T0AB12CD\\/B0XY98ZW\\/s3cr3tT0kenValue" unknown',
        "unknown token s3cr3tT0kenValue",
        "key an/other is expired",
        "?key=an%2Fother",
    ],
)
def test_servers_cannot_repeat_a_secret(echo: str) -> None:
    text = redact(echo, URL)

    assert REDACTED in text
    assert not any(part in text for part in ("T0AB12CD", "B0XY98ZW", "s3cr3tT0kenValue", "an/other", "an%2Fother"))


def test_what_is_no_secret_stays() -> None:
    assert redact("hooks.example.com answers HTTP 400: invalid_payload", URL) == (
        "hooks.example.com answers HTTP 400: invalid_payload"
    )


@given(st.text(), st.text())
def test_no_text_makes_redaction_fail(text: str, secret: str) -> None:
    assert isinstance(redact(text, secret), str)
