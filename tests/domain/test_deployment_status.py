"""What GitHub and GitLab show of a deployment."""

from __future__ import annotations

import pytest
from attrs import evolve

from kaizen_tasks.domain.deployment_status import MAX_DESCRIPTION_LENGTH, DeploymentState, status_from_entry
from kaizen_tasks.domain.ledger import Event
from tests.contracts.ledger import entry
from tests.fakes.tools import settings

COMMIT = "4f2a9c81" * 5
PROD = settings().environments["prod"]
ENTRY = evolve(entry(), environment="prod", version="v1.2.3", commit=COMMIT, reason="")


@pytest.mark.parametrize(
    ("event", "state", "description"),
    [
        (Event.STARTED, DeploymentState.IN_PROGRESS, "v1.2.3 is being deployed"),
        (Event.VERIFIED, DeploymentState.SUCCESS, "v1.2.3 is verified"),
        (Event.FAILED, DeploymentState.FAILURE, "v1.2.3 has failed: it did not start"),
        (Event.ABANDONED, DeploymentState.INACTIVE, "v1.2.3 is abandoned: v1.2.4 is deployed instead"),
        (Event.WITHDRAWN, DeploymentState.INACTIVE, "v1.2.3 is given up"),
        (Event.COMMAND_STARTED, DeploymentState.IN_PROGRESS, "migrate of v1.2.3 is running"),
        (Event.COMMAND_FAILED, DeploymentState.FAILURE, "migrate of v1.2.3 has failed"),
    ],
)
def test_entry_gives_its_deployment_a_state(event: Event, state: DeploymentState, description: str) -> None:
    command = "migrate" if event.concerns_command else ""
    reason = description.partition(": ")[2]

    status = status_from_entry(evolve(ENTRY, event=event, command=command, reason=reason), PROD, component="")

    assert status is not None
    assert (status.environment, status.state, status.description) == ("prod", state, description)
    assert (status.release, status.commit, status.is_protected) == ("v1.2.3", COMMIT, True)


SHOWN = {
    *(Event.STARTED, Event.VERIFIED, Event.FAILED, Event.ABANDONED, Event.WITHDRAWN),
    *(Event.COMMAND_STARTED, Event.COMMAND_FAILED),
}


@pytest.mark.parametrize("event", [event for event in Event if event not in SHOWN])
def test_other_entries_change_no_state(event: Event) -> None:
    """A release that is deployed is not verified yet, and an intent to roll back deploys nothing."""
    assert status_from_entry(evolve(ENTRY, event=event), PROD, component="") is None


def test_release_without_a_commit_is_not_shown() -> None:
    """Forges show commits; a service that was deployed by hand before has none in the ledger."""
    assert status_from_entry(evolve(ENTRY, event=Event.STARTED, commit=""), PROD, component="") is None


def test_environments_of_several_apps_in_a_repository_have_different_names() -> None:
    status = status_from_entry(evolve(ENTRY, event=Event.STARTED), PROD, component="backend")

    assert status is not None
    assert status.environment == "backend/prod"


def test_description_is_one_line_of_the_length_that_github_takes() -> None:
    reason = "\x1b[31mno\nroute " + "x" * 200

    status = status_from_entry(evolve(ENTRY, event=Event.FAILED, reason=reason), PROD, component="")

    assert status is not None
    assert status.description.startswith("v1.2.3 has failed: no?route xxx")
    assert status.description.endswith("x…")
    assert len(status.description) == MAX_DESCRIPTION_LENGTH
