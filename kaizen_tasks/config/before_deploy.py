"""The commands before a deployment: in which environments each one runs, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kaizen_tasks.config.checks import suggest
from kaizen_tasks.config.structure import ConfigProblem
from kaizen_tasks.domain.command import BeforeDeployCommand, TaskSettings
from kaizen_tasks.domain.platform import PLATFORMS, PlatformKind

if TYPE_CHECKING:
    from kaizen_tasks.config.tables import BeforeDeployRule, RawConfig, RawEnvironment

TASK_KEYS = ("task", "subnets", "security_groups", "public_ip")
"""The keys of an environment that say where its commands run."""


def commands(environment: str, raw: RawConfig) -> tuple[BeforeDeployCommand, ...]:
    """Return the commands of an environment, in the order of the file."""
    return tuple(
        BeforeDeployCommand(name=rule.name, words=rule.command, timeout=rule.timeout, reversible=rule.reversible)
        for rule in raw.before_deploy
        if _applies(rule, environment, raw)
    )


def task_settings(family: str, environment: RawEnvironment, raw: RawConfig) -> TaskSettings | None:
    """Return where the commands of an environment run; None without a family, and where the service itself says it.

    Args:
        family: the value of `task`, its placeholders filled in.
        environment: the environment's own keys.
        raw: the whole file, from which the others are inherited.
    """
    if not family or _kind(environment, raw).runs_commands:
        return None
    return TaskSettings(
        family=family,
        subnets=_subnets(environment, raw),
        security_groups=environment.security_groups or raw.defaults.security_groups,
        public_ip=raw.defaults.public_ip if environment.public_ip is None else environment.public_ip,
    )


def validate(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find empty commands, names that are taken, unknown environments, and environments that run no commands."""
    stages, taken_names = (*raw.environments, *raw.groups), set[str]()
    for position, rule in enumerate(raw.before_deploy):
        path = f"before_deploy.{position}"
        if not rule.command or not rule.command[0]:
            yield ConfigProblem(f"{path}.command", "is empty: it is the program and its arguments")
        if rule.name in taken_names:
            yield ConfigProblem(f"{path}.name", f"{rule.name!r} is also the name of another command")
        taken_names.add(rule.name)
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
        if _applies(rule, name, raw)
        and not _kind(environment, raw).runs_commands
        and not environment.template("task", raw)
    )


def _applies(rule: BeforeDeployRule, environment: str, raw: RawConfig) -> bool:
    """Return whether a command runs in an environment: it is named, in a group that is named, or none is named."""
    named = {member for name in rule.environments for member in (name, *raw.groups.get(name, ()))}
    return not named or environment in named


def _subnets(environment: RawEnvironment, raw: RawConfig) -> tuple[str, ...]:
    return environment.subnets or raw.defaults.subnets


def _kind(environment: RawEnvironment, raw: RawConfig) -> PlatformKind:
    return PLATFORMS[environment.template("platform", raw)]
