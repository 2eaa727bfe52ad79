"""The fake logs keep a log's promises."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import frozen

from kaizen_tasks.domain.service import Service, ServiceStatus
from tests.contracts.logs import LogsContract
from tests.fakes.logs import FakeLogs

FAILED = "Deployment with ID : 6c7e failed. Failure reason : Health check failed."


@frozen
class FakeDesk:
    logs: FakeLogs
    service: Service
    operation: str = "6c7e"


class TestContract(LogsContract):
    @pytest.fixture
    def desk(self) -> FakeDesk:
        service = Service(
            name="web", id="arn:web", status=ServiceStatus.RUNNING, native_status="RUNNING", url="", image=""
        )
        printed = tuple(f"line {number}" for number in range(30))
        logs = FakeLogs(
            deployments={"6c7e": ("started", "trying", "trying", FAILED)},
            instances={"web": [(datetime(2020, 1, 1, tzinfo=UTC), ("old",)), (datetime.now(UTC), printed)]},
        )
        return FakeDesk(logs, service)
