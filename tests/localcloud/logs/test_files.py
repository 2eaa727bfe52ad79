"""Log groups as files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.logs import streams
from kaizen_tasks.localcloud.logs.files import LogStore

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_output_that_grows_all_day_needs_no_memory_for_each_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_MAX_SIZE_HISTORY", 4)
    logs = LogStore(tmp_path)
    output = logs.register_output("app/1", "0")
    output.parent.mkdir(parents=True)
    for second in range(1, 21):
        with output.open("a") as file:
            file.write(f"line {second}\n")
        os.utime(output, (second, second))
        (stream,) = logs.streams("/aws/apprunner/app/1/application") or ()
        events = stream.events
        assert events[-1] == streams.LogEvent(second * 1000, f"line {second}")
        assert [event.message for event in events] == [f"line {number}" for number in range(1, second + 1)]
        timestamps = [event.timestamp for event in events]
        assert timestamps == sorted(timestamps)
        assert len(set(timestamps)) <= 4
