"""Turns the values of flags into what the domain understands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kaizen_tasks.cli.correction import DASHES
from kaizen_tasks.config import checks
from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.platform import PLATFORMS
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from semver import Version

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment, Stage
    from kaizen_tasks.domain.rollout import Shard
    from kaizen_tasks.flows.steps.bump import Bump

SERVICE_ENGINES = ("auto", "docker", "process", "none")


def resolve_stage(names: Sequence[str], settings: Settings) -> Stage:
    """Return all environments that `--env` names, as one stage.

    Raises:
        UsageError: no name, or one that is not configured.
    """
    from kaizen_tasks.domain.environment import Stage

    if not names:
        choices = ", ".join([*settings.environments, *settings.groups])
        raise UsageError("--env is missing", hint=f"add --env with one of: {choices}")
    stages = [settings.stage(name) for name in names]
    environments = dict.fromkeys(environment for member_stage in stages for environment in member_stage.environments)
    return Stage(name=", ".join(member_stage.name for member_stage in stages), environments=tuple(environments))


def resolve_environments_or_all(names: Sequence[str], settings: Settings) -> tuple[Environment, ...]:
    """Return all environments that `--env` names, or every environment when it is not given."""
    return resolve_stage(names, settings).environments if names else tuple(settings.environments.values())


def resolve_environment(name: str, settings: Settings) -> Environment:
    """Return the one environment that `--env` names.

    Raises:
        UsageError: no name, one that is not configured, or a group.
    """
    selection = resolve_stage([name] if name else [], settings)
    if len(selection.environments) != 1:
        members = ", ".join(member.name for member in selection.environments)
        raise UsageError(f"{name} is a group", hint=f"name one of its environments: {members}")
    return selection.environments[0]


def words_after_dashes() -> tuple[str, ...]:
    """Return the words behind `--`, as the shell has split them; Invoke joins them, and so loses where they end."""
    return tuple(sys.argv[sys.argv.index(DASHES) + 1 :]) if DASHES in sys.argv else ()


def parse_service_engine(name: str) -> str:
    """Return the value of the `--engine` of a local cloud.

    Raises:
        UsageError: there is no such engine.
    """
    if name not in SERVICE_ENGINES:
        as_builder = f" ({name} builds images, as build.engine)" if name in checks.ENGINES else ""
        raise unknown_choice_error(f"--engine {name!r} does not run services{as_builder}", name, SERVICE_ENGINES)
    return name


def parse_platform(name: str) -> str:
    """Return the value of `--platform`.

    Raises:
        UsageError: there is no such platform.
    """
    if name not in PLATFORMS:
        raise unknown_choice_error(f"--platform {name!r} is not a platform", name, tuple(PLATFORMS))
    return name


def parse_engine(name: str) -> str:
    """Return the value of `--engine`.

    Raises:
        UsageError: there is no such engine.
    """
    if checks.engine(name):
        raise unknown_choice_error(f"--engine {name!r} is not an engine", name, checks.ENGINES)
    return name


def unknown_choice_error(message: str, value: str, choices: Sequence[str]) -> UsageError:
    """Return the error for a value that is not among those of a flag, with the nearest one in the corrected line."""
    from difflib import get_close_matches

    nearest = tuple(get_close_matches(value, choices, n=1))
    return UsageError(message, hint=f"choose one of {', '.join(choices)}", wrong=value, right=nearest)


def parse_number(flag: str, text: str, *, minimum: int, maximum: int) -> int:
    """Return the value of a flag as a whole number. If Invoke converted it, a wrong one would be a traceback.

    Args:
        flag: its name, with dashes.
        text: its value.
        minimum: the smallest valid number.
        maximum: the largest valid number.

    Raises:
        UsageError: it is not a whole number, too small or too large.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 10 and minimum <= int(text) <= maximum):
        raise UsageError(f"{flag}: expected a whole number from {minimum} to {maximum}, got {text!r}")
    return int(text)


def require_first_stage(name: str, settings: Settings) -> Stage:
    """Return the named stage, which must be the first of the pipeline.

    Raises:
        UsageError: no stage has this name, or it is not the first.
    """
    if settings.stage(name) != settings.first_stage:
        first_name = settings.first_stage.name
        raise UsageError(f"{name} is not the first stage of the pipeline", hint=f"inv release-{first_name}")
    return settings.first_stage


def parse_optional_shard(text: str | None) -> Shard | None:
    """Return the shard that `--shard` names; None when the flag is not given.

    Raises:
        UsageError: it is not a shard. An empty value is an error too: in a CI job, an unset variable must not mean all.
    """
    from kaizen_tasks.domain.rollout import parse_shard

    return None if text is None else parse_shard(text)


def parse_reason(flag: str, text: str | None) -> str:
    """Return a reason for the ledger, in one line; empty when the flag is not given.

    Raises:
        UsageError: it is empty, or is the next flag, which Invoke takes for the value of one that has none.
    """
    if text is None:
        return ""
    reason_text = " ".join(text.split())
    if not reason_text or reason_text.startswith("-"):
        raise UsageError(f"{flag} needs a reason, got {text!r}", hint=f'such as {flag} "the fix is urgent"')
    return reason_text


def parse_release(text: str, *, flag: str = "--release") -> Version | None:
    """Return the version that a flag names; None when it is not given.

    Raises:
        UsageError: it is not a version.
    """
    return versions.parse_version(text, origin=flag) if text else None


def parse_duration(flag: str, text: str) -> float:
    """Return the seconds that a flag asks for; zero when it is not given.

    Raises:
        UsageError: it is not a duration.
    """
    from kaizen_tasks.domain.text import duration

    try:
        return duration.parse_duration(text) if text else 0
    except ValueError as error:
        raise UsageError(f"{flag} {text}: {error}") from None


def parse_since(flag: str, text: str, now: datetime) -> datetime:
    """Return when the span begins that a flag asks for: a length of time before now, or a date or time.

    Raises:
        UsageError: it is neither, is in the future, or is before the year 1.
    """
    from kaizen_tasks.domain.text import moment

    try:
        return moment.parse_past(text, now)
    except ValueError as error:
        raise UsageError(f"{flag} {text}: {error}", hint=f"such as {flag} 7d or {flag} {now:%Y-%m-01}") from None


def parse_bump(
    part: str,
    to: str,
    *,
    force: bool,
    accept_released: bool = True,
    hotfix: bool = False,
    environment: Environment | None = None,
    ask_remote: bool = True,
) -> Bump:
    """Return the bump that `--part`, `--to` and `--force` ask for; see `Bump` for the other arguments.

    Raises:
        UsageError: there is no such part, or it is not a version.
    """
    from kaizen_tasks.flows.steps.bump import Bump

    return Bump(
        part=versions.parse_part(part),
        to=parse_release(to, flag="--to"),
        accept_released=accept_released,
        force=force,
        hotfix=hotfix,
        environment=environment,
        ask_remote=ask_remote,
    )
