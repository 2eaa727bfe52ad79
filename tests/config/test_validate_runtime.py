"""Reading and validating `[runtime]`."""

from __future__ import annotations

import pytest

from kaizen_tasks.errors import ConfigurationError
from tests.fakes.tools import settings


def runtime(**changes: object) -> dict[str, object]:
    """Return the table."""
    return {"visible": ["A"], "keys": {"A": {"type": "number", "min": 0, "max": 2.5}}, **changes}


def test_secret_names_are_filled_in() -> None:
    configured = settings(
        environments={"staging": {}, "prod": {"secret": "{app}-secrets"}}, groups={}, pipeline=["staging"]
    )

    assert configured.environments["staging"].secret == "staging-web-app-secrets"
    assert configured.environments["prod"].secret == "web-secrets"


def test_a_key_has_a_type_and_bounds() -> None:
    key = settings(runtime=runtime()).runtime.keys["A"]

    assert (key.type, key.min, key.max, key.choices) == ("number", 0.0, 2.5, ())


def test_an_app_without_the_table_has_no_keys() -> None:
    assert settings(runtime={}).runtime.keys == {}


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"keyz": {}}, "runtime.keyz: unknown key; did you mean 'keys'?"),
        ({"visible": ["B"]}, "runtime.visible: 'B' is not in runtime.keys; known: A"),
        ({"keys": {"A": {"type": "nubmer"}}}, "runtime.keys.A.type: 'nubmer' is not a type; did you mean 'number'?"),
        ({"keys": {"A": {}}}, "runtime.keys.A.type is missing"),
        (
            {"keys": {"A": {"type": "number", "min": "0"}}},
            "runtime.keys.A.min should be a number, not text; leave out the quotes",
        ),
        ({"keys": {"A": {"type": "number", "min": True}}}, "runtime.keys.A.min should be a number, not true"),
        ({"keys": {"A": {"type": "number", "min": 2, "max": 1}}}, "runtime.keys.A.min: 2 is above the max of 1"),
        ({"keys": {"A": {"type": "number", "mim": 2}}}, "runtime.keys.A.mim: unknown key; did you mean 'min'?"),
        (
            {"keys": {"A": {"type": "string", "max": 1}}},
            "runtime.keys.A.max is only for numbers, not for the type 'string'",
        ),
        (
            {"keys": {"A": {"type": "choice"}}},
            "runtime.keys.A.choices is missing (a list of the texts that the value may be)",
        ),
        (
            {"keys": {"A": {"type": "string", "choices": ["x"]}}},
            "runtime.keys.A.choices is only for the type 'choice', not for 'string'",
        ),
        ({"secret": "{name}"}, "runtime.secret: '{name}' has a placeholder other than {env} and {app}"),
        ({"secret": "{app}-secrets"}, "environments.dom.secret: '{app}-secrets' is also used by staging"),
    ],
)
def test_a_contradictory_table_is_reported(table: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        settings(runtime=runtime(**table))

    assert f"kaizen.toml: {problem}" in refused.value.problems
