"""Canaries and shards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.rollout import Shard, parse_shard, split_canaries
from kaizen_tasks.errors import UsageError


def environments(count: int) -> tuple[Environment, ...]:
    """Return a number of environments."""
    return tuple(Environment(name=f"e{each}", platform="p", repository="r", service="s") for each in range(count))


@pytest.mark.parametrize(
    ("count", "canary", "sizes"),
    [(0, 1, []), (1, 1, [1]), (3, 1, [1, 2]), (3, 0, [3]), (3, 5, [3]), (8, 2, [2, 6])],
)
def test_canaries_come_before_the_others(count: int, canary: int, sizes: list[int]) -> None:
    assert [len(wave) for wave in split_canaries(environments(count), canary)] == sizes


@given(count=st.integers(0, 60), canary=st.integers(min_value=0, max_value=8))
def test_environments_keep_their_order_across_groups(count: int, canary: int) -> None:
    given_in = environments(count)

    assert tuple(each for wave in split_canaries(given_in, canary) for each in wave) == given_in


@given(name=st.text(), count=st.integers(1, 20))
def test_every_environment_is_in_exactly_one_shard(name: str, count: int) -> None:
    assert [Shard(number=each + 1, count=count).contains(name) for each in range(count)].count(True) == 1


@pytest.mark.parametrize(
    ("name", "shards"),
    [("staging", "1/2 1/3 3/8"), ("prod", "2/2 2/3 8/8"), ("mark", "1/2 2/3 1/8"), ("dom", "2/2 3/3 6/8")],
)
def test_shard_of_an_environment_is_its_hash_modulo_the_count(name: str, shards: str) -> None:
    """The hash is that of `printf mark | sha256sum`."""
    assert all(parse_shard(shard).contains(name) for shard in shards.split())


def test_shard_is_formatted_as_its_flag() -> None:
    assert str(parse_shard("02/8")) == "2/8"


@pytest.mark.parametrize(
    "text", ["", "2", "0/4", "5/4", "1/0", "a/b", "-1/4", "1/-4", "1.5/4", "1/4/2", " 1/4", "1/4\n", "٣/4", "1/9999999"]
)
def test_malformed_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--shard(: expected INDEX/COUNT such as 2/8| ./.: there is no such shard)"):
        parse_shard(text)
