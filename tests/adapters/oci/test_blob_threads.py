"""Working on the blobs of several images in a limited number of threads."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kaizen_tasks.adapters.oci.blob_threads import MAX_CONCURRENT_BLOBS, BlobThreads
from kaizen_tasks.adapters.oci.manifest import OCI_MANIFEST, Descriptor
from tests.support.waiting import HANG_SECONDS

BLOBS = tuple(Descriptor(digest=f"sha256:{number}", media_type=OCI_MANIFEST, size=1) for number in range(20))


def test_blobs_of_one_image_are_worked_on_in_parallel() -> None:
    meeting = threading.Barrier(MAX_CONCURRENT_BLOBS, timeout=HANG_SECONDS)

    results = BlobThreads().map(lambda blob, _: (meeting.wait(), blob)[1], BLOBS[:MAX_CONCURRENT_BLOBS])

    assert {*results} == {*BLOBS[:MAX_CONCURRENT_BLOBS]}


def test_many_images_share_the_limit() -> None:
    threads, guard, working, peaks = BlobThreads(), threading.Lock(), list[Descriptor](), list[int]()

    def work(blob: Descriptor, _stop: threading.Event) -> None:
        with guard:
            working.append(blob)
            peaks.append(len(working))
        time.sleep(0.001)
        with guard:
            working.remove(blob)

    with ThreadPoolExecutor(2 * MAX_CONCURRENT_BLOBS) as pool:
        list(pool.map(lambda _: threads.map(work, BLOBS), range(2 * MAX_CONCURRENT_BLOBS)))

    assert len(peaks) == 2 * MAX_CONCURRENT_BLOBS * len(BLOBS)
    assert max(peaks) == MAX_CONCURRENT_BLOBS


def test_the_first_error_ends_the_work() -> None:
    def work(blob: Descriptor, stop: threading.Event) -> None:
        if blob is BLOBS[0]:
            raise ValueError(blob.digest)
        assert stop.wait(HANG_SECONDS)
        raise InterruptedError

    with pytest.raises(ValueError, match=BLOBS[0].digest):
        BlobThreads().map(work, BLOBS)


def test_threads_are_free_again_after_an_error() -> None:
    threads = BlobThreads()
    for _ in range(2 * MAX_CONCURRENT_BLOBS):
        with pytest.raises(ZeroDivisionError):
            threads.map(lambda *_: 1 / 0, BLOBS)

    assert len(threads.map(lambda blob, _: blob, BLOBS)) == len(BLOBS)


def test_an_image_without_blobs_has_no_results() -> None:
    assert BlobThreads().map(lambda blob, _: blob, ()) == []
