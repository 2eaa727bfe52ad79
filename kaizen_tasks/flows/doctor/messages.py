"""Checks of the targets of messages; nothing is sent, and no release is prevented."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.doctor import Finding, Subject, Verdict
from kaizen_tasks.flows.doctor.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.notification.target import NotifyTarget
    from kaizen_tasks.ports.tools import Tools


def checks(tools: Tools) -> Iterator[Check]:
    """Return a check of each target."""
    for target in tools.settings.notify:
        yield Check(
            subject=Subject("messages"), probe=partial(_check_target, target, tools), error_verdict=Verdict.WARNING
        )


def _check_target(target: NotifyTarget, tools: Tools, subject: Subject) -> Iterator[Finding]:
    tools.messenger.require_usable(target)
    yield subject.ok(f"{target.name} can be told; nothing was sent")
