"""The state of a deployment as GitHub and GitLab show it, from the entries of the ledger."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.text.printable import printable

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment

MAX_DESCRIPTION_LENGTH = 140
"""Characters that GitHub takes: https://docs.github.com/en/rest/deployments/statuses."""

_COMMIT = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"


class DeploymentState(StrEnum):
    """How far a deployment has come."""

    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILURE = "failure"
    INACTIVE = "inactive"


_STATES: Mapping[Event, DeploymentState] = {
    Event.COMMAND_STARTED: DeploymentState.IN_PROGRESS,
    Event.COMMAND_FAILED: DeploymentState.FAILURE,
    Event.STARTED: DeploymentState.IN_PROGRESS,
    Event.VERIFIED: DeploymentState.SUCCESS,
    Event.FAILED: DeploymentState.FAILURE,
    Event.ABANDONED: DeploymentState.INACTIVE,
    Event.WITHDRAWN: DeploymentState.INACTIVE,
}
"""What an event says about a deployment. One that is not verified is still in progress: the app has not been asked."""

_TEXTS: Mapping[Event, str] = {
    Event.COMMAND_STARTED: "{command} of {version} is running",
    Event.COMMAND_FAILED: "{command} of {version} has failed",
    Event.STARTED: "{version} is being deployed",
    Event.VERIFIED: "{version} is verified",
    Event.FAILED: "{version} has failed",
    Event.ABANDONED: "{version} is abandoned",
    Event.WITHDRAWN: "{version} is given up",
}


@frozen(kw_only=True)
class DeploymentStatus:
    """The state of one deployment.

    Attributes:
        environment: name of the environment as the forge shows it.
        url: the app's URL there; empty when the configuration has none.
        is_protected: whether changes need a confirmation.
        release: `v1.2.3`.
        commit: full hash of the release commit.
        digest: digest of the image.
        state: how far the deployment has come.
        description: the state in one line of at most `MAX_DESCRIPTION_LENGTH` characters.
    """

    environment: str
    url: str
    is_protected: bool
    release: str
    commit: str
    digest: str
    state: DeploymentState
    description: str

    @property
    def is_open(self) -> bool:
        """Whether the deployment goes on."""
        return self.state is DeploymentState.IN_PROGRESS


def status_from_entry(entry: LedgerEntry, environment: Environment, *, component: str) -> DeploymentStatus | None:
    """Return the state that an entry gives to its deployment; None if it changes none.

    Args:
        entry: an entry of the environment.
        environment: the environment.
        component: what tells the app from others in its repository, whose environments have the same names; or empty.
    """
    state = _STATES.get(entry.event)
    if state is None or not re.fullmatch(_COMMIT, entry.commit):
        return None
    return DeploymentStatus(
        environment=forge_environment(environment.name, component=component),
        url=environment.url,
        is_protected=environment.protected,
        release=entry.version,
        commit=entry.commit,
        digest=entry.digest,
        state=state,
        description=_describe(entry),
    )


def forge_environment(name: str, *, component: str) -> str:
    """Return the name of an environment in its repository: `staging`; `web/staging` if that has several apps."""
    return f"{component}/{name}" if component else name


def _describe(entry: LedgerEntry) -> str:
    text = _TEXTS[entry.event].format(version=entry.version, command=entry.command)
    text = printable(": ".join(filter(None, (text, entry.reason))))
    return text if len(text) <= MAX_DESCRIPTION_LENGTH else f"{text[: MAX_DESCRIPTION_LENGTH - 1]}…"
