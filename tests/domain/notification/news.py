"""Notifications and threads for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kaizen_tasks.domain.notification.message import Change
from kaizen_tasks.domain.notification.notification import Notification
from kaizen_tasks.domain.notification.topic import Topic

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
GROUP = ("mark", "shane", "dom")
FLEET = tuple(f"tenant{number:02}" for number in range(60))


def notification(
    environment: str = "prod",
    topic: Topic = Topic.PROMOTED,
    *,
    minute: int = 0,
    version: str = "v1.2.3",
    thread: str = "v1.2.3",
    reason: str = "",
    seconds: float = 130.0,
    next_step: str = "",
    target: str = "team",
    actor: str = "ada",
) -> Notification:
    """Return a notification; tenants are in `beta` or `fleet`, each other environment is a stage of its own."""
    groups = {**dict.fromkeys(GROUP, ("beta", len(GROUP))), **dict.fromkeys(FLEET, ("fleet", len(FLEET)))}
    stage, stage_size = groups.get(environment, (environment, 1))
    change = Change(
        environment=environment,
        topic=topic,
        at=NOON + timedelta(minutes=minute),
        actor=actor,
        version=version,
        reason=reason,
        seconds=seconds,
    )
    return Notification(
        target=target,
        thread=thread,
        change=change,
        stage=stage,
        stage_size=stage_size,
        next_step=next_step,
        commit="4f2a9c81" * 5,
    )
