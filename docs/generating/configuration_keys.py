"""The keys of `kaizen.toml`: read from the model, its docstrings and the defaults."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

import attrs
from attrs import frozen

from kaizen_tasks.config import load
from kaizen_tasks.config.raw import RawConfig
from kaizen_tasks.domain.duration import Seconds
from kaizen_tasks.domain.smoke import Scalar, Statuses

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME_PLACEHOLDER = "NAME"
"""Stands in a key for a name that the user gives."""

TYPE_NAMES = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Seconds: "duration",
    Statuses: "whole number, or list of them",
    Scalar: "text, number, true or false",
}
DOCSTRING_ENTRY = re.compile(r"^    (\w+): (.+(?:\n     .+)*)", re.MULTILINE)

EXPLANATIONS = {
    "app": "The app's name. It fills `{app}`, names image and ledger table, and confirms protected environments.",
    "pipeline": "Stages in order: environments or groups. The first is released to, each later one is promoted to.",
    "aws.region": "The region of repositories, services and ledger.",
    "aws.account": "The 12-digit account. Credentials of another one are refused; empty accepts any.",
    "aws.profile": "The profile of `~/.aws/config`; empty is boto3's own choice.",
    "tag.sign": "Whether git signs the tag, with gpg or ssh as git is configured.",
    "defaults.platform": "What runs an environment: `apprunner`.",
    "defaults.repository": "Name of the image repository; `{env}` and `{app}` are filled in.",
    "defaults.service": "Name of the service; `{env}` and `{app}` are filled in.",
    "defaults.url": "Where the app answers; `{env}` and `{app}` are filled in. Empty: the platform's own address.",
    "defaults.protected": "Whether changing an environment needs a confirmation or `--yes`.",
    "environments.NAME.platform": "As in `[defaults]`, for this environment.",
    "environments.NAME.repository": "As in `[defaults]`, for this environment.",
    "environments.NAME.service": "As in `[defaults]`, for this environment.",
    "environments.NAME.url": "As in `[defaults]`, for this environment.",
    "environments.NAME.secret": "As `runtime.secret`, for this environment.",
    "environments.NAME.protected": "As in `[defaults]`, for this environment.",
    "environments.NAME.min_age": "As in `[evidence]`, for what is promoted to this environment.",
    "groups.NAME": "A group called NAME: the environments it consists of, in the order in which they are rolled out.",
    "deploy.timeout": "How long a deployment may take.",
    "docs_checklist.when": "Glob patterns: a release that touches one of these files …",
    "docs_checklist.update": "… must touch one of these too, or say why not with `--skip-docs`.",
}
"""What the model's docstrings do not say of each key by itself."""


@frozen(kw_only=True)
class ConfigKey:
    """One key.

    Attributes:
        path: from the top of the file; `NAME` stands for a name of the user's.
        type: in words.
        default: as TOML; empty when there is none.
        variable: the environment variable that overrides it; empty when none can.
        meaning: one sentence or two.
    """

    path: str
    type: str
    default: str
    variable: str
    meaning: str

    @property
    def section(self) -> str:
        """The first name of its path; empty for a key that stands above all tables."""
        return self.path.partition(".")[0] if "." in self.path else ""


def config_keys() -> tuple[ConfigKey, ...]:
    """Return every key, in the order of the model.

    Raises:
        ValueError: a key is explained nowhere, or in the docstrings and here.
    """
    defaults = tomllib.loads((Path(load.__file__).parent / "defaults.toml").read_text(encoding="utf-8"))
    all_keys = tuple(_keys(RawConfig, "", defaults, repeated=False))
    if unknown_paths := EXPLANATIONS.keys() - {key.path for key in all_keys}:
        raise ValueError(f"MEANINGS explains keys that do not exist: {sorted(unknown_paths)}")
    return all_keys


def _keys(model: type, prefix: str, defaults: Mapping[str, Any], *, repeated: bool) -> Iterator[ConfigKey]:
    docstring_entries = dict(DOCSTRING_ENTRY.findall((inspect.getdoc(model) or "").partition("Attributes:\n")[2]))
    for attribute in attrs.fields(attrs.resolve_types(model)):
        default = defaults.get(attribute.name, _default(attribute))
        yield from _key(
            f"{prefix}{attribute.name}", attribute.type, default, docstring_entries.get(attribute.name, ""), repeated
        )


def _key(path: str, kind: Any, default: Any, explanation: str, repeated: bool) -> Iterator[ConfigKey]:  # noqa: FBT001 - recursion
    inner = get_args(kind)
    if attrs.has(kind):
        yield from _keys(kind, f"{path}.", default, repeated=repeated)
    elif get_origin(kind) is tuple and attrs.has(inner[0]):
        yield from _keys(inner[0], f"{path}.", {}, repeated=True)
    elif get_origin(kind) is Mapping:
        yield from _key(f"{path}.{NAME_PLACEHOLDER}", inner[1], {}, explanation, repeated)
    else:
        yield ConfigKey(
            path=path,
            type=_type_name(kind),
            default=_toml(default),
            variable="" if repeated or get_origin(kind) is tuple else f"INVOKE_{path.replace('.', '_').upper()}",
            meaning=_meaning(path, explanation),
        )


def _default(attribute: Any) -> Any:
    """Return a default of the model's as one would write it in TOML."""
    value = attribute.default
    if attribute.type is Seconds and value is not attrs.NOTHING:
        return f"{value:g}s"
    if isinstance(value, tuple) and len(value) == 1:
        return value[0]
    return None if value in (attrs.NOTHING, "") else value


def _meaning(path: str, explanation: str) -> str:
    if bool(explanation) == (path in EXPLANATIONS):
        raise ValueError(f"{path}: explained in {'two places' if explanation else 'no place'}, docstring and MEANINGS")
    text = re.sub(r"\s+", " ", explanation)
    return EXPLANATIONS.get(path) or f"{text[0].upper()}{text[1:]}"


def _type_name(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return f"list of {_type_name(get_args(kind)[0])}"
    return TYPE_NAMES.get(kind) or next(TYPE_NAMES[member] for member in get_args(kind) if member in TYPE_NAMES)


def _toml(value: Any) -> str:
    if value in ({}, (), None):
        return ""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value).lower() if isinstance(value, bool | int) else f'"{value}"'
