"""Sample content of secrets in a local cloud."""

from __future__ import annotations

import json

from kaizen_tasks.domain.made_up import KEY
from kaizen_tasks.rehearsal.services.sample_secrets import sample_secrets
from tests.fakes.tools import settings


def test_secrets_have_runtime_configuration_and_values_of_headers() -> None:
    headers = {
        "Authorization": {"secret": "{env}-probe", "key": "/token/value"},
        "X-Key": {"secret": "{env}-probe", "key": "/key"},
        "X-App": {"secret": "{env}-{app}-app-secrets", "key": "/PROBE"},
        "X-Plain": {"secret": "plain"},
        "X-Variable": {"env": "TOKEN"},
    }
    configured = settings(verify={"headers": headers})

    samples = sample_secrets(configured.environments["staging"], configured, {"KNOWN": {"a": 1}})

    assert {name: json.loads(text) for name, text in samples.items()} == {
        "staging-probe": {"token": {"value": "sample"}, "key": "sample"},
        "staging-web-app-secrets": {"PROBE": "sample", "AI_TEMPERATURE": "0", "TOKEN": KEY, "KNOWN": {"a": 1}},
        "plain": {"sample": "sample"},
    }
