"""The commands before a deployment: in which environments each one runs, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kaizen_tasks.config.checks import suggest
from kaizen_tasks.config.structure import ConfigProblem, StructureError, structure
from kaizen_tasks.config.tables import RawConfig
from kaizen_tasks.domain.platform import PLATFORMS, PlatformKind
from kaizen_tasks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.config.load import ConfigFile, TomlTable
    from kaizen_tasks.config.tables import BeforeDeployRule, RawEnvironment
    from kaizen_tasks.domain.command import BeforeDeployCommand, TaskSettings
    from kaizen_tasks.domain.environment import Environment

TASK_KEYS = ("task", "subnets", "security_groups", "public_ip")
"""The keys of an environment that say where its commands run."""


def commands(environment: str, raw: RawConfig) -> tuple[BeforeDeployCommand, ...]:
    """Return the commands of an environment, in the order of the file."""
    return tuple(_command(rule) for rule in raw.before_deploy if _applies(rule, (environment,), raw.groups))


def committed_commands(
    environment: Environment, config_file: ConfigFile, groups: Mapping[str, tuple[str, ...]]
) -> tuple[BeforeDeployCommand, ...]:
    """Return the commands that the configuration of a commit has for an environment of today.

    Of that configuration nothing else is read but the groups: it may be that of another version of this tool. A group
    that exists today has the members of today; an environment is also known by the names that it had before.

    Args:
        environment: the environment, as configured today.
        config_file: the configuration of the commit.
        groups: the groups of today.

    Raises:
        ConfigurationError: it is not TOML, or has commands that this version does not understand.
    """
    if config_file.error:
        raise ConfigurationError((config_file.error,))
    if "before_deploy" not in config_file.table:
        return ()
    table: TomlTable = {key: config_file.table[key] for key in ("before_deploy", "groups") if key in config_file.table}
    try:
        committed = structure(table, RawConfig)
        problems = tuple(_validate_rules(committed))
    except StructureError as error:
        problems = error.problems
    if problems:
        raise ConfigurationError(tuple(f"{config_file.name}: {each.path}: {each.message}" for each in problems))
    names = (environment.name, *environment.formerly)
    all_groups = {**committed.groups, **groups}
    return tuple(_command(rule) for rule in committed.before_deploy if _applies(rule, names, all_groups))


def _command(rule: BeforeDeployRule) -> BeforeDeployCommand:
    from kaizen_tasks.domain.command import BeforeDeployCommand

    return BeforeDeployCommand(name=rule.name, words=rule.command, timeout=rule.timeout, reversible=rule.reversible)


def task_settings(family: str, environment: RawEnvironment, raw: RawConfig) -> TaskSettings | None:
    """Return where the commands of an environment run; None without a family, and where the service itself says it.

    Args:
        family: the value of `task`, its placeholders filled in.
        environment: the environment's own keys.
        raw: the whole file, from which the others are inherited.
    """
    if not family or _kind(environment, raw).runs_commands:
        return None
    from kaizen_tasks.domain.command import TaskSettings

    return TaskSettings(
        family=family,
        subnets=_subnets(environment, raw),
        security_groups=environment.security_groups or raw.defaults.security_groups,
        public_ip=raw.defaults.public_ip if environment.public_ip is None else environment.public_ip,
    )


def validate(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find empty commands, names that are taken, unknown environments, and environments that run no commands."""
    yield from _validate_rules(raw)
    stages = (*raw.environments, *raw.groups)
    for position, rule in enumerate(raw.before_deploy):
        path = f"before_deploy.{position}"
        unknown = [name for name in rule.environments if name not in stages]
        for name in unknown:
            message = f"{name!r} is neither an environment nor a group{suggest(name, stages)}"
            yield ConfigProblem(f"{path}.environments", message)
        unable = () if unknown else _without_commands(rule, raw)
        if unable:
            title = _kind(raw.environments[unable[0]], raw).title
            key = f"environments.{unable[0]}.task" if len(unable) == 1 else "defaults.task"
            message = (
                f"{', '.join(unable)}: {title} runs no commands; leave {'it' if len(unable) == 1 else 'them'} out of "
                f"environments, or name an ECS task definition in {key}"
            )
            yield ConfigProblem(f"{path}.environments", message)
    yield from _validate_task_keys(raw)


def _validate_rules(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find empty commands, and names that are taken."""
    taken_names = set[str]()
    for position, rule in enumerate(raw.before_deploy):
        path = f"before_deploy.{position}"
        if not rule.command or not rule.command[0]:
            yield ConfigProblem(f"{path}.command", "is empty: it is the program and its arguments")
        if rule.name in taken_names:
            yield ConfigProblem(f"{path}.name", f"{rule.name!r} is also the name of another command")
        taken_names.add(rule.name)


def _validate_task_keys(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find keys of tasks in environments whose service says where commands run, and of tasks that are not named."""
    for name, environment in raw.environments.items():
        kind, given = _kind(environment, raw), [key for key in TASK_KEYS if getattr(environment, key)]
        if given and kind.runs_commands:
            message = f"is not for {kind.title}, whose commands run with the definition and the network of the service"
            yield ConfigProblem(f"environments.{name}.{given[0]}", message)
        elif given and not environment.template("task", raw):
            message = f"is for the tasks of {kind.title} environments, and needs task: a task definition's family"
            yield ConfigProblem(f"environments.{name}.{given[0]}", message)
        elif not kind.runs_commands and environment.template("task", raw) and not _subnets(environment, raw):
            key = f"environments.{name}.subnets" if environment.task else "defaults.subnets"
            yield ConfigProblem(key, "is missing: the subnets in which the tasks run that task names")
            if key == "defaults.subnets":
                return


def _without_commands(rule: BeforeDeployRule, raw: RawConfig) -> tuple[str, ...]:
    """Return the environments of a command whose platform runs none, and that have no task definition for it."""
    return tuple(
        name
        for name, environment in raw.environments.items()
        if _applies(rule, (name,), raw.groups)
        and not _kind(environment, raw).runs_commands
        and not environment.template("task", raw)
    )


def _applies(rule: BeforeDeployRule, names: tuple[str, ...], groups: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether a command runs in an environment: it is named, in a group that is named, or none is named.

    Args:
        rule: the command.
        names: the environment's name, and those that it had before.
        groups: the members of each group.
    """
    named = {member for name in rule.environments for member in (name, *groups.get(name, ()))}
    return not named or not named.isdisjoint(names)


def _subnets(environment: RawEnvironment, raw: RawConfig) -> tuple[str, ...]:
    return environment.subnets or raw.defaults.subnets


def _kind(environment: RawEnvironment, raw: RawConfig) -> PlatformKind:
    return PLATFORMS[environment.template("platform", raw)]
