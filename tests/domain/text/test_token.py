"""What is probably a token, a password or a key, and what is only a name or an address."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.text.token import has_token, is_token_like, without_tokens


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.slack.com/services/T0/B0/hush",
        "https://ada:hush@deploys.example/hook",
        "https://deploys.example/hook?Token=hush",
        "https://deploys.example/hook?signature=",
        "https://deploys.example/a1b2c3d4e5f6a7b8c9",
        "https://deploys.example/hook#a1b2c3d4e5f6a7b8c9",
        "https://eu.webhook.office.com/webhookb2/hush",
        "https://deploys.example/3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    ],
)
def test_address_that_opens_a_channel_has_a_token(address: str) -> None:
    assert has_token(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://deploys.example/hook",
        "https://deploys.example/",
        "http://127.0.0.1:8080/hook",
        "https://deploys.eu-west-1.internal.example/releases/prod-2026?team=coach&stage=prod",
        "https://hooks.slack.com/",
        "https://hooks.we-make.com/services",
    ],
)
def test_address_that_anybody_may_know_has_none(address: str) -> None:
    assert not has_token(address)


@pytest.mark.parametrize("text", ["xoxb-1", "whsec_a", "https://a.example", "a1" * 8, "9" * 16])
def test_token_is_no_name(text: str) -> None:
    assert is_token_like(text)


@pytest.mark.parametrize("text", ["kaizen/slack", "team-notifications-production", "coach_2026", "prod-eu-west-1"])
def test_name_is_no_token(text: str) -> None:
    assert not is_token_like(text)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("ftp://ada:hush@coach.example", "its text begins with neither"),
        ("a1b2c3d4e5f6a7b8c9", "its text begins with neither"),
        ("https://[", "its text begins with neither"),
        ("ftp://coach.example", "'ftp://coach.example' begins with neither"),
        ("coach", "'coach' begins with neither"),
    ],
)
def test_message_repeats_no_value_that_is_probably_secret(value: str, message: str) -> None:
    values = {"app": "coach", "pages": [{"url": value}]}

    assert without_tokens(f"{value!r} begins with neither", values) == message
