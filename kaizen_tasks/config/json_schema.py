"""The JSON Schema of `kaizen.toml`, for editors: derived from the classes of its tables.

It knows types, names of keys and values that stand alone. What values mean together, only the validation knows.
"""

from __future__ import annotations

import inspect
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import attrs

from kaizen_tasks.config import checks
from kaizen_tasks.config.documentation import default_of, descriptions
from kaizen_tasks.config.structure import is_table, key_types
from kaizen_tasks.config.tables import LineRules, RawConfig
from kaizen_tasks.config.validate import NAME_CHECKS
from kaizen_tasks.domain.changelog.lint.rules import RULES
from kaizen_tasks.domain.notification.topic import TOPICS
from kaizen_tasks.domain.platform import PLATFORMS
from kaizen_tasks.domain.runtime_config import KEY_TYPES, KeyRule
from kaizen_tasks.domain.smoke import METHODS, Scalar, SmokeCheck, Statuses
from kaizen_tasks.domain.text.duration import DURATION, Seconds
from kaizen_tasks.domain.text.json_pointer import OptionalPointer

Schema = dict[str, Any]  # JSON that is printed

REQUIRED_KEYS = ("app",)
"""Keys that have a default and are required all the same: `[defaults]` of an app has no name."""

NUMBER: Schema = {"type": "integer"}
TYPES: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: NUMBER,
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Seconds: {"type": "string", "pattern": f"^{DURATION}$"},
    OptionalPointer: {"anyOf": [{"type": "string"}, {"const": False}]},
    Statuses: {"anyOf": [NUMBER, {"type": "array", "items": NUMBER, "minItems": 1}]},
    Scalar: {"type": ["string", "number", "boolean"]},
    str | Mapping[str, str]: {
        "anyOf": [
            {"enum": list(checks.BUMP_MODES)},
            {"type": "object", "additionalProperties": {"enum": list(checks.BUMP_PARTS)}},
        ]
    },
}
"""Schemas of the types that are no tables and no lists."""


def _choice(*values: str) -> Schema:
    return {"enum": list(values)}


def _pattern(expression: str) -> Schema:
    return {"pattern": f"^(?:{expression})$"}


CHECKS: Mapping[Callable[..., str], Schema] = {
    checks.account_number: _pattern(checks.ACCOUNT_NUMBER),
    checks.app_name: _pattern(checks.APP_NAME),
    checks.argument_name: _pattern(checks.VARIABLE_NAME),
    checks.cluster_name: _pattern(checks.ECS_NAME),
    checks.context_name: _pattern(checks.CONTEXT_NAME),
    checks.engine: _choice(*checks.ENGINES),
    checks.external_id: _pattern(checks.EXTERNAL_ID),
    checks.forge: _choice("", *checks.FORGES),
    checks.host: _pattern(f"({checks.HOST})?"),
    checks.channel: _pattern(checks.CHANNEL),
    checks.image_platform: _pattern(checks.IMAGE_PLATFORM),
    checks.lint_rule: _choice(*RULES),
    checks.name: _pattern(checks.NAME),
    checks.notify_format: _choice(*checks.NOTIFY_FORMATS),
    checks.notify_secret: _pattern(f"({checks.SECRET_NAME})?"),
    checks.platform: _choice(*PLATFORMS),
    checks.port: {"minimum": 1, "maximum": 65535},
    checks.region: _pattern(checks.REGION),
    checks.role_arn: _pattern(checks.ROLE_ARN),
    checks.secret_id: _pattern(checks.SECRET_ID),
    checks.severity: _choice(*checks.SEVERITIES),
    checks.stage_name: _pattern(checks.STAGE_NAME),
    checks.target_name: _pattern(checks.TARGET_NAME),
    checks.topic: _choice(*TOPICS),
    checks.url: _pattern(checks.URL),
    checks.url_path: _pattern("/[!-~]*"),
    checks.variable_name: _pattern(checks.VARIABLE_NAME),
    checks.version_format: _choice(*checks.VERSION_FORMATS),
    checks.webhook: _pattern(checks.URL),
    checks.version_spelling: _choice("", *checks.VERSION_SPELLINGS),
}
"""What a check means as a schema; of others, a schema says nothing."""

