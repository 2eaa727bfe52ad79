"""Sends messages while a command runs, and says at its end what could not be sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from textwrap import shorten
from typing import TYPE_CHECKING

from kaizen_tasks.domain.notification.retry import is_given_up
from kaizen_tasks.domain.notification.topic import TOPICS
from kaizen_tasks.domain.text.listing import counted, list_names
from kaizen_tasks.flows.notification.sender import BackgroundSender, MessageSender

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.notification.notification import QueuedMessage
    from kaizen_tasks.ports.tools import CommandTools

END_SECONDS = 5.0
"""How long a command waits at its end for messages to be sent; what is left then goes out with the next command."""

MAX_NAMED_TARGETS = 3
MAX_WHY_LENGTH = 80
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
    waiting = _waiting_messages(background.sender, tools, is_complete=is_complete)
    counts = Counter(message.target for message in waiting)
    if not is_complete:
        counts += Counter(_targets_of_news(background.sender, waiting))
    earlier_errors = {message.target: message.error for message in waiting}
    if tools.outbox.problem:
        yield f"nobody is told: {tools.outbox.problem}; inv setup --print-iam prints what it takes"
    if counts:
        lines = [
            _describe_waiting(target, count, background, earlier_error=earlier_errors.get(target))
            for target, count in counts.items()
        ]
        many = f"{counts.total()} messages wait for {len(counts)} targets: inv doctor says why"
        yield from lines if len(lines) <= MAX_NAMED_TARGETS else [many]
    elif background.failure:
        yield f"messages were not sent: {background.failure}; they go out with the next command"
    elif not is_complete:
        yield "the messages of this command may not all have been sent; what is left goes out with the next command"
    for message in background.sender.dropped:
        yield f"dropped after a month in which {message.target} did not accept it: {message.message.subject}"


def _waiting_messages(sender: MessageSender, tools: CommandTools, *, is_complete: bool) -> list[QueuedMessage]:
    """Return the messages that wait, but those which another run is sending, and those which nobody sends any more."""
    names, now = {target.name for target in tools.settings.notify}, tools.clock.now()
    return [
        message
        for message in sender.left.messages
        if message.target in names
        and message.id not in sender.delivered_ids
        and not is_given_up(message, now)
        and (not is_complete or message.reserved_until is None or message.reserved_until <= now)
    ]


def _targets_of_news(sender: MessageSender, waiting: Iterable[QueuedMessage]) -> list[str]:
    """Return the target of each thread with news that is no message yet."""
    names = {target.name for target in sender.tools.settings.notify}
    threads = {(message.target, message.message.thread) for message in waiting}
    news = {(each.target, each.thread) for each in sender.left.notifications if each.target in names}
    return sorted(target for target, _ in news - threads)


def _describe_waiting(target: str, count: int, background: BackgroundSender, *, earlier_error: str | None) -> str:
    """Return how many messages wait for a target, why, and what makes them go out.

    Args:
        target: the target's name.
        count: the number of messages.
        background: has tried to send them.
        earlier_error: why an earlier command could not send one of them, or empty; None if none was made yet.
    """
    verb, pronoun = ("waits", "it goes") if count == 1 else ("wait", "they go")
    error, end = background.sender.errors.get(target), f"{pronoun} out with the next command"
    why = background.failure or ("no answer yet" if earlier_error is not None else "")
    if error:
        why = error.message
        end = "inv notify.test says what to correct" if error.is_permanent else end
    elif earlier_error:
        why, end = earlier_error, "inv notify.test tries again at once"
    short_why = shorten(why.removeprefix(f"{target}: "), MAX_WHY_LENGTH, placeholder=" …")
    return f"{counted(count, 'message')} {verb} for {target}{': ' if short_why else ''}{short_why}; {end}"
