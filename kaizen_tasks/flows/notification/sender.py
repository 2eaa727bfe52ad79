"""Sends what is in the outbox, beside the work of a command, and in a bounded time at its end."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import define, field

from kaizen_tasks.domain.notification import wording
from kaizen_tasks.domain.notification.composition import compose, continue_thread
from kaizen_tasks.domain.notification.notification import Notification, OutboxContent, QueuedMessage
from kaizen_tasks.domain.notification.retry import is_dropped, is_due, is_given_up, next_attempt
from kaizen_tasks.domain.version import parse_version
from kaizen_tasks.errors import KaizenError, Undelivered
from kaizen_tasks.flows.parallel import for_each_parallel
from kaizen_tasks.flows.release import files
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from kaizen_tasks.domain.notification.target import NotifyTarget

MAX_NOTIFICATIONS = 90
"""Notifications of one message, so that a transaction can replace them."""

RESERVED_SECONDS = 30.0
"""For how long a message is reserved for one attempt, which ends before that; if the run dies, others wait so long."""

MAX_CONCURRENT_TARGETS = 8
COLLECT_SECONDS = 1.0
"""Seconds in which news is collected before it is sent: the outcomes of a wave come one after the other."""

MAX_FINAL_PAUSE = 1.0
"""The longest pause before another attempt that the end of a command waits for."""

OUTBOX_RETRY_SECONDS = 5.0
"""Seconds after which an outbox is read again that could not be read."""


@define(kw_only=True)
class MessageSender:
    """Makes messages of the notifications in the outbox, and sends them. Not safe to use from several threads.

    Attributes:
        tools: the ports.
        tries_all: whether every message is tried once, also those that wait for a later attempt, or for none.
        left: what was in the outbox when it was last read.
        delivered_ids: what was delivered, also while other targets are being waited for.
        errors: why the last message of a target was not delivered, by the target's name.
        dropped: messages that were removed because they are too old.
    """

    tools: Tools
    tries_all: bool = False
    left: OutboxContent = field(factory=OutboxContent)
    delivered_ids: set[str] = field(factory=set)
    errors: dict[str, Undelivered] = field(factory=dict)
    dropped: list[QueuedMessage] = field(factory=list)
    _tried_ids: set[str] = field(factory=set, init=False)

    def send_all(self, *, is_ending: bool) -> float | None:
        """Send what is due; return the seconds until something else is, or None.

        Progress of a rollout is told at its end, to targets that cannot edit what they were told.

        Args:
            is_ending: whether the command is at its end, so that it waits for nothing more.

        Raises:
            KaizenError: the outbox cannot be read or written.
        """
        targets = {target.name: target for target in self.tools.settings.notify}
        while True:
            self.left = self.tools.outbox.content()
            self._drop_old()
            has_queued = self._queue_messages(targets, is_ending=is_ending)
            due = [message for message in self.left.messages if message.target in targets and self._is_due(message)]
            if not has_queued and not due:
                return self._seconds_to_next(targets)
            self._send_by_target(due, targets)

    def _is_due(self, message: QueuedMessage) -> bool:
        now = self.tools.clock.now()
        if self.tries_all:
            is_free = message.reserved_until is None or message.reserved_until <= now
            return is_free and message.id not in self._tried_ids
        return is_due(message, now) and not is_given_up(message, now)

    def _seconds_to_next(self, targets: Iterable[str]) -> float | None:
        now = self.tools.clock.now()
        moments = [
            max(message.due_at, message.reserved_until or message.due_at)
            for message in self.left.messages
            if message.target in targets and not is_given_up(message, now)
        ]
        return max((min(moments) - now).total_seconds(), 0.0) if moments else None

    def _drop_old(self) -> None:
        for message in self.left.messages:
            if is_dropped(message, self.tools.clock.now()):
                self.tools.outbox.remove(message)
                self.dropped.append(message)

    def _queue_messages(self, targets: dict[str, NotifyTarget], *, is_ending: bool) -> bool:
        """Make a message of the notifications of each thread that has none on its way; return whether there were any.

        The messages of a thread are sent one after the other, since a later one continues what an earlier one began.
        """
        busy = {(message.target, message.message.thread) for message in self.left.messages}
        threads: dict[tuple[str, str], list[Notification]] = {}
        for notification in self._ripe(targets, is_ending=is_ending):
            key = notification.target, notification.thread
            if key not in busy:
                threads.setdefault(key, []).append(notification)
        for key, notifications in threads.items():
            self._queue_message(*key, notifications[:MAX_NOTIFICATIONS])
        return bool(threads)

    def _queue_message(self, target: str, name: str, notifications: Sequence[Notification]) -> None:
        now = self.tools.clock.now()
        thread = self.tools.outbox.thread(target, name)
        whats_new = () if thread.whats_new else read_whats_new(notifications, self.tools)
        thread = continue_thread(thread, notifications, token=secrets.token_hex(8), whats_new=whats_new)
        message = compose(self.tools.settings.app, thread, notifications)
        queued = QueuedMessage(message=message, target=target, queued_at=now, due_at=now)
        self.tools.outbox.queue(queued, thread, notifications)

    def _ripe(self, targets: dict[str, NotifyTarget], *, is_ending: bool) -> list[Notification]:
        """Return the notifications that are told now: all but the progress of rollouts that go on.

        Those of a target that is not configured here become messages too, which are dropped when they are old.
        """
        editing = {name for name, target in targets.items() if target.edits}
        waiting = [each for each in self.left.notifications if each.is_progress and each.target not in editing]
        if waiting and is_ending:
            rolling = self._environments_of_other_runs({each.change.environment for each in waiting})
            waiting = [each for each in waiting if each.change.environment in rolling]
        waiting_ids = {each.id for each in waiting}
        return [each for each in self.left.notifications if each.id not in waiting_ids]

    def _environments_of_other_runs(self, names: Iterable[str]) -> set[str]:
        """Return the environments that another run is changing.

        A run that has died lets its lease end. That only decides when its notifications are told, so here the clocks of
        two machines may be compared.
        """
        now, inherited = self.tools.clock.now(), self.tools.locks.inherited_tokens()
        locks = self.tools.locks.get_many(sorted(names))
        return {
            name
            for name, lock in locks.items()
            if not lock.seems_expired(now) and not lock.is_manual and inherited.get(name) != lock.token
        }

    def _send_by_target(self, messages: Sequence[QueuedMessage], targets: dict[str, NotifyTarget]) -> None:
        """Send messages, those of several targets at a time: one that hangs delays no other."""
        by_target: dict[str, list[QueuedMessage]] = {}
        for message in messages:
            by_target.setdefault(message.target, []).append(message)

        def send_to(name: str) -> None:
            for message in by_target[name]:
                self._send(message, targets[name])

        for_each_parallel(send_to, by_target, max_workers=MAX_CONCURRENT_TARGETS)

    def _send(self, message: QueuedMessage, target: NotifyTarget) -> None:
        self._tried_ids.add(message.id)
        until = self.tools.clock.now() + timedelta(seconds=RESERVED_SECONDS)
        reserved = self.tools.outbox.reserve(message, owner=secrets.token_hex(8), until=until)
        if reserved is None:
            return  # another run sends it, or has sent it
        thread = self.tools.outbox.thread(message.target, message.message.thread)
        try:
            reference = self.tools.messenger.send(message.message, target, reference=thread.reference)
        except Undelivered as error:
            self.errors[target.name] = error
            due_at = next_attempt(reserved, error, self.tools.clock.now())
            self.tools.outbox.postpone(reserved, error=error.message, until=due_at)
            return
        self.errors.pop(target.name, None)
        self.delivered_ids.add(message.id)
        self.tools.outbox.remove(reserved, reference="" if reference == thread.reference else reference)


def read_whats_new(notifications: Iterable[Notification], tools: Tools) -> tuple[str, ...]:
    """Return the first entries of a release's section in the changelog of its commit, or of this clone.

    None if no notification brings a release, or neither has them: a message goes out all the same.
    """
    news = next((each for each in notifications if each.change.topic.brings_release), None)
    if news is None:
        return ()
    with suppress(KaizenError):
        changelog = files.changelog_at(news.commit, tools) or files.read_changelog(tools)
        section = changelog.find_section(parse_version(news.change.version))
        return wording.short_entries([entry.text for entry in section.all_entries] if section else [])
    return ()


@define(kw_only=True)
class BackgroundSender:
    """Sends messages in a thread of its own until the command ends. It never raises: nothing that it does matters more.

    Attributes:
        sender: what it sends with.
        failure: why the outbox could not be read or written, or empty.
    """

    sender: MessageSender
    failure: str = ""
    _is_ending: threading.Event = field(factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name="messages", daemon=True)

    def start(self) -> None:
        """Begin to send what is in the outbox."""
        self._thread.start()

    def finish(self, seconds: float) -> bool:
        """Send what is left; return whether that ended within some seconds."""
        self._is_ending.set()
        self.sender.tools.outbox.news.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        news = self.sender.tools.outbox.news
        while True:
            is_ending = self._is_ending.is_set()
            news.clear()
            pause = self._send_all(is_ending=is_ending)
            if is_ending and (pause is None or pause > MAX_FINAL_PAUSE):
                return
            if is_ending or not self._is_ending.is_set():
                news.wait(pause)
                self._is_ending.wait(COLLECT_SECONDS)

    def _send_all(self, *, is_ending: bool) -> float | None:
        self.failure = ""
        try:
            return self.sender.send_all(is_ending=is_ending)
        except KaizenError as error:
            self.failure = error.message
        except Exception as error:  # noqa: BLE001 - a release must not fail for a message
            self.failure = f"unexpected {type(error).__name__}: {error}"
        return OUTBOX_RETRY_SECONDS
