"""Messages of commands that are killed arrive once; `nox -s crash` kills two hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash import message_kills
from tests.crash.message_kills import ARRIVAL, Receiver

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.campaign import RolloutCases

pytestmark = pytest.mark.e2e


def test_messages_of_a_command_that_is_killed_while_it_sends_arrive_once(
    rollout_runs: RolloutCases, tmp_path: Path
) -> None:
    moment = rollout_runs.moment("release-staging")
    with Receiver() as receiver:
        cases = message_kills.prepare(moment, tmp_path, rollout_runs.fork_server, receiver, ("hold",))
        arrivals = [point for point in cases.points if point.of == ARRIVAL]
        transactions = [point for point in cases.points if point.label == "dynamodb TransactWriteItems"]
        points = (arrivals[0], transactions[1])

        results = {
            point: cases.kill_and_check(point, tmp_path / f"kill-{number}") for number, point in enumerate(points)
        }

    assert set(results.values()) == {()}, results
