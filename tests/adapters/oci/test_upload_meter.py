"""How far the upload of an image is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.oci.upload_meter import UploadMeter
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Generator

    from kaizen_tasks.adapters.oci.blobs import Stream


def content(clock: FakeClock, *, chunks: int, size: int = 1_000_000) -> Stream:
    """Yield a blob whose chunks take a second each."""
    for _ in range(chunks):
        yield bytes(size)
        clock.advance(1.0)


def test_counts_the_bytes_of_all_blobs_together() -> None:
    clock = FakeClock()
    meter = UploadMeter({"base": 1_000_000, "app": 4_000_000, "config": 2_000_000}, clock)
    meter.skip("base")  # mounted

    sent = [*meter.count("app", 0, content(clock, chunks=2)), *meter.count("config", 0, content(clock, chunks=1))]

    assert len(b"".join(sent)) == 3_000_000
    assert meter.describe() == "uploaded 3.0 MB of 6.0 MB, 1.0 MB/s, 3.0s left [==========>.........]"


def test_upload_that_is_resumed_goes_on_where_it_broke() -> None:
    clock = FakeClock()
    meter = UploadMeter({"app": 4_000_000}, clock)

    list(meter.count("app", 0, content(clock, chunks=3)))
    list(meter.count("app", 2_000_000, content(clock, chunks=1)))

    assert meter.describe() == "uploaded 3.0 MB of 4.0 MB, 1.0 MB/s, 1.0s left [===============>....]"


def test_nothing_is_said_of_blobs_that_are_mounted() -> None:
    meter = UploadMeter({"base": 1_000_000}, FakeClock())
    meter.skip("base")

    assert meter.describe() == ""


def test_closes_the_stream_of_an_upload_that_is_given_up() -> None:
    ended: list[str] = []

    def stream() -> Generator[bytes, None, None]:
        try:
            yield b"x"
        finally:
            ended.append("closed")

    chunks = UploadMeter({"app": 1}, FakeClock()).count("app", 0, stream())
    next(chunks)
    chunks.close()

    assert ended == ["closed"]
