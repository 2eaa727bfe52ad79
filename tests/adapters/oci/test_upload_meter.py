"""How far the upload of an image is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.oci.upload_meter import UploadMeter
from kaizen_tasks.ports.activity import observing_activity
from tests.fakes.activity import FakeObserver
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.adapters.oci.blobs import Stream


def content(clock: FakeClock, *, chunks: int, seconds: float, size: int = 1_000_000) -> Stream:
    """Yield a blob whose chunks take some seconds each."""
    for _ in range(chunks):
        clock.advance(seconds)
        yield bytes(size)


def test_reports_bytes_rate_and_time_left_of_all_blobs_together() -> None:
    clock, observer = FakeClock(), FakeObserver()
    meter = UploadMeter(7_000_000, clock)
    meter.skip(1_000_000)  # mounted

    with observing_activity(observer):
        sent = [*meter.count(content(clock, chunks=2, seconds=1.0)), *meter.count(content(clock, chunks=1, seconds=1))]

    assert len(b"".join(sent)) == 3_000_000
    assert observer.states == [
        "[===>................] uploaded 1.0 MB of 6.0 MB, 1.0 MB/s, 5.0s left",
        "[======>.............] uploaded 2.0 MB of 6.0 MB, 1.0 MB/s, 4.0s left",
        "[==========>.........] uploaded 3.0 MB of 6.0 MB, 1.0 MB/s, 3.0s left",
    ]


def test_fast_chunks_are_reported_twice_a_second_at_most() -> None:
    clock, observer = FakeClock(), FakeObserver()
    meter = UploadMeter(100_000_000, clock)

    with observing_activity(observer):
        assert len([*meter.count(content(clock, chunks=100, seconds=0.0123))]) == 100

    assert len(observer.states) == 2


def test_closes_the_stream_of_an_upload_that_is_given_up() -> None:
    ended: list[str] = []

    def stream() -> Iterator[bytes]:
        try:
            yield b"x"
        finally:
            ended.append("closed")

    chunks = UploadMeter(1, FakeClock()).count(stream())  # type: ignore[arg-type]
    next(chunks)
    chunks.close()

    assert ended == ["closed"]
