"""What is said and asked before the world is changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kaizen_tasks.errors import Refused, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment, Stage
    from kaizen_tasks.domain.rollout import Shard
    from kaizen_tasks.wiring import Toolbox


def resolve_stage(names: Sequence[str], settings: Settings) -> Stage:
    """Return everything that `--env` names, as one stage.

    Raises:
        UsageError: no name, or one that is not configured.
    """
    from kaizen_tasks.domain.environment import Stage

    if not names:
        choices = ", ".join([*settings.environments, *settings.groups])
        raise UsageError("no environment is named", hint=f"add --env with one of: {choices}")
    stages = [settings.stage(name) for name in names]
    environments = dict.fromkeys(environment for member_stage in stages for environment in member_stage.environments)
    return Stage(name=" ".join(member_stage.name for member_stage in stages), environments=tuple(environments))


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


def parse_number(flag: str, text: str, *, minimum: int, maximum: int) -> int:
    """Return the whole number that a flag was given: Invoke ends in a traceback over one that is none.

    Args:
        flag: its name, with dashes.
        text: what was typed behind it.
        minimum: the smallest one that makes sense.
        maximum: the largest one.

    Raises:
        UsageError: it is no whole number, too small or too large.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 10 and minimum <= int(text) <= maximum):
        raise UsageError(
            f"{flag} {text}: is not a whole number from {minimum} to {maximum}", hint=f"as in {flag} {minimum}"
        )
    return int(text)


def require_first_stage(name: str, settings: Settings) -> Stage:
    """Return the first stage of the pipeline, when that is what is meant.

    Raises:
        UsageError: the name is of another stage, or of none.
    """
    if settings.stage(name) != settings.first_stage:
        first_name = settings.first_stage.name
        raise UsageError(f"{name} is not the first stage of the pipeline", hint=f"inv release-{first_name}")
    return settings.first_stage


def parse_optional_shard(text: str | None) -> Shard | None:
    """Return the part of the environments that `--shard` names; None when it is not given.

    Raises:
        UsageError: it names none, which an empty variable of a CI job must not turn into all of them.
    """
    from kaizen_tasks.domain.rollout import parse_shard

    return None if text is None else parse_shard(text)


def select_shard(full_stage: Stage, shard: Shard | None, tools: Toolbox) -> Stage:
    """Return a shard's environments and say which they are; the whole stage when there is no shard."""
    if shard is None:
        return full_stage
    from kaizen_tasks.flows.promote import shards

    shard_stage = shards.shard_stage(full_stage, shard)
    names = ", ".join(member.name for member in shard_stage.environments) or "none, so there is nothing to do"
    proportion = f"{len(shard_stage.environments)} of {len(full_stage.environments)} environments"
    tools.reporter.note(f"shard {shard} of {full_stage.name} ({proportion}): {names}")
    return shard_stage


def parse_reason(flag: str, text: str | None) -> str:
    """Return what a person said for the ledger; empty when the flag is not given.

    Raises:
        UsageError: nothing, or the next flag, which Invoke takes for the reason when there is none.
    """
    if text is None:
        return ""
    reason_text = " ".join(text.split())
    if not reason_text or reason_text.startswith("-"):
        raise UsageError(f"{flag} {text}".rstrip() + ": is no reason", hint=f'say why: {flag} "the fix is urgent"')
    return reason_text


def print_header(title: str, environments: Sequence[Environment], tools: Toolbox) -> None:
    """Say app, release, environments, account and region before anything happens.

    Raises:
        Denied: the credentials are of another account.
    """
    names = ", ".join(environment.name for environment in environments)
    account, region = tools.identity.account_id(), tools.settings.aws.region
    tools.reporter.heading(f"{tools.settings.app} {title} → {names}   (account {account}, {region})")


def confirm_protected(environments: Sequence[Environment], tools: Toolbox, *, yes: bool) -> None:
    """Ask for the app's name before a protected environment is changed.

    Raises:
        Refused: the answer is another one, or nobody can be asked.
    """
    protected = ", ".join(environment.name for environment in environments if environment.protected)
    if not protected or yes or tools.dry:
        return
    unchanged_state = "nothing has been changed"
    if not sys.stdin.isatty():
        raise Refused(f"{protected} is protected, and nobody is here to ask", state=unchanged_state, hint="add --yes")
    sys.stderr.write(f"{protected} is protected. Type {tools.settings.app} to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != tools.settings.app:
        raise Refused(
            f"{protected} is protected, and the answer was another one", state=unchanged_state, hint="type it again"
        )


def confirm_yes_no(question: str, *, yes: bool) -> None:
    """Ask a plain question.

    Raises:
        Refused: the answer is no, or nobody can be asked.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"{question}: nobody is here to ask", state="nothing has been changed", hint="add --yes")
    sys.stderr.write(f"{question}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise Refused(f"{question}: the answer was no", state="nothing has been changed")


def prompt(question: str, default: str) -> str:
    """Ask for a word or more; an empty line, or the end of the input, is the default."""
    sys.stderr.write(f"{question} [{default}]: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() or default
