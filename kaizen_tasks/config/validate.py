"""Turns a configuration into `Settings`, or reports every problem at once.

A problem is one line: file, path, what is wrong, and the nearest valid name.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from kaizen_tasks.config.checks import suggest
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.config.structure import ConfigProblem, StructureError, structure
from kaizen_tasks.config.tables import RawConfig, RawEnvironment
from kaizen_tasks.config.validate_runtime import validate_runtime
from kaizen_tasks.config.validate_smoke import validate_check
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.runtime_config import RuntimeRules
from kaizen_tasks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.config.load import ConfigFile, TomlTable


def build_settings(config_file: ConfigFile, merged_table: TomlTable) -> Settings:
    """Check a configuration and return it as settings.

    Args:
        config_file: the file as it was read.
        merged_table: its content, overridden by Invoke's own sources: `invoke.yaml`, `inv -f` and `INVOKE_*`.

    Raises:
        ConfigurationError: with every problem there is.
    """
    if config_file.error:
        raise ConfigurationError((config_file.error,), hint=config_file.hint)
    problems = [
        ConfigProblem(key, f"unknown key{suggest(key, RawConfig._fields)}")
        for key in config_file.table
        if key not in RawConfig._fields
    ]
    table = {key: merged_table[key] for key in RawConfig._fields if key in merged_table}
    try:
        raw = structure(table, RawConfig)
    except StructureError as error:
        problems += (*error.problems, *_remaining_problems(error, table))
        raise _config_error(config_file, tuple(problems)) from None
    problems += (*_validate_required_keys(raw), *_validate(raw))
    if problems:
        raise _config_error(config_file, tuple(problems))
    return _resolve(config_file, raw)


def _remaining_problems(error: StructureError, table: TomlTable) -> tuple[ConfigProblem, ...]:
    """Return what else is wrong when every value that does not fit is replaced by its default."""
    remainder = copy.deepcopy(table)
    for problem in error.problems:
        _remove_value(remainder, problem.path.split("."))
    try:
        return tuple(_validate(structure(remainder, RawConfig)))
    except StructureError:
        return ()  # a key without default is left: what refers to its table cannot be checked


def _remove_value(table: TomlTable, path: list[str]) -> None:
    """Remove a value; of a list, the whole list, since its other items would move."""
    *parents, leaf = path
    for key in parents:
        child = table.get(key)
        if not isinstance(child, dict):
            leaf = key
            break
        table = child
    table.pop(leaf, None)


def _config_error(config_file: ConfigFile, problems: tuple[ConfigProblem, ...]) -> ConfigurationError:
    return ConfigurationError(tuple(f"{config_file.name}: {problem.path}: {problem.message}" for problem in problems))


def _validate(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find names that refer to nothing, and values that contradict each other."""
    environments, stages = tuple(raw.environments), (*raw.environments, *raw.groups)
    for position, stage in enumerate(raw.pipeline):
        if stage not in stages:
            message = f"{stage!r} is neither an environment nor a group{suggest(stage, stages)}"
            yield ConfigProblem(f"pipeline.{position}", message)
    for group, members in raw.groups.items():
        yield from _validate_group(group, members, environments)
    yield from _validate_no_sharing(raw)
    for position, check in enumerate(raw.smoke):
        yield from validate_check(f"smoke.{position}", check)
    yield from validate_runtime(raw.runtime)


def _validate_required_keys(raw: RawConfig) -> Iterator[ConfigProblem]:
    if not raw.app:
        yield ConfigProblem("app", "is missing: the app's name")
    if raw.environments and not raw.aws.region:
        yield ConfigProblem("aws.region", "is missing: the region of the repositories and services")
    if raw.environments and not raw.pipeline:
        yield ConfigProblem("pipeline", "is missing: the stages in the order in which a release reaches them")


def _validate_group(group: str, members: tuple[str, ...], environments: tuple[str, ...]) -> Iterator[ConfigProblem]:
    if group in environments:
        yield ConfigProblem(f"groups.{group}", "is also the name of an environment")
    if not members:
        yield ConfigProblem(f"groups.{group}", "has no environments")
    for position, member in enumerate(members):
        if member not in environments:
            yield ConfigProblem(
                f"groups.{group}.{position}",
                f"{member!r} is not an environment{suggest(member, environments)}",
            )
        elif member in members[:position]:
            yield ConfigProblem(f"groups.{group}.{position}", f"{member!r} is listed twice")


def _validate_no_sharing(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find environments that would change each other: by the same `:latest`, service or runtime configuration."""
    for key in ("repository", "service", "secret"):
        owners: dict[str, str] = {}
        for name, raw_environment in raw.environments.items():
            template = raw_environment.template(key, raw)
            resource_name = template.replace("{env}", name).replace("{app}", raw.app)
            owner = owners.setdefault(resource_name, name)
            if owner != name:
                yield ConfigProblem(f"environments.{name}.{key}", f"{template!r} is also used by {owner}")


def _resolve(config_file: ConfigFile, raw: RawConfig) -> Settings:
    values = raw._asdict() | {
        "root": config_file.root,
        "environments": {name: _resolve_environment(name, entry, raw) for name, entry in raw.environments.items()},
        "runtime": RuntimeRules(visible=raw.runtime.visible, keys=raw.runtime.keys),
    }
    del values["defaults"]
    return Settings(**values)


def _resolve_environment(name: str, raw_environment: RawEnvironment, raw: RawConfig) -> Environment:
    def fill(key: str) -> str:
        return raw_environment.template(key, raw).format(env=name, app=raw.app)

    return Environment(
        name=name,
        platform=fill("platform"),
        repository=fill("repository"),
        service=fill("service"),
        url=fill("url").rstrip("/"),
        secret=fill("secret"),
        protected=raw.defaults.protected if raw_environment.protected is None else raw_environment.protected,
        min_age=raw.evidence.min_age if raw_environment.min_age is None else raw_environment.min_age,
    )
