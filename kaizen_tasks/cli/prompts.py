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


def stage(names: Sequence[str], settings: Settings) -> Stage:
    """Return everything that `--env` names, as one stage.

    Raises:
        UsageError: no name, or one that is not configured.
    """
    from kaizen_tasks.domain.environment import Stage

    if not names:
        known = ", ".join([*settings.environments, *settings.groups])
        raise UsageError("no environment is named", hint=f"add --env with one of: {known}")
    stages = [settings.stage(name) for name in names]
    environments = dict.fromkeys(environment for each in stages for environment in each.environments)
    return Stage(name=" ".join(each.name for each in stages), environments=tuple(environments))


def environment(name: str, settings: Settings) -> Environment:
    """Return the one environment that `--env` names.

    Raises:
        UsageError: no name, one that is not configured, or a group.
    """
    found = stage([name] if name else [], settings)
    if len(found.environments) != 1:
        members = ", ".join(each.name for each in found.environments)
        raise UsageError(f"{name} is a group", hint=f"name one of its environments: {members}")
    return found.environments[0]


def number(flag: str, typed: str, *, least: int, most: int) -> int:
    """Return the whole number that a flag was given: Invoke ends in a traceback over one that is none.

    Args:
        flag: its name, with dashes.
        typed: what was typed behind it.
        least: the smallest one that makes sense.
        most: the largest one.

    Raises:
        UsageError: it is no whole number, too small or too large.
    """
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10 and least <= int(typed) <= most):
        raise UsageError(f"{flag} {typed}: is not a whole number from {least} to {most}", hint=f"as in {flag} {least}")
    return int(typed)


def first_stage(name: str, settings: Settings) -> Stage:
    """Return the first stage of the pipeline, when that is what is meant.

    Raises:
        UsageError: the name is of another stage, or of none.
    """
    if settings.stage(name) != settings.first_stage:
        first = settings.first_stage.name
        raise UsageError(f"{name} is not the first stage of the pipeline", hint=f"inv release-{first}")
    return settings.first_stage


def shard(text: str | None) -> Shard | None:
    """Return the part of the environments that `--shard` names; None when it is not given.

    Raises:
        UsageError: it names none, which an empty variable of a CI job must not turn into all of them.
    """
    from kaizen_tasks.domain.rollout import parse_shard

    return None if text is None else parse_shard(text)


def part(whole: Stage, shard: Shard | None, tools: Toolbox) -> Stage:
    """Return a shard's environments and say which they are; the whole stage when there is no shard."""
    if shard is None:
        return whole
    from kaizen_tasks.flows.promote import shards

    taken = shards.part(whole, shard)
    names = ", ".join(each.name for each in taken.environments) or "none, so there is nothing to do"
    of = f"{len(taken.environments)} of {len(whole.environments)} environments"
    tools.reporter.note(f"shard {shard} of {whole.name} ({of}): {names}")
    return taken


def reason(flag: str, text: str | None) -> str:
    """Return what a person said for the ledger; empty when the flag is not given.

    Raises:
        UsageError: nothing, or the next flag, which Invoke takes for the reason when there is none.
    """
    if text is None:
        return ""
    said = " ".join(text.split())
    if not said or said.startswith("-"):
        raise UsageError(f"{flag} {text}".rstrip() + ": is no reason", hint=f'say why: {flag} "the fix is urgent"')
    return said


def announce(what: str, environments: Sequence[Environment], tools: Toolbox) -> None:
    """Say app, release, environments, account and region before anything happens.

    Raises:
        Denied: the credentials are of another account.
    """
    names = ", ".join(environment.name for environment in environments)
    account, region = tools.identity.account(), tools.settings.aws.region
    tools.reporter.heading(f"{tools.settings.app} {what} → {names}   (account {account}, {region})")


def confirm(environments: Sequence[Environment], tools: Toolbox, *, yes: bool) -> None:
    """Ask for the app's name before a protected environment is changed.

    Raises:
        Refused: the answer is another one, or nobody can be asked.
    """
    protected = ", ".join(environment.name for environment in environments if environment.protected)
    if not protected or yes or tools.dry:
        return
    nothing = "nothing has been changed"
    if not sys.stdin.isatty():
        raise Refused(f"{protected} is protected, and nobody is here to ask", state=nothing, hint="add --yes")
    sys.stderr.write(f"{protected} is protected. Type {tools.settings.app} to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != tools.settings.app:
        raise Refused(f"{protected} is protected, and the answer was another one", state=nothing, hint="type it again")


def agree(what: str, *, yes: bool) -> None:
    """Ask a plain question.

    Raises:
        Refused: the answer is no, or nobody can be asked.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"{what}: nobody is here to ask", state="nothing has been changed", hint="add --yes")
    sys.stderr.write(f"{what}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise Refused(f"{what}: the answer was no", state="nothing has been changed")


def answer(what: str, default: str) -> str:
    """Ask for a word or more; an empty line, or the end of the input, is the default."""
    sys.stderr.write(f"{what} [{default}]: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() or default
