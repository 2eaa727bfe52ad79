import tomllib

import pytest
from invoke.config import Config

from docs.generating.configuration_keys import ConfigKey, config_keys
from docs.generating.configuration_page import EXAMPLE, render
from kaizen_tasks.config import load, validate

OVERRIDDEN = {"text": "other", "duration": "7s", "whole number": "7", "number": "1", "true or false": "1"}
NAMED = {"environments.NAME": "environments.prod", "args.NAME": "args.BASE", "keys.NAME": "keys.AI_TEMPERATURE"}


def example() -> load.ConfigFile:
    return load.ConfigFile(EXAMPLE.parent, EXAMPLE.name, tomllib.loads(EXAMPLE.read_text()))


def with_variables() -> list[ConfigKey]:
    return [key for key in config_keys() if key.variable]


def test_the_example_is_a_configuration_that_can_be_used() -> None:
    found = example()
    settings = validate.build_settings(found, load.with_defaults(found.table))
    assert settings.app == "coach"


@pytest.mark.parametrize("key", with_variables(), ids=lambda key: key.path)
def test_every_variable_overrides_its_key(monkeypatch: pytest.MonkeyPatch, key: ConfigKey) -> None:
    named = key.path
    for placeholder, name in NAMED.items():
        named = named.replace(placeholder, name)
    path = named.split(".")
    monkeypatch.setenv(f"INVOKE_{'_'.join(path).upper()}", OVERRIDDEN[key.type])
    config = Config(lazy=True)
    config.load_collection(load.with_defaults(example().table))
    config.load_shell_env()
    for name in path:
        config = config[name]
    assert str(config) in {OVERRIDDEN[key.type], "True"}


def test_the_page_has_every_key_with_the_example_of_its_table() -> None:
    page = render()
    assert all(f"| `{key.path}` |" in page for key in config_keys())
    assert page.count("```toml") == len({key.section for key in config_keys()})
