"""Adds and removes holds, and with them the notifications of those who are told."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.errors import Denied

if TYPE_CHECKING:
    from kaizen_tasks.domain.hold import Hold
    from kaizen_tasks.ports.tools import Tools


def add_hold(hold: Hold, tools: Tools) -> Hold:
    """Add a hold if its environment has none; return the hold now in place, which may be somebody else's."""
    if not tools.settings.notify:
        return tools.holds.add(hold)
    from kaizen_tasks.flows.news import hold_notifications, write_with

    return write_with(hold_notifications(hold, tools), partial(tools.holds.add, hold), tools)


def remove_hold(environment: str, tools: Tools) -> Hold | None:
    """Remove the hold of an environment and return it, or None when there was none."""
    if not tools.settings.notify:
        return tools.holds.remove(environment)
    from kaizen_tasks.flows.news import hold_notifications

    notify = partial(hold_notifications, tools=tools, is_removal=True)
    try:
        return tools.holds.remove(environment, notify=notify)
    except Denied as error:
        removed = tools.holds.remove(environment)
        tools.outbox.do_without(error.message)
        return removed
