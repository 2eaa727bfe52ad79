"""What every Logs does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from attrs import evolve

if TYPE_CHECKING:
    from kaizen_tasks.domain.service import Service
    from kaizen_tasks.ports.platform import Logs

LONG = timedelta(hours=1)


class Desk(Protocol):
    """A service whose last deployment failed: its instance printed `line 0` to `line 29` and ended.

    Attributes:
        logs: the implementation.
        service: the service.
        operation: the deployment that failed.
    """

    logs: Logs
    service: Service
    operation: str


class LogsContract:
    """Subclasses provide the fixture `desk`."""

    def test_gives_the_end_of_what_was_written_about_a_deployment(self, desk: Desk) -> None:
        lines = desk.logs.deployment_tail(desk.service, desk.operation, limit=3)

        assert len(lines) == 3
        assert f"Deployment with ID : {desk.operation} failed. Failure reason : Health check failed." in lines[-1]

    def test_gives_the_end_of_what_the_newest_instance_has_printed(self, desk: Desk) -> None:
        lines = desk.logs.application_tail(desk.service, since=datetime.now(UTC) - LONG, limit=5)

        assert lines == tuple(f"line {number}" for number in range(25, 30))

    def test_gives_all_that_instances_have_printed_in_order_and_each_line_has_an_identifier(self, desk: Desk) -> None:
        since = datetime.now(UTC) - LONG

        lines = tuple(desk.logs.application_log(desk.service, since=since))
        again = tuple(desk.logs.application_log(desk.service, since=since))

        assert [line.text for line in lines][-30:] == [f"line {number}" for number in range(30)]
        assert len({line.id for line in lines}) == len(lines)
        assert again == lines
        assert all(since <= line.at <= datetime.now(UTC) + LONG for line in lines)

    def test_gives_nothing_that_was_printed_before(self, desk: Desk) -> None:
        assert tuple(desk.logs.application_log(desk.service, since=datetime.now(UTC) + LONG)) == ()

    def test_knows_nothing_of_instances_of_another_time(self, desk: Desk) -> None:
        assert desk.logs.application_tail(desk.service, since=datetime.now(UTC) + LONG, limit=5) == ()

    def test_knows_nothing_of_a_deployment_that_wrote_nothing(self, desk: Desk) -> None:
        assert desk.logs.deployment_tail(desk.service, "0" * 32, limit=5) == ()

    def test_knows_nothing_of_a_service_that_wrote_nothing(self, desk: Desk) -> None:
        other = evolve(desk.service, name="other", id=f"{desk.service.id}0")

        assert desk.logs.deployment_tail(other, "0" * 32, limit=5) == ()
        assert desk.logs.application_tail(other, since=datetime.now(UTC) - LONG, limit=5) == ()
        assert tuple(desk.logs.application_log(other, since=datetime.now(UTC) - LONG)) == ()
