"""How far the push of an engine is; the lines are those of docker 28.2 and of buildah 1.28."""

from __future__ import annotations

import pytest

from kaizen_tasks.adapters.build.push_progress import PushProgress
from kaizen_tasks.ports.activity import observing_activity
from tests.fakes.activity import FakeObserver
from tests.fakes.clock import FakeClock

DOCKER = (
    "The push refers to repository [127.0.0.1:5000/x]",
    "51002fabe276: Preparing ",
    "0d0d27d69d08: Waiting ",
    "51002fabe276: Pushing [>.........................]  524.8kB/110.4MB",
    "0d0d27d69d08: Pushing [==>.......................]  5.278MB/10MB",
    "51002fabe276: Pushing [====>.....................]   24.8MB/110.4MB",
    "51002fabe276: Pushed ",
    "1: digest: sha256:4f28e11bcf425e4ec6996fff3f9bf2e45d7ae68bcb7ce341a6268f3935bf1c0d size: 528",
)
BUILDAH = (
    "Getting image source signatures",
    "Copying blob 51002fabe276 [--------------------------------------] 0.0b / 100.0MiB",
    "Copying blob 51002fabe276 [=>------------------------------------] 50.0MiB / 100.0MiB",
    "Copying config a8a366c3ed [======================================] 891.0b / 891.0b",
    "Copying blob 51002fabe276 done  ",
    "Writing manifest to image destination",
)


@pytest.mark.parametrize(
    ("lines", "shown", "states"),
    [
        (
            DOCKER,
            [DOCKER[0], DOCKER[-1]],
            [
                "[>...................] uploaded 525 kB of 110 MB, 131 kB/s, 13m 57s left",
                "[>...................] uploaded 5.8 MB of 120 MB, 1.2 MB/s, 1m 39s left",
                "[====>...............] uploaded 30 MB of 120 MB, 5.0 MB/s, 18s left",
            ],
        ),
        (
            BUILDAH,
            [BUILDAH[0], BUILDAH[-1]],
            [
                "[>...................] uploaded 0 B of 105 MB",
                "[==========>.........] uploaded 52 MB of 105 MB, 17 MB/s, 3.0s left",
                "[==========>.........] uploaded 52 MB of 105 MB, 13 MB/s, 4.0s left",
            ],
        ),
    ],
)
def test_reports_bytes_rate_and_time_left_of_all_blobs_together(
    lines: tuple[str, ...], shown: list[str], states: list[str]
) -> None:
    clock, observer = FakeClock(), FakeObserver()
    progress = PushProgress(clock.monotonic)

    with observing_activity(observer):
        for line in lines:
            clock.advance(1.0)
            progress(line)

    assert observer.lines == shown
    assert observer.states == states


def test_reports_twice_a_second_at_most() -> None:
    clock, observer = FakeClock(), FakeObserver()
    progress = PushProgress(clock.monotonic)

    with observing_activity(observer):
        for number in range(100):
            clock.advance(0.0123)
            progress(f"51002fabe276: Pushing [>..]  {number}kB/110.4MB")

    assert len(observer.states) == 2
