"""Services and their operations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kaizen_tasks.domain.service import (
    Operation,
    OperationKind,
    OperationState,
    Service,
    ServiceStatus,
    median_operation_seconds,
)
from kaizen_tasks.errors import Undeployable

BEGAN = datetime(2026, 11, 20, tzinfo=UTC)


def operation(kind: OperationKind, state: OperationState, *, took: float | None = None) -> Operation:
    """Return an operation, ended after some seconds."""
    finished = None if took is None else BEGAN + timedelta(seconds=took)
    return Operation(id="1", kind=kind, state=state, native_state="X", started_at=BEGAN, finished_at=finished)


@pytest.mark.parametrize("state", OperationState)
def test_only_the_state_succeeded_is_success(state: OperationState) -> None:
    """A successful rollback is a failed deployment."""
    seen = operation(OperationKind.DEPLOYMENT, state)

    is_running = state in {OperationState.PENDING, OperationState.IN_PROGRESS}
    assert (seen.is_finished, seen.succeeded) == (not is_running, state is OperationState.SUCCEEDED)


@pytest.mark.parametrize("kind", OperationKind)
def test_operation_kinds_that_deploy_an_image(kind: OperationKind) -> None:
    deploys = kind in {OperationKind.DEPLOYMENT, OperationKind.UPDATE, OperationKind.CREATION}

    assert operation(kind, OperationState.IN_PROGRESS).deploys is deploys


def test_duration_is_zero_without_an_end_or_with_skewed_clocks() -> None:
    assert operation(OperationKind.DEPLOYMENT, OperationState.IN_PROGRESS).duration_seconds == 0
    assert operation(OperationKind.DEPLOYMENT, OperationState.SUCCEEDED, took=240).duration_seconds == 240
    assert operation(OperationKind.DEPLOYMENT, OperationState.SUCCEEDED, took=-1).duration_seconds == 0


def test_median_duration_is_that_of_the_last_five_successful_deployments() -> None:
    before = [operation(OperationKind.DEPLOYMENT, OperationState.SUCCEEDED, took=each) for each in (250, 230, 900, 240)]
    before += [
        operation(OperationKind.CREATION, OperationState.SUCCEEDED, took=300),
        operation(OperationKind.PAUSE, OperationState.SUCCEEDED, took=1),
        operation(OperationKind.DEPLOYMENT, OperationState.ROLLED_BACK, took=1200),
        operation(OperationKind.DEPLOYMENT, OperationState.SUCCEEDED, took=1),
    ]

    assert median_operation_seconds(before) == 250
    assert median_operation_seconds([]) == 0


@pytest.mark.parametrize("status", [each for each in ServiceStatus if each not in {"running", "busy"}])
def test_undeployable_service_is_refused_with_its_fix(status: ServiceStatus) -> None:
    """In the words of the platform."""
    service = Service(name="web", id="1", status=status, native_status="OFF", url="", image="", fix="resume it")

    with pytest.raises(Undeployable, match="the service web cannot deploy: it is OFF") as refused:
        service.require_deployable()

    assert refused.value.hint == "resume it"


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ("registry.example:5000/web:latest", "latest"),
        (f"registry.example/web@sha256:{'ab' * 32}", f"sha256:{'ab' * 32}"),
        (f"registry.example/web:v1.2.3@sha256:{'ab' * 32}", f"sha256:{'ab' * 32}"),
        ("registry.example:5000/web", ""),
        ("", ""),
    ],
)
def test_reference_of_an_image_is_its_digest_or_its_tag(image: str, reference: str) -> None:
    service = Service(name="web", id="1", status=ServiceStatus.RUNNING, native_status="", url="", image=image)

    assert service.image_reference == reference
