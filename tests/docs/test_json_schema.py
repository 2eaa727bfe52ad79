"""The JSON Schema of `kaizen.toml`, compared with what the configuration accepts."""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from docs.generating.pages.configuration_page import every_key
from kaizen_tasks.config.json_schema import json_schema
from kaizen_tasks.config.structure import StructureError, structure
from kaizen_tasks.config.tables import RawConfig
from tests.fakes.tools import CONFIGURATION

jsonschema = pytest.importorskip("jsonschema")

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads(json.dumps(json_schema()))
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
KEYS = tomllib.loads(every_key().replace(".NAME", ".name"))
WRONG_VALUES = (True, -1, 1.5, "?!", "", ["?!"], [7], {"?!": 7})
CHECKED_AS_A_WHOLE = ("app", "runtime.keys.name.type", "smoke.0.method")
"""What the validation checks after every value fits its table."""

NOT_EXPRESSED = re.compile(
    r"^(changelog|release|tag|lines|smoke|version_files|build\.(context|dockerfile|ssh|contexts|cache|options|env)|"
    r"docs_checklist|verify\.(version|environment|timeout|headers)|defaults|environments|runtime|rehearse|deploy)"
)
"""Keys with checks of their texts that a schema cannot express: templates, paths, branches, versions, time zones."""


def problems(config: Mapping[str, Any]) -> list[str]:
    """Return what an editor would mark."""
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(config)]


def is_accepted(config: dict[str, Any]) -> bool:
    """Return whether every value fits its table."""
    try:
        structure(config, RawConfig)
    except StructureError:
        return False
    return True


def leaves(table: Mapping[str, Any] | list[Any], path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value that is no table."""
    for key, value in table.items() if isinstance(table, Mapping) else enumerate(table):
        nested = isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict))
        yield from leaves(value, (*path, key)) if nested else [(*path, key)]


def replaced(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Return a table with every key, and another value at a path."""
    config = {"app": "web", path[0]: copy.deepcopy(KEYS[path[0]])}
    table: Any = config
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    return config


def dotted(path: tuple[Any, ...]) -> str:
    return ".".join(map(str, path))


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_every_key_is_in_the_schema_with_its_help() -> None:
    assert problems(KEYS) == []
    assert SCHEMA["properties"]["rollout"]["properties"]["canary"] == {
        "type": "integer",
        "minimum": 0,
        "description": "How many environments go first.",
        "default": 1,
    }


@pytest.mark.parametrize("path", [ROOT / "kaizen.toml", ROOT / "examples/coach/kaizen.toml"])
def test_examples_are_valid(path: Path) -> None:
    assert problems(tomllib.loads(path.read_text(encoding="utf-8"))) == []
    assert problems(CONFIGURATION) == []


def test_configurations_in_the_documents_are_valid() -> None:
    """Parts of one may lack the keys that the whole must have."""
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    texts = [
        text
        for page in documents
        for text in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    ]
    configs = [config for text in texts if (config := tomllib.loads(text)).keys() <= SCHEMA["properties"].keys()]

    assert len(configs) > 20
    assert [problem for config in configs for problem in problems({"app": "web", **config})] == []


@pytest.mark.parametrize("path", list(leaves(KEYS)), ids=dotted)
def test_the_schema_refuses_what_the_configuration_refuses(path: tuple[Any, ...]) -> None:
    """Of texts, it may accept more: not every check has an expression."""
    for value in WRONG_VALUES:
        config = replaced(path, value)
        if is_accepted(config):
            assert problems(config) == [] or dotted(path) in CHECKED_AS_A_WHOLE, value
        elif not (isinstance(value, str | list | dict) and NOT_EXPRESSED.match(dotted(path))):
            assert problems(config) != [], value


@pytest.mark.parametrize("path", [path for path in leaves(KEYS) if len(path) > 1], ids=dotted)
def test_unknown_keys_are_refused_beside_every_key(path: tuple[Any, ...]) -> None:
    config = replaced((*path[:-1], "nonsense"), 7)

    assert is_accepted(config) == (problems(config) == [])


@pytest.mark.parametrize(
    "text",
    [
        'app = ""',
        'app = "web"\nbuild.engine = "dockr"',
        'app = "web"\naws.account = "12"',
        'app = "web"\naws.region = "Ireland"',
        'app = "web"\nverify.timeout = "soon"',
        'app = "web"\nverify.matches = 0',
        'app = "web"\ndefaults.platform = "heroku"',
        'app = "web"\nenvironments."a b" = {}',
        'app = "web"\nchangelog.rules.tag-missing = "of"',
        'app = "web"\nchangelog.rules.nonsense = "off"',
        'app = "web"\nrelease.bump = {Changed = "tiny"}',
        'app = "web"\nsmoke = [{path = "/", method = "FETCH"}]',
        'app = "web"\nruntime.keys.A.type = "text"',
        'app = "web"\nversion_files = [{key = "version"}]',
        "pipeline = []",
    ],
)
def test_wrong_names_and_values_are_refused(text: str) -> None:
    assert problems(tomllib.loads(text)) != []
