"""Which proxy the variables of the environment give to a URL."""

from __future__ import annotations

import base64

import pytest

from kaizen_tasks.adapters.network.proxies import find_proxy
from kaizen_tasks.errors import ConfigurationError

PROXY = "http://proxy.example:3128"
URL = "https://api.ecr.eu-west-1.amazonaws.com/"


@pytest.mark.parametrize(
    ("variables", "url", "expected"),
    [
        ({}, URL, None),
        ({"HTTPS_PROXY": PROXY}, URL, f"{PROXY} (HTTPS_PROXY)"),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other.example"}, URL, f"{PROXY} (https_proxy)"),
        ({"HTTP_PROXY": PROXY}, URL, None),
        ({"HTTP_PROXY": PROXY}, "http://staging.example/", f"{PROXY} (HTTP_PROXY)"),
        ({"HTTPS_PROXY": PROXY, "ALL_PROXY": "http://other.example"}, URL, f"{PROXY} (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "", "ALL_PROXY": PROXY}, URL, f"{PROXY} (ALL_PROXY)"),
        ({"all_proxy": PROXY}, "http://staging.example/", f"{PROXY} (all_proxy)"),
        ({"HTTPS_PROXY": "proxy.example:3128"}, URL, f"{PROXY} (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "//proxy.example:3128/"}, URL, f"{PROXY} (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "http://proxy.example"}, URL, "http://proxy.example:80 (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "https://proxy.example"}, URL, "https://proxy.example:443 (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "HTTP://[2001:db8::1]:3128"}, URL, "http://[2001:db8::1]:3128 (HTTPS_PROXY)"),
    ],
)
def test_proxy_of_a_url(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, expected: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    proxy = find_proxy(url)

    assert (str(proxy) if proxy else None) == expected


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "[::1]", "app.localhost"])
def test_this_machine_is_reached_directly(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)

    assert find_proxy(f"http://{host}:8080/version") is None


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_direct"),
    [
        ("amazonaws.com", URL, True),
        (".amazonaws.com", URL, True),
        ("*.amazonaws.com", URL, True),
        ("AMAZONAWS.COM", URL, True),
        ("amazonaws.com", "https://api.ecr.amazonaws.com./", True),
        ("aws.com", "https://amazonaws.com/", False),
        ("*", URL, True),
        ("localhost *", URL, True),
        ("other.example .amazonaws.com", URL, True),
        (" other.example , amazonaws.com ", URL, True),
        ("amazonaws.com:443", URL, True),
        ("amazonaws.com:8443", URL, False),
        ("amazonaws.com:8443", "https://amazonaws.com:8443/", True),
        ("10.0.0.0/8", "https://10.1.2.3/", True),
        ("10.0.0.0/8", "https://11.1.2.3/", False),
        ("10.1.2.3", "https://10.1.2.3:8443/", True),
        ("2001:db8::/32", "https://[2001:db8::7]/", True),
        ("[2001:db8::7]", "https://[2001:db8::7]/", True),
        ("", URL, False),
        (",", URL, False),
    ],
)
def test_no_proxy(monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, is_direct: bool) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)

    assert (find_proxy(url) is None) is is_direct


def test_credentials_are_decoded_and_stay_out_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://ada:p%40ss%2F@proxy.example:3128")

    proxy = find_proxy(URL)

    assert proxy is not None
    assert proxy.auth_headers == {"Proxy-Authorization": f"Basic {base64.b64encode(b'ada:p@ss/').decode()}"}
    assert proxy.url_with_credentials.reveal() == "http://ada:p%40ss%2F@proxy.example:3128"
    assert not any(part in f"{proxy} {proxy!r}" for part in ("p@ss", "p%40ss", "ada"))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("http://ada:secret@proxy.example:port", "HTTPS_PROXY is not the address of a proxy"),
        ("http://ada:secret@", "HTTPS_PROXY is not the address of a proxy"),
        ("http://ada:sec/ret@proxy.example", "HTTPS_PROXY is not the address of a proxy"),
        ("http://ada:se\u00e9cret@proxy.example", "HTTPS_PROXY is not the address of a proxy"),
        ("socks5h://ada:secret@proxy.example:1080", "HTTPS_PROXY names a proxy of another kind than HTTP"),
    ],
)
def test_value_that_names_no_proxy_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, value: str, problem: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)

    with pytest.raises(ConfigurationError) as caught:
        find_proxy(URL)

    assert caught.value.message == problem
    assert "set HTTPS_PROXY to http://HOST:PORT" in caught.value.hint
    assert "cret" not in str(caught.value)
