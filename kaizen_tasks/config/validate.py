"""Turns what was written into `Settings`, or into every problem at once.

A problem is one line: file, path, what is wrong, and the nearest valid name.
"""

from __future__ import annotations

import copy
import string
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.config import validate_runtime
from kaizen_tasks.config.load import with_defaults
from kaizen_tasks.config.raw import RawConfig, RawEnvironment
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.config.structure import ConfigProblem, StructureError, structure, suggest
from kaizen_tasks.config.validate_smoke import validate_check
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.config.load import ConfigFile, TomlTable

ENGINES = ("auto", "docker", "podman", "buildah", "bundle")
PLATFORMS = ("apprunner",)
TOP_LEVEL_KEYS = tuple(attribute.name for attribute in attrs.fields(RawConfig))


def build_settings(config_file: ConfigFile, merged_table: TomlTable) -> Settings:
    """Check a configuration and return it as settings.

    Args:
        config_file: the file as it was found.
        merged_table: its content with defaults below and Invoke's own layers (`invoke.yaml`, `inv -f`, `INVOKE_*`) above.

    Raises:
        ConfigurationError: with every problem there is.
    """
    if config_file.error:
        raise ConfigurationError((config_file.error,), hint=config_file.hint)
    problems = [
        ConfigProblem(key, f"unknown key{suggest(key, TOP_LEVEL_KEYS)}")
        for key in config_file.table
        if key not in TOP_LEVEL_KEYS
    ]
    table = {key: merged_table[key] for key in TOP_LEVEL_KEYS if key in merged_table}
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
    """Return what else is wrong, with the default in every place that does not fit."""
    remainder = copy.deepcopy(table)
    for problem in error.problems:
        _remove_value(remainder, problem.path.split("."))
    try:
        return tuple(_validate(structure(with_defaults(remainder), RawConfig)))
    except StructureError:
        return ()  # a table is missing whole; what it would refer to cannot be told


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
    """Find names that point nowhere, and values that no type can rule out."""
    environments, stages = tuple(raw.environments), (*raw.environments, *raw.groups)
    for position, stage in enumerate(raw.pipeline):
        if stage not in stages:
            message = f"{stage!r} is neither an environment nor a group{suggest(stage, stages)}"
            yield ConfigProblem(f"pipeline.{position}", message)
    for group, members in raw.groups.items():
        yield from _validate_group(group, members, environments)
    for name, raw_environment in raw.environments.items():
        yield from _validate_environment(f"environments.{name}", raw_environment, raw)
    yield from _validate_no_sharing(raw)
    yield from _validate_ranges(raw)
    yield from _validate_formats(raw)
    yield from validate_runtime.validate_runtime(raw.runtime)


def _validate_required_keys(raw: RawConfig) -> Iterator[ConfigProblem]:
    if not raw.app:
        yield ConfigProblem("app", "is missing: the app's name")
    if raw.environments and not raw.aws.region:
        yield ConfigProblem("aws.region", "is missing: the region of the repositories and services")
    if raw.environments and not raw.pipeline:
        yield ConfigProblem("pipeline", "is missing: the stages in the order in which a release reaches them")


def _validate_group(group: str, members: tuple[str, ...], environments: tuple[str, ...]) -> Iterator[ConfigProblem]:
    if group in environments:
        yield ConfigProblem(f"groups.{group}", "is the name of an environment too")
    if not members:
        yield ConfigProblem(f"groups.{group}", "has no environments")
    for position, member in enumerate(members):
        if member not in environments:
            yield ConfigProblem(
                f"groups.{group}.{position}",
                f"{member!r} is not an environment{suggest(member, environments)}",
            )
        elif member in members[:position]:
            yield ConfigProblem(f"groups.{group}.{position}", f"{member!r} stands there twice")


