"""How far the transfer of an image is."""

from __future__ import annotations

from kaizen_tasks.domain.transfer import Transfer

MB = 1_000_000


def transfer(**sizes: int) -> Transfer:
    """Return a transfer of blobs that begins at 0 seconds."""
    new = Transfer(0.0)
    for blob, size in sizes.items():
        new.add(blob, size)
    return new


def test_rate_is_that_of_the_last_ten_seconds() -> None:
    upload = transfer(app=100 * MB)
    for second in range(1, 11):
        upload.move("app", second * MB, float(second))
    for second in range(11, 31):
        upload.move("app", 10 * MB + (second - 10) * 2 * MB, float(second))

    assert upload.describe(30.0).startswith("uploaded 50 MB of 100 MB, 2.0 MB/s, 25s left")


def test_bytes_that_are_sent_again_do_not_count_twice_and_never_take_the_bar_back() -> None:
    upload = transfer(app=10 * MB)
    upload.move("app", 8 * MB, 4.0)
    upload.move("app", 0, 5.0)  # the registry has lost the upload
    upload.move("app", 2 * MB, 5.0)

    assert upload.describe(5.0) == "uploaded 8.0 MB of 10 MB, 2.0 MB/s, 4.0s left [================>...]"

    upload.move("app", 10 * MB, 9.0)

    assert upload.describe(9.0) == "uploaded 10 MB of 10 MB, 2.0 MB/s [====================]"


def test_more_bytes_than_announced_are_no_more_than_all() -> None:
    upload = transfer(app=1 * MB)
    upload.move("app", 2 * MB, 1.0)

    assert upload.describe(1.0).startswith("uploaded 1.0 MB of 1.0 MB")


def test_silence_of_twenty_seconds_is_said_in_place_of_the_rate() -> None:
    upload = transfer(app=10 * MB)
    upload.move("app", 1 * MB, 1.0)

    assert "/s" in upload.describe(5.0)
    assert upload.describe(20.9).startswith("uploaded 1.0 MB of 10 MB [")
    assert upload.describe(26.0).startswith("uploaded 1.0 MB of 10 MB, no byte for 25s [")

    upload.move("app", 2 * MB, 26.5)

    assert "no byte" not in upload.describe(27.0)


def test_total_that_is_not_known_has_neither_time_nor_bar() -> None:
    upload = transfer(app=4 * MB)
    upload.add_unknown("base")
    upload.move("app", 1 * MB, 1.0)

    assert upload.describe(1.0) == "uploaded 1.0 MB of at least 4.0 MB, 1.0 MB/s"

    upload.add("base", 6 * MB)

    assert upload.describe(1.0) == "uploaded 1.0 MB of 10 MB, 1.0 MB/s, 9.0s left [==>.................]"


def test_blob_that_has_arrived_has_all_its_bytes() -> None:
    upload = transfer(app=4 * MB)
    upload.add_unknown("base")
    upload.finish("base", 1.0)
    upload.finish("app", 2.0)

    assert upload.describe(2.0) == "uploaded 4.0 MB of 4.0 MB, 2.0 MB/s [====================]"


def test_blob_that_need_not_be_sent_is_left_out() -> None:
    upload = transfer(app=4 * MB, base=90 * MB)
    upload.drop("base")

    assert upload.describe(1.0) == "uploaded 0 B of 4.0 MB [>...................]"
