"""What waits in the outbox: notifications, which are written with ledger entries, and messages made of them."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from kaizen_tasks.domain.notification.message import Change, Message


@frozen(kw_only=True)
class Notification:
    """News for one target, before it is a message.

    Attributes:
        target: the target's name.
        thread: what it belongs to: the release's name, `v1.2.3`, or the environment of a hold.
        change: what happened.
        stage: the stage of the environment, as it is called: `beta`.
        stage_size: the number of environments in the stage.
        commit: full hash of the release commit, in which the changelog is; empty for what is about no release.
        next_step: what to type next, or empty.
        id: by what the outbox knows it; empty before it is written.
    """

    target: str
    thread: str
    change: Change
    stage: str
    stage_size: int = 1
    commit: str = ""
    next_step: str = ""
    id: str = ""

    @property
    def is_progress(self) -> bool:
        """Whether it tells of one environment of several, so that the end of the rollout tells it too."""
        return self.stage_size > 1 and not self.change.topic.is_failure


@frozen(kw_only=True)
class QueuedMessage:
    """A message on its way to a target.

    Attributes:
        message: the message.
        target: the target's name.
        queued_at: when it was made.
        attempts: how many attempts have failed.
        due_at: when the next attempt may be made.
        error: why the last attempt failed; empty before.
        owner: token of the run that is sending it now, or empty.
        reserved_until: until when that run may do so; None when nobody is sending it.
        id: by what the outbox knows it; empty before it is written.
    """

    message: Message
    target: str
    queued_at: datetime
    due_at: datetime
    attempts: int = 0
    error: str = ""
    owner: str = ""
    reserved_until: datetime | None = None
    id: str = ""


@frozen(kw_only=True)
class OutboxContent:
    """What is not delivered yet, oldest first.

    Attributes:
        notifications: those that are no message yet.
        messages: those that are not sent yet, or not known to be.
    """

    notifications: tuple[Notification, ...] = ()
    messages: tuple[QueuedMessage, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether everything is delivered."""
        return not self.notifications and not self.messages
