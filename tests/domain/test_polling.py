"""When to look at a deployment."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest

from kaizen_tasks.domain.polling import poll_times, retry_times


def first(usual: float, count: int, seed: str = "1") -> list[float]:
    """Return the first moments."""
    return list(islice(poll_times(usual, seed=seed), count))


def test_looks_first_when_it_should_just_be_over() -> None:
    """A deployment that takes as long as the last ones costs one question."""
    assert first(240, 1) == [pytest.approx(244.8)]


def test_looks_early_where_nobody_knows() -> None:
    """The first deployment of all may be a quick one."""
    assert first(0, 1) == [0.2]


def test_waits_longer_and_longer_but_never_for_long() -> None:
    """Twenty questions cover the half hour that a failing deployment may take."""
    moments = first(240, 40)
    pauses = [later - earlier for earlier, later in pairwise(moments)]

    assert 12 <= pauses[0] <= 15
    assert 18 <= pauses[1] <= 22.5
    assert all(27 <= pause <= 37.5 for pause in pauses[2:])
    assert moments[39] > 1200


def test_is_spread_by_the_seed_and_repeatable() -> None:
    """Two hundred deployments that begin together are not all looked at together."""
    second = {first(240, 2, seed=str(each))[1] for each in range(200)}

    assert len(second) == 200
    assert max(second) - min(second) > 2.5
    assert first(240, 5, seed="a") == first(240, 5, seed="a")


@pytest.mark.parametrize("usual", [0, 0.3, 4, 240, 1500])
def test_moves_on_whatever_is_usual(usual: float) -> None:
    """No two looks come at the same time."""
    moments = first(usual, 50)

    assert all(later - earlier >= 0.2 for earlier, later in pairwise(moments))


def test_tries_a_busy_service_again_more_and_more_seldom() -> None:
    """Half a minute apart in the end."""
    moments = list(islice(retry_times(3, seed="1"), 12))
    pauses = [later - earlier for earlier, later in pairwise([0, *moments])]

    assert 3 <= pauses[0] <= 3.75
    assert 6 <= pauses[1] <= 7.5
    assert all(30 <= pause <= 37.5 for pause in pauses[4:])
