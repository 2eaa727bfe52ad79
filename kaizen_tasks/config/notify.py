"""The targets of messages: what `[[notify]]` makes of them, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kaizen_tasks.config.checks import suggest
from kaizen_tasks.config.structure import ConfigProblem

if TYPE_CHECKING:
    from kaizen_tasks.config.tables import NotifyRule, RawConfig
    from kaizen_tasks.domain.notification.target import NotifyTarget

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


def targets(raw: RawConfig) -> tuple[NotifyTarget, ...]:
    """Return the targets, in the order of the file."""
    from kaizen_tasks.domain.notification.target import NotifyTarget
    from kaizen_tasks.domain.notification.topic import Topic

    return tuple(
        NotifyTarget(
            name=_name(rule),
            topics=frozenset(map(Topic, rule.on)),
            environments=frozenset(name for stage in rule.stages for name in raw.groups.get(stage, (stage,))),
            **{name: value for name, value in rule._asdict().items() if name not in {"name", "on", "stages"}},
        )
        for rule in raw.notify
    )


def validate(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find targets without an address, keys that their format does not have, unknown stages, and names that are taken.

    No message repeats a value: it may be a secret at the wrong place.
    """
    stages = (*raw.environments, *raw.groups)
    taken_names = set[str]()
    for position, rule in enumerate(raw.notify):
        path = f"notify.{position}"
        if not rule.on:
            yield ConfigProblem(f"{path}.on", 'is empty: it is told nothing; as in on = ["promoted", "failed"]')
        for number, stage in enumerate(rule.stages):
            if stage not in stages:
                message = f"is neither an environment nor a group{suggest(stage, stages)}"
                yield ConfigProblem(f"{path}.stages.{number}", message)
        yield from (*_validate_address(path, rule), *_validate_format(path, rule))
        name = _name(rule)
        if name in taken_names:
            yield ConfigProblem(f"{path}.name", f"{name!r} is also the name of another target: write another name")
        taken_names.add(name)
    if raw.notify and not raw.environments:
        yield ConfigProblem("notify", "has no effect: without environments, nothing happens that could be told")


def _validate_address(path: str, rule: NotifyRule) -> Iterator[ConfigProblem]:
    """Find targets with no address or two, and addresses that others could read."""
    url = urlsplit(rule.webhook)
    if rule.webhook and rule.webhook_secret:
        yield ConfigProblem(path, "has both webhook and webhook_secret: one of them says where the address is")
    elif not (rule.webhook or rule.webhook_secret or rule.token_secret):
        example = 'webhook_secret = "kaizen/slack"'
        yield ConfigProblem(path, f"has neither webhook nor webhook_secret: where are messages sent? As in {example}")
    elif url.scheme == "http" and url.hostname not in LOOPBACK_HOSTS:
        yield ConfigProblem(f"{path}.webhook", "begins with http://, which anybody on the way can read: write https://")
    elif rule.webhook and rule.format == "apprise":
        message = "is not for apprise, whose addresses have passwords in them: write webhook_secret"
        yield ConfigProblem(f"{path}.webhook", message)


def _validate_format(path: str, rule: NotifyRule) -> Iterator[ConfigProblem]:
    """Find keys that the format of a target does not have, and a bot without a channel."""
    for key, format_name in (("signing_secret", "json"), ("token_secret", "slack")):
        if getattr(rule, key) and rule.format != format_name:
            yield ConfigProblem(f"{path}.{key}", f"is only for the format {format_name!r}, not for {rule.format!r}")
    if rule.token_secret and rule.webhook_secret:
        yield ConfigProblem(f"{path}.webhook_secret", "is not needed beside token_secret: the channel is the address")
    if rule.token_secret and not rule.channel:
        yield ConfigProblem(f"{path}.channel", "is missing: the channel in which the bot writes")
    if rule.private_host and rule.format == "apprise":
        yield ConfigProblem(f"{path}.private_host", "is not for apprise, which connects to whatever its address names")
    if rule.channel and not rule.token_secret:
        yield ConfigProblem(f"{path}.channel", "is only for a bot: an address without token_secret has its own channel")


def _name(rule: NotifyRule) -> str:
    """Return the name of a target: its own, that of its secret, or the host of its address."""
    return rule.name or rule.token_secret or rule.webhook_secret or urlsplit(rule.webhook).netloc
