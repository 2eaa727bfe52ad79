"""The reference of configuration keys: derived from the fields of their tables, and true."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, NamedTuple

import pytest
from attrs import fields
from invoke.config import Config

from docs.generating.pages import configuration_keys
from docs.generating.pages.configuration_keys import ConfigKey, config_keys
from docs.generating.pages.configuration_page import every_key, render
from kaizen_tasks.config import checks, env_overrides, load, tables, validate
from kaizen_tasks.config.structure import ConfigProblem, StructureError, structure
from kaizen_tasks.domain.request_header import SecretHeader
from kaizen_tasks.domain.runtime_config import KeyRule
from kaizen_tasks.domain.smoke import SmokeCheck

if TYPE_CHECKING:
    from collections.abc import Iterator

OVERRIDES = {
    "text": "other",
    "duration": "7s",
    "whole number": "7",
    "number": "1",
    "true or false": "yes",
    "text, or false": "/other",
    "text, or table of texts": "strict",
}
NAMES = {
    "lines.NAME": "lines.1",
    "environments.NAME": "environments.prod",
    "args.NAME": "args.BASE",
    "contexts.NAME": "contexts.docs",
    "env.NAME": "env.FEATURE_FLAGS",
    "groups.NAME": "groups.beta",
    "types.NAME": "types.Documentation",
    "rules.NAME": "rules.tag-missing",
}
OTHER_ENVIRONMENTS = "".join(f"\n[environments.{name}]\n" for name in ("staging", "mark", "dom"))


def example() -> load.ConfigFile:
    """Return a file that sets every key."""
    text = (
        every_key().replace("environments.NAME", "environments.prod").replace("lines.NAME", "lines.1")
        + OTHER_ENVIRONMENTS
    )
    return load.ConfigFile(Path("/app"), "kaizen.toml", tomllib.loads(text))


def table_fields() -> Iterator[str]:
    """Yield the name of every field of every table, as the classes have them."""
    for table in vars(tables).values():
        if isinstance(table, type) and hasattr(table, "_fields") and table.__module__ == tables.__name__:
            yield from table._fields
    yield from (attribute.name for model in (KeyRule, SecretHeader, SmokeCheck) for attribute in fields(model))


def test_every_key_of_the_reference_is_a_field_of_a_table_and_the_reverse() -> None:
    documented_names = {name for key in config_keys() for name in key.path.split(".")}

    assert documented_names - {configuration_keys.NAME_PLACEHOLDER} == set(table_fields())


class RolloutTable(NamedTuple):
    """`[rollout]` with one more key.

    Attributes:
        order: in which order environments are started.
    """

    order: Annotated[str, checks.url_path] = "/listed"


class ConfigWithNewKey(NamedTuple):
    """The whole file."""

    rollout: RolloutTable = RolloutTable()
    environments: Mapping[str, tables.RawEnvironment] = MappingProxyType({})


def test_a_new_field_alone_adds_a_key_to_defaults_validation_and_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """The field and its help are all that is written for a new key."""
    monkeypatch.setattr(load, "RawConfig", ConfigWithNewKey)
    with pytest.raises(StructureError) as misspelt:
        structure({"rollout": {"odrer": "/x"}}, ConfigWithNewKey)
    with pytest.raises(StructureError) as wrong:
        structure({"rollout": {"order": "x"}}, ConfigWithNewKey)
    key = next(config_keys(ConfigWithNewKey))

    assert load.with_defaults({})["rollout"] == {"order": "/listed"}
    assert misspelt.value.problems == (ConfigProblem("rollout.odrer", "unknown key; did you mean 'order'?"),)
    assert wrong.value.problems == (ConfigProblem("rollout.order", "'x' does not begin with /"),)
    assert (key.path, key.default, key.variable) == ("rollout.order", '"/listed"', "INVOKE_ROLLOUT_ORDER")
    assert key.help == "In which order environments are started."


def test_an_example_of_every_key_is_a_valid_configuration() -> None:
    config_file = example()

    assert validate.build_settings(config_file, load.with_defaults(config_file.table)).app == "coach"


@pytest.mark.parametrize("key", [key for key in config_keys() if key.variable], ids=lambda key: key.path)
def test_every_variable_overrides_its_key(monkeypatch: pytest.MonkeyPatch, key: ConfigKey) -> None:
    """As Invoke applies it, after its types have been prepared."""
    named_path = key.path
    for placeholder, name in NAMES.items():
        named_path = named_path.replace(placeholder, name)
    path = named_path.split(".")
    environ = {f"INVOKE_{'_'.join(path).upper()}": OVERRIDES[key.type]}
    table = load.with_defaults(example().table)
    assert env_overrides.prepare_variables(table, environ) == ()
    for variable, text in environ.items():
        monkeypatch.setenv(variable, text)

    config = Config(lazy=True)
    config.load_collection(table)
    config.load_shell_env()
    for name in path:
        config = config[name]
    assert str(config) == OVERRIDES[key.type].replace("yes", "True")


def test_the_page_has_every_key_and_one_example_for_each_section() -> None:
    page = render()

    assert [key.path for key in config_keys() if f"| `{key.path}` |" not in page] == []
    assert page.count("```toml") == len({key.section for key in config_keys()})


def test_a_key_without_help_stops_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables.DeployRules, "__doc__", "`[deploy]`.")

    with pytest.raises(ValueError, match=r"deploy\.timeout: describe it under Attributes"):
        list(config_keys())
