"""Services and their operations."""

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
def test_only_the_state_succeeded_is_success(*, state: str, ended: bool, succeeded: bool) -> None:
    """A successful rollback is a failed deployment."""
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
def test_operation_kinds_that_deploy_an_image(*, kind: str, deploys: bool) -> None:
    assert operation(kind, "IN_PROGRESS").deploys is deploys


def test_duration_is_zero_without_an_end_or_with_skewed_clocks() -> None:
    assert operation("START_DEPLOYMENT", "IN_PROGRESS").duration_seconds == 0
    assert operation("START_DEPLOYMENT", "SUCCEEDED", took=240).duration_seconds == 240
    assert operation("START_DEPLOYMENT", "SUCCEEDED", took=-1).duration_seconds == 0


def test_median_duration_is_that_of_the_last_five_successful_deployments() -> None:
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
def test_undeployable_service_is_refused_with_its_fix(status: str) -> None:
    service = Service(name="web", id="1", status=status, url="", image="", auto_deploys=False, fix="resume it")

    with pytest.raises(Undeployable, match=f"the service web cannot deploy: it is {status}") as refused:
        service.require_deployable()

    assert (refused.value.hint, refused.value.state) == ("resume it", "nothing has been changed")
