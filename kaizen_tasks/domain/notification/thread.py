"""Threads: what a target has been told about one release, so that the next message can continue it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from kaizen_tasks.domain.notification.topic import Topic


@frozen(kw_only=True)
class Place:
    """Where a release is, as far as a thread has told it.

    Attributes:
        stage: the stage of the environment.
        stage_size: the number of environments in the stage.
        topic: the last that was told of the environment.
    """

    stage: str
    stage_size: int
    topic: Topic


@frozen(kw_only=True)
class Thread:
    """The messages to one target about one release, or about the hold of an environment.

    Attributes:
        target: the target's name.
        name: the release's name, `v1.2.3`, or what else the messages are about.
        token: a random text that makes the keys of its messages unlike those of any other thread.
        revision: the number of messages so far.
        reference: by what the target knows the thread, or the message that is edited; empty before the first delivery.
        places: the environments of which something was told, by name.
        whats_new: what is new in the release, as the first message that knew it has told.
    """

    target: str
    name: str
    token: str = ""
    revision: int = 0
    reference: str = ""
    places: Mapping[str, Place] = field(factory=dict)
    whats_new: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The idempotency key of its newest message."""
        return f"{self.token}-{self.revision}"
