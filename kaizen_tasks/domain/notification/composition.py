"""Makes one message of the notifications that wait for a target in one thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.notification import wording
from kaizen_tasks.domain.notification.message import Message
from kaizen_tasks.domain.notification.thread import Place, Thread

if TYPE_CHECKING:
    from kaizen_tasks.domain.notification.notification import Notification
    from kaizen_tasks.domain.notification.topic import Topic


def continue_thread(
    thread: Thread, notifications: Sequence[Notification], *, token: str, whats_new: tuple[str, ...] = ()
) -> Thread:
    """Return a thread as it stands once notifications are told.

    Args:
        thread: as it stands now.
        notifications: the news, oldest first.
        token: a random text, for a thread that begins.
        whats_new: what is new in the release, for a thread that does not know.
    """
    places = dict(thread.places)
    for news in notifications:
        places[news.change.environment] = Place(stage=news.stage, stage_size=news.stage_size, topic=news.change.topic)
    return evolve(
        thread,
        token=thread.token or token,
        revision=thread.revision + 1,
        places=places,
        whats_new=thread.whats_new or whats_new,
    )


def compose(app: str, thread: Thread, notifications: Sequence[Notification]) -> Message:
    """Return the message that tells notifications.

    Args:
        app: the app's name.
        thread: the thread with them, as `continue_thread` returns it.
        notifications: the news, oldest first; not empty.
    """
    changes = tuple(news.change for news in notifications)
    return Message(
        key=thread.key,
        app=app,
        topic=main_topic(notifications),
        subject=wording.subject(app, thread, notifications),
        details=wording.details(changes),
        whats_new=thread.whats_new if any(change.topic.brings_release for change in changes) else (),
        next_step=_next_step(thread, notifications),
        links=wording.links(changes),
        thread=thread.name,
        summary=wording.summary(thread),
        changes=changes,
    )


def main_topic(notifications: Sequence[Notification]) -> Topic:
    """Return what a message is about: a failure if there is one, else the latest news."""
    topics = [news.change.topic for news in notifications]
    return next((topic for topic in topics if topic.is_failure), topics[-1])


def _next_step(thread: Thread, notifications: Sequence[Notification]) -> str:
    """Return what to type next: after a failure what that needs, after a release what it needs once its stage has it.

    A stage is promoted from as a whole.
    """
    failures = [news for news in notifications if news.change.topic.is_failure]
    latest = (failures or notifications)[-1]
    own_flag = f" --env {latest.change.environment}"
    if latest.next_step.endswith(own_flag):
        alike = [news.change.environment for news in notifications if news.change.topic is latest.change.topic]
        names = dict.fromkeys([latest.stage] if len(set(alike)) == latest.stage_size else alike)
        return latest.next_step.removesuffix(own_flag) + "".join(f" --env {name}" for name in names)
    if latest.change.topic.brings_release:
        reached = [place for place in thread.places.values() if place.stage == latest.stage]
        is_whole = len(reached) == latest.stage_size and all(place.topic.brings_release for place in reached)
        return latest.next_step if is_whole else ""
    return latest.next_step
