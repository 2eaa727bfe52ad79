"""Adds and removes holds, and with them the notifications of those who are told."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaizen_tasks.domain.hold import Hold
    from kaizen_tasks.ports.tools import Tools


def add_hold(hold: Hold, tools: Tools) -> Hold:
    """Add a hold if its environment has none; return the hold now in place, which may be somebody else's."""
    if not tools.settings.notify:
        return tools.holds.add(hold)
    from kaizen_tasks.flows.notification.news import hold_notifications

    return tools.holds.add(hold, hold_notifications(hold, tools))


def remove_hold(environment: str, tools: Tools) -> Hold | None:
    """Remove the hold of an environment and return it, or None when there was none."""
    if not tools.settings.notify:
        return tools.holds.remove(environment)
    from kaizen_tasks.flows.notification.news import hold_notifications

    return tools.holds.remove(environment, notify=partial(hold_notifications, tools=tools, is_removal=True))
