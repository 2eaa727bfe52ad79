"""Operations on a service, in the platform's own words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kaizen_tasks.domain.service import Operation, Service, median_operation_seconds
from kaizen_tasks.errors import Undeployable

BEGAN = datetime(2026, 11, 20, tzinfo=UTC)


def operation(kind: str, state: str, *, took: float | None = None) -> Operation:
    """Return an operation, ended after some seconds."""
    finished = None if took is None else BEGAN + timedelta(seconds=took)
    return Operation(id="1", kind=kind, state=state, started_at=BEGAN, finished_at=finished)


@pytest.mark.parametrize(
    ("state", "ended", "succeeded"),
    [
        ("PENDING", False, False),
        ("IN_PROGRESS", False, False),
        ("ROLLBACK_IN_PROGRESS", False, False),
        ("SUCCEEDED", True, True),
        ("FAILED", True, False),
        ("ROLLBACK_SUCCEEDED", True, False),
        ("ROLLBACK_FAILED", True, False),
        ("SOMETHING_NEW", False, False),
    ],
)
def test_only_one_state_is_success(*, state: str, ended: bool, succeeded: bool) -> None:
    """A rollback that succeeded is a deployment that failed; an unknown word proves nothing."""
    seen = operation("START_DEPLOYMENT", state)

    assert (seen.is_finished, seen.succeeded) == (ended, succeeded)


@pytest.mark.parametrize(
    ("kind", "deploys"),
    [
        ("START_DEPLOYMENT", True),
        ("UPDATE_SERVICE", True),
        ("CREATE_SERVICE", True),
        ("PAUSE_SERVICE", False),
        ("RESUME_SERVICE", False),
        ("DELETE_SERVICE", False),
    ],
)
def test_knows_what_brings_a_new_image_into_service(*, kind: str, deploys: bool) -> None:
    """Only such an operation can be the one that carries a release."""
    assert operation(kind, "IN_PROGRESS").deploys is deploys


def test_what_the_platform_does_not_say_took_no_time() -> None:
    """Two of its clocks may disagree as well."""
    assert operation("START_DEPLOYMENT", "IN_PROGRESS").duration_seconds == 0
    assert operation("START_DEPLOYMENT", "SUCCEEDED", took=240).duration_seconds == 240
    assert operation("START_DEPLOYMENT", "SUCCEEDED", took=-1).duration_seconds == 0


def test_knows_from_what_was_done_before_how_long_it_usually_takes() -> None:
    """The middle of the last five that brought an image into service; failures take longer and say nothing."""
    before = [operation("START_DEPLOYMENT", "SUCCEEDED", took=each) for each in (250, 230, 900, 240)]
    before += [
        operation("CREATE_SERVICE", "SUCCEEDED", took=300),
        operation("PAUSE_SERVICE", "SUCCEEDED", took=1),
        operation("START_DEPLOYMENT", "ROLLBACK_SUCCEEDED", took=1200),
        operation("START_DEPLOYMENT", "SUCCEEDED", took=1),
    ]

    assert median_operation_seconds(before) == 250
    assert median_operation_seconds([]) == 0


@pytest.mark.parametrize("status", ["PAUSED", "CREATE_FAILED", "DELETE_FAILED", "DELETED"])
def test_a_service_that_cannot_deploy_says_what_to_do_about_it(status: str) -> None:
    """The way out is the platform's to know."""
    service = Service(name="web", id="1", status=status, url="", image="", auto_deploys=False, fix="resume it")

    with pytest.raises(Undeployable, match=f"the service web cannot deploy: it is {status}") as refused:
        service.require_deployable()

    assert (refused.value.hint, refused.value.state) == ("resume it", "nothing has been changed")