FIELDS: Mapping[tuple[Any, str], Schema] = {
    (RawConfig, "app"): {"minLength": 1},
    (SmokeCheck, "method"): _choice(*METHODS),
    (KeyRule, "type"): _choice(*KEY_TYPES),
}
"""What the validation checks of fields that have no checks of their own."""


def json_schema() -> Schema:
    """Return the schema, in the draft that editors of TOML know: https://json-schema.org/draft-07."""
    title = {"title": "kaizen.toml", "description": "How an app is released, by kaizen_tasks."}
    return {"$schema": "http://json-schema.org/draft-07/schema#", **title, **_table_schema(RawConfig, "")}


def schema_text() -> str:
    """Return the schema as the text of a file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _table_schema(table: Any, path: str) -> Schema:
    """Return the schema of a table; of one that a key may replace, with that key's value."""
    texts = descriptions(table)
    properties = {
        name: {**_field_schema(table, name, kind, f"{path}{name}"), **_annotations(table, name, texts.get(name, ""))}
        for name, kind in key_types(table).items()
    }
    required = [name for name in properties if _is_required(table, name)]
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    if table is not RawConfig:
        schema["description"] = (inspect.getdoc(table) or "").partition("\n")[0]
    if required:
        schema["required"] = required
    return {"anyOf": [{"type": "string"}, schema]} if table is LineRules else schema


def _is_required(table: Any, name: str) -> bool:
    if attrs.has(table):
        return attrs.fields_dict(table)[name].default is attrs.NOTHING
    return name not in table._field_defaults or (table is RawConfig and name in REQUIRED_KEYS)


def _field_schema(table: Any, name: str, kind: Any, path: str) -> Schema:
    return {**_schema(kind, path), **FIELDS.get((table, name), {})}


def _schema(kind: Any, path: str) -> Schema:
    """Return the schema of a type, at a path from the top of the file."""
    if kind in TYPES:
        return TYPES[kind]
    if is_table(kind):
        return _table_schema(kind, f"{path}.")
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _combine(_schema(arguments[0], path), *map(_check_schema, arguments[1:]))
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0], path)}
    if origin is Mapping:
        names = CHECKS.get(NAME_CHECKS[path]) if path in NAME_CHECKS else None
        schema: Schema = {"type": "object", "additionalProperties": _schema(arguments[1], path)}
        return {**schema, "propertyNames": names} if names else schema
    if origin in {Union, UnionType}:  # with None, which TOML cannot write; an empty duration stands for it
        member = next(member for member in arguments if member is not type(None))
        return {"anyOf": [{"const": ""}, TYPES[Seconds]]} if member is Seconds else _schema(member, path)
    raise TypeError(f"{path}: {kind} has no JSON Schema")


def _check_schema(check: Any) -> Schema:
    """Return what a check means as a schema; empty for one that a schema cannot express."""
    if isinstance(check, partial):
        (argument,) = check.args
        if isinstance(argument, int):
            return {"minimum": argument}
        inner = CHECKS.get(argument)
        return {"anyOf": [{"const": ""}, inner]} if inner else {}
    return CHECKS.get(check, {})


def _combine(schema: Schema, *constraints: Schema) -> Schema:
    """Return a schema with further constraints, several of which may have the same keyword."""
    given = [constraint for constraint in constraints if constraint]
    if len(given) == 1 and not schema.keys() & given[0].keys():
        return {**schema, **given[0]}
    return {**schema, "allOf": given} if given else schema


def _annotations(table: Any, name: str, entry: str) -> Schema:
    """Return help, default and example of a key, which an editor shows."""
    text, _, example = re.sub(r"\s+", " ", entry).partition("Example: ")
    default = default_of(table, name)
    annotations: Schema = {"description": f"{text[0].upper()}{text[1:].strip()}"} if text else {}
    if default not in (None, "", [], {}) and not isinstance(default, dict):
        annotations["default"] = default
    if value := _example(example):
        annotations["examples"] = [value]
    return annotations


def _example(text: str) -> Any:
    """Return the value of an example; None for a name with a value, and where there is none."""
    try:
        return tomllib.loads(f"value = {text}")["value"] if text else None
    except tomllib.TOMLDecodeError:
        return None
