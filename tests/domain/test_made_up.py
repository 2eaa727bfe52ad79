"""Values of which only the name is known."""

from __future__ import annotations

import base64
import re

import pytest

from kaizen_tasks.domain.made_up import DEFAULT_VALUE, KEY, NOWHERE, made_up_value


@pytest.mark.parametrize(
    ("names", "value"),
    [
        ("DATABASE_URL SQLALCHEMY_DATABASE_URI POSTGRES_DSN", f"postgresql://made-up:made-up@{NOWHERE}/made_up"),
        ("REDIS_URL CELERY_BROKER_URL CELERY_RESULT_BACKEND", f"redis://{NOWHERE}/0"),
        ("SENTRY_DSN", f"http://made-up@{NOWHERE}/1"),
        ("API_BASE_URL WEBHOOK OIDC_ENDPOINT", f"http://{NOWHERE}"),
        ("DB_HOST", "127.0.0.1"),
        ("DB_PORT AI_MAX_OUTPUT_TOKENS WEBHOOK_DELAY_SECONDS CLIENT_ID AI_TEMPERATURE", "1"),
        ("DEBUG ENABLE_SIGNUP COOKIE_SECURE", "false"),
        ("SECRET_KEY API_TOKEN DB_PASSWORD encryption_key", KEY),
        ("CREDENTIALS_JSON", "{}"),
        ("LOG_LEVEL", "INFO"),
        ("AWS_REGION", "eu-west-1"),
        ("AI_MODEL SUPPORT ACCOUNT", DEFAULT_VALUE),
    ],
)
def test_values_fit_the_name(names: str, value: str) -> None:
    assert {made_up_value(name, region="eu-west-1") for name in names.split()} == {value}


def test_keys_have_the_size_that_ciphers_want() -> None:
    assert len(base64.urlsafe_b64decode(KEY)) == 32
    assert re.fullmatch(r"[\w=-]+", KEY)
