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


RETRIED = (
    "51002fabe276: Pushing [>....]  524.8kB/110.4MB",
    "51002fabe276: Pushing [====>]   50MB/110.4MB",
    "51002fabe276: Retrying in 5 seconds ",
    "51002fabe276: Pushing [>....]  524.8kB/110.4MB",
)
PRESENT = (
    "51002fabe276: Pushing [>....]  1MB/10MB",
    "0d0d27d69d08: Layer already exists ",
    "11111fabe276: Mounted from x/y ",
)


@pytest.mark.parametrize(
    ("lines", "shown", "states"),
    [
        (
            DOCKER,
            [DOCKER[0], DOCKER[-1]],
            {
                3: "uploaded 525 kB of at least 110 MB, 131 kB/s",
                4: "uploaded 5.8 MB of 120 MB, 1.2 MB/s, 1m 39s left [>...................]",
                5: "uploaded 30 MB of 120 MB, 5.0 MB/s, 18s left [====>...............]",
                6: "uploaded 116 MB of 120 MB, 17 MB/s, 0.3s left [===================>]",
            },
        ),
        (
            BUILDAH,
            [BUILDAH[0], BUILDAH[-1]],
            {
                1: "uploaded 0 B of 105 MB [>...................]",
                2: "uploaded 52 MB of 105 MB, 17 MB/s, 3.0s left [==========>.........]",
                4: "uploaded 105 MB of 105 MB, 21 MB/s [====================]",
            },
        ),
        (RETRIED, [], {3: "uploaded 50 MB of 110 MB, 12 MB/s, 8.8s left [=========>..........]"}),
        (PRESENT, [], {2: "uploaded 1.0 MB of 10 MB, 333 kB/s, 27s left [==>.................]"}),
    ],
)
def test_reads_bytes_rate_and_time_left_of_all_blobs_together(
    lines: tuple[str, ...], shown: list[str], states: dict[int, str]
) -> None:
    clock, observer = FakeClock(), FakeObserver()
    progress = PushProgress(clock.monotonic)
    found: dict[int, str] = {}

    with observing_activity(observer):
        for number, line in enumerate(lines):
            clock.advance(1.0)
            progress(line)
            found[number] = progress.describe()

    assert observer.lines == shown
    assert {number: found[number] for number in states} == states


def test_nothing_is_said_before_the_first_byte() -> None:
    progress = PushProgress(FakeClock().monotonic)

    progress(DOCKER[1])

    assert progress.describe() == ""
