"""What messages are about: the names that `on` of a `[[notify]]` table lists."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Topic(StrEnum):
    """What a message is about; `TOPICS` describes each."""

    STARTED = "started"
    DEPLOYED = "deployed"
    RELEASED = "released"
    PROMOTED = "promoted"
    HOTFIXED = "hotfixed"
    CONFIGURED = "configured"
    FAILED = "failed"
    ROLLED_BACK = "rolled-back"
    ABANDONED = "abandoned"
    WITHDRAWN = "withdrawn"
    HELD = "held"
    HOLD_REMOVED = "hold-removed"
    COMMAND_FAILED = "command-failed"
    COMMAND_RUN = "command-run"
    MIGRATING = "migrating"
    RETIRED = "retired"
    MIGRATED = "migrated"
    UNMIGRATED = "unmigrated"
    TEST = "test"

    @property
    def is_failure(self) -> bool:
        """Whether somebody should look at it now."""
        return self in {Topic.FAILED, Topic.COMMAND_FAILED}

    @property
    def brings_release(self) -> bool:
        """Whether it says that a release is verified where it has not been before."""
        return self in {Topic.RELEASED, Topic.PROMOTED, Topic.HOTFIXED}


class TopicText(NamedTuple):
    """What is said of a topic.

    Attributes:
        meaning: when there is such a message, for the reference.
        verb: what happened to the release, as the verb of a sentence: `was promoted to`; empty where a sentence of its
            own is made.
    """

    meaning: str
    verb: str = ""


TOPICS = {
    Topic.STARTED: TopicText("a deployment begins, also that of a rollback", "is being deployed to"),
    Topic.DEPLOYED: TopicText("a deployment has ended; the app has not proven its version yet", "was deployed to"),
    Topic.RELEASED: TopicText("a release is verified in the first stage", "was released to"),
    Topic.PROMOTED: TopicText("a release is verified in a later stage", "was promoted to"),
    Topic.HOTFIXED: TopicText("a hotfix is verified in its environment", "was released as a hotfix to"),
    Topic.CONFIGURED: TopicText("the app is verified with a new runtime configuration"),
    Topic.FAILED: TopicText("a deployment or its verification has failed", "failed in"),
    Topic.ROLLED_BACK: TopicText("an earlier release serves again, verified"),
    Topic.ABANDONED: TopicText("a deployment is not followed to its end: another one has replaced it"),
    Topic.WITHDRAWN: TopicText("a release was given up before it had its tag", "was given up in"),
    Topic.HELD: TopicText("promotions leave an environment alone from now on"),
    Topic.HOLD_REMOVED: TopicText("promotions include an environment again"),
    Topic.COMMAND_FAILED: TopicText("a command before a deployment has failed; nothing was deployed"),
    Topic.COMMAND_RUN: TopicText("somebody runs a command by hand, with `inv run`"),
    Topic.MIGRATING: TopicText("a second service of an environment is being created on another platform"),
    Topic.RETIRED: TopicText("the former service of an environment that moves is paused"),
    Topic.MIGRATED: TopicText("an environment has moved to another platform"),
    Topic.UNMIGRATED: TopicText("the move of an environment was given up"),
}
"""The topics that `on` may list, each with its meaning; `test` is sent by `inv notify.test` alone."""