def _validate_environment(path: str, raw_environment: RawEnvironment, raw: RawConfig) -> Iterator[ConfigProblem]:
    for key in ("repository", "service", "url", "secret"):
        template = raw_environment.template(key, raw)
        if not _placeholder_names(template) <= {"env", "app"}:
            yield ConfigProblem(f"{path}.{key}", f"{template!r} has a placeholder other than {{env}} and {{app}}")
    url = raw_environment.url or raw.defaults.url
    if url and not url.startswith(("https://", "http://")):
        yield ConfigProblem(f"{path}.url", f"{url!r} begins with neither https:// nor http://")
    platform = raw_environment.platform or raw.defaults.platform
    if platform not in PLATFORMS:
        yield ConfigProblem(f"{path}.platform", f"{platform!r} is not a platform{suggest(platform, PLATFORMS)}")


def _placeholder_names(template: str) -> set[str]:
    """Return the names between braces; a template that cannot be filled in has an impossible one."""
    try:
        return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError:
        return {template}


def _validate_no_sharing(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find environments that would change each other: by the same `:latest`, service or runtime configuration."""
    for key in ("repository", "service", "secret"):
        owners: dict[str, str] = {}
        for name, raw_environment in raw.environments.items():
            template = raw_environment.template(key, raw)
            resource_name = template.replace("{env}", name).replace("{app}", raw.app)
            owner = owners.setdefault(resource_name, name)
            if owner != name:
                yield ConfigProblem(f"environments.{name}.{key}", f"{template!r} is that of {owner} too")


def _validate_ranges(raw: RawConfig) -> Iterator[ConfigProblem]:
    account = raw.aws.account
    if account and not (account.isdecimal() and len(account) == 12):
        yield ConfigProblem("aws.account", f"{account!r} is not a 12-digit account number")
    if raw.build.engine not in ENGINES:
        yield ConfigProblem(
            "build.engine",
            f"{raw.build.engine!r} is not an engine{suggest(raw.build.engine, ENGINES)}",
        )
    for path, number, minimum in (
        ("verify.matches", raw.verify.matches, 1),
        ("rollout.canary", raw.rollout.canary, 0),
        ("rollout.parallel", raw.rollout.parallel, 1),
        ("rollout.max_failures", raw.rollout.max_failures, 0),
    ):
        if number < minimum:
            yield ConfigProblem(path, f"{number} is below {minimum}")
    if not raw.verify.timeout:
        yield ConfigProblem("verify.timeout", "leaves no time to ask")


def _validate_formats(raw: RawConfig) -> Iterator[ConfigProblem]:
    tag = raw.release.tag
    if "{version}" not in tag:
        yield ConfigProblem("release.tag", f"{tag!r} does not contain {{version}}")
    elif _placeholder_names(tag) != {"version"}:
        yield ConfigProblem("release.tag", f"{tag!r} has a placeholder other than {{version}}")
    if not raw.verify.path.startswith("/"):
        yield ConfigProblem("verify.path", f"{raw.verify.path!r} does not begin with /")
    for position, check in enumerate(raw.smoke):
        yield from validate_check(f"smoke.{position}", check)


def _resolve(config_file: ConfigFile, raw: RawConfig) -> Settings:
    values = {field.name: getattr(raw, field.name) for field in attrs.fields(RawConfig) if field.name != "defaults"}
    environments = {
        name: _resolve_environment(name, raw_environment, raw) for name, raw_environment in raw.environments.items()
    }
    return Settings(**(values | {"root": config_file.root, "environments": environments}))


def _resolve_environment(name: str, raw_environment: RawEnvironment, raw: RawConfig) -> Environment:
    def fill(key: str) -> str:
        return raw_environment.template(key, raw).format(env=name, app=raw.app)

    protected = raw.defaults.protected if raw_environment.protected is None else raw_environment.protected
    return Environment(
        name=name,
        platform=fill("platform"),
        repository=fill("repository"),
        service=fill("service"),
        url=fill("url").rstrip("/"),
        secret=fill("secret"),
        protected=bool(protected),
        min_age=raw.evidence.min_age if raw_environment.min_age is None else raw_environment.min_age,
    )
