"""Images that a lifecycle policy expires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.lifecycle import LifecycleRule, StoredImage, expiring_images

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def image(name: str, *tags: str, days: float = 0, pulled: float | None = None) -> StoredImage:
    """Return an image with its age in days since the push, and since a pull."""
    fetched = None if pulled is None else NOW - timedelta(days=pulled)
    return StoredImage(digest=name, tags=tags, pushed_at=NOW - timedelta(days=days), pulled_at=fetched)


OLD, NEW, BARE = image("old", "v1.0.0", days=40), image("new", "v1.1.0", "latest", days=1), image("bare", days=20)
ALL = (OLD, NEW, BARE)


@pytest.mark.parametrize(
    ("rule", "gone"),
    [
        (LifecycleRule(priority=1, tag_status="any", max_images=1), {"old", "bare"}),
        (LifecycleRule(priority=1, tag_status="any", max_age_days=30), {"old"}),
        (LifecycleRule(priority=1, tag_status="untagged", max_age_days=14), {"bare"}),
        (LifecycleRule(priority=1, tag_status="untagged", max_age_days=30), set()),
        (LifecycleRule(priority=1, tag_status="tagged", tag_patterns=("v*",), max_images=1), {"old"}),
        (LifecycleRule(priority=1, tag_status="tagged", tag_patterns=("v*", "latest"), max_age_days=0), {"new"}),
        (LifecycleRule(priority=1, tag_status="tagged", tag_patterns=("dev*",), max_age_days=0), set()),
    ],
)
def test_rule_expires_images_by_number_or_age(rule: LifecycleRule, gone: set[str]) -> None:
    assert gone == expiring_images([rule], ALL, NOW).keys()


def test_image_is_protected_by_the_first_rule_that_selects_it() -> None:
    keep = LifecycleRule(priority=1, tag_status="tagged", tag_patterns=("v*",), max_images=10)
    sweep = LifecycleRule(priority=2, tag_status="any", max_age_days=7)

    assert expiring_images([sweep, keep], ALL, NOW) == {"bare": sweep}


def test_images_expired_by_an_earlier_rule_still_count() -> None:
    first = LifecycleRule(priority=1, tag_status="untagged", max_age_days=7)
    second = LifecycleRule(priority=2, tag_status="any", max_images=2)

    assert expiring_images([first, second], ALL, NOW) == {"bare": first, "old": second}


def test_age_counts_from_the_last_pull_if_the_rule_says_so() -> None:
    rule = LifecycleRule(priority=1, tag_status="any", max_age_days=30, uses_pull_time=True)
    fetched, never = image("fetched", days=90, pulled=2), image("never", days=90)

    assert expiring_images([rule], (fetched, never), NOW).keys() == {"never"}


@given(ages=st.lists(st.integers(0, 400), max_size=12), most=st.integers(1, 5))
def test_newest_images_are_kept(ages: list[int], most: int) -> None:
    images = [image(f"{position}", days=days) for position, days in enumerate(ages)]

    gone = expiring_images([LifecycleRule(priority=1, tag_status="any", max_images=most)], images, NOW)

    kept = [each for each in images if each.digest not in gone]
    assert len(kept) == min(most, len(images))
    assert all(one.pushed_at >= each.pushed_at for one in kept for each in images if each.digest in gone)
