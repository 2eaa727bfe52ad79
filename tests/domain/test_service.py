"""Operations on a service, in the platform's own words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kaizen_tasks.domain.service import Operation


def operation(kind: str, state: str) -> Operation:
    """Return an operation."""
    return Operation(identity="1", kind=kind, state=state, started=datetime(2026, 11, 20, tzinfo=UTC))


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

    assert (seen.ended, seen.succeeded) == (ended, succeeded)


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
