"""When to poll a deployment."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest

from kaizen_tasks.domain.polling import poll_times, retry_times


def first(usual: float, count: int, seed: str = "1") -> list[float]:
    """Return the first times."""
    return list(islice(poll_times(usual, seed=seed), count))


def test_first_poll_is_just_after_the_median_duration() -> None:
    assert first(240, 1) == [pytest.approx(244.8)]


def test_first_poll_is_early_without_a_median_duration() -> None:
    assert first(0, 1) == [0.2]


def test_poll_intervals_grow_up_to_the_maximum() -> None:
    """Twenty polls cover the half hour that a failing deployment may take."""
    moments = first(240, 40)
    pauses = [later - earlier for earlier, later in pairwise(moments)]

    assert 12 <= pauses[0] <= 15
    assert 18 <= pauses[1] <= 22.5
    assert all(27 <= pause <= 37.5 for pause in pauses[2:])
    assert moments[39] > 1200


def test_jitter_is_determined_by_the_seed() -> None:
    second = {first(240, 2, seed=str(each))[1] for each in range(200)}

    assert len(second) == 200
    assert max(second) - min(second) > 2.5
    assert first(240, 5, seed="a") == first(240, 5, seed="a")


@pytest.mark.parametrize("usual", [0, 0.3, 4, 240, 1500])
def test_poll_times_increase_for_any_median_duration(usual: float) -> None:
    moments = first(usual, 50)

    assert all(later - earlier >= 0.2 for earlier, later in pairwise(moments))


def test_retry_intervals_grow_up_to_the_maximum() -> None:
    moments = list(islice(retry_times(3, seed="1"), 12))
    pauses = [later - earlier for earlier, later in pairwise([0, *moments])]

    assert 3 <= pauses[0] <= 3.75
    assert 6 <= pauses[1] <= 7.5
    assert all(30 <= pause <= 37.5 for pause in pauses[4:])
