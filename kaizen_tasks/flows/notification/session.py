"""Sends messages while a command runs, and says at its end what could not be sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kaizen_tasks.domain.notification.retry import is_given_up
from kaizen_tasks.domain.notification.topic import TOPICS
from kaizen_tasks.domain.text.listing import counted, list_names
from kaizen_tasks.flows.notification.sender import BackgroundSender, MessageSender

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.flows.execution import CommandTools

END_SECONDS = 5.0
"""How long a command waits at its end for messages to be sent; what is left then goes out with the next command."""

INTERRUPTED_SECONDS = 1.0
"""How long it waits when it was interrupted."""


@contextmanager
def sending_messages(tools: CommandTools, environments: Iterable[Environment]) -> Iterator[None]:
    """Send the messages in the outbox while the context lasts: those of this command, and what others have left.

    A dry run only says who would be told. No request is made without `[[notify]]`.

    Args:
        tools: the ports.
        environments: the environments that the command is for.
    """
    if tools.dry or not tools.settings.notify:
        yield
        if names := _listeners(tools, environments):
            tools.reporter.note(f"would tell {list_names(names)} what becomes of it")
        return
    background = BackgroundSender(sender=MessageSender(tools=tools))
    _ = tools.outbox, tools.messenger, tools.locks  # made in this thread
    background.start()
    seconds = END_SECONDS
    try:
        yield
    except KeyboardInterrupt:
        seconds = INTERRUPTED_SECONDS
        raise
    finally:
        is_complete = background.finish(seconds)
        for line in _remarks(background, tools, is_complete=is_complete):
            tools.reporter.note(line)


def _listeners(tools: CommandTools, environments: Iterable[Environment]) -> list[str]:
    """Return the names of the targets that are told something about environments."""
    names = [environment.name for environment in environments]
    targets = tools.settings.notify
    return [target.name for target in targets if any(target.wants(topic, name) for topic in TOPICS for name in names)]


def _remarks(background: BackgroundSender, tools: CommandTools, *, is_complete: bool) -> Iterator[str]:
    """Yield what to say about messages that were not delivered; nothing if all were, or are in the hands of others."""
    sender, now = background.sender, tools.clock.now()
    names = {target.name for target in tools.settings.notify}
    reasons = "; ".join(dict.fromkeys(filter(None, (background.failure, *sender.errors.values()))))
    waiting = [
        message
        for message in sender.left.messages
        if message.target in names
        and message.id not in sender.delivered_ids
        and not is_given_up(message, now)
        and (not is_complete or message.reserved_until is None or message.reserved_until <= now)
    ]
    named = [message.target for message in waiting]
    if not is_complete:  # news that is no message yet
        threads = {(message.target, message.message.thread) for message in waiting}
        news = dict.fromkeys((each.target, each.thread) for each in sender.left.notifications if each.target in names)
        named += [target for target, thread in news if (target, thread) not in threads]
    if tools.outbox.problem:
        yield f"nobody is told: {tools.outbox.problem}; inv setup --print-iam prints what it takes"
    if named:
        targets = list_names(list(dict.fromkeys(named)))
        verb, pronoun = ("waits", "it goes") if len(named) == 1 else ("wait", "they go")
        why = f": {reasons}" if reasons else ""
        yield f"{counted(len(named), 'message')} {verb} for {targets}{why}; {pronoun} out with the next command"
    elif background.failure:
        yield f"messages were not sent: {reasons}; they go out with the next command"
    elif not is_complete:
        yield "the messages of this command may not all have been sent; what is left goes out with the next command"
    for message in sender.dropped:
        yield f"dropped after a month in which {message.target} did not accept it: {message.message.subject}"
