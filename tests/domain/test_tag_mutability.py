"""Tags that may be moved."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.tag_mutability import MAX_EXCLUSION_FILTERS, Mutability, TagMutability

LATEST = ("latest",)

WANTED = TagMutability(mutability="IMMUTABLE_WITH_EXCLUSION", exclusion_filters=("latest",))


@pytest.mark.parametrize(
    ("mutability", "filters", "versions_stay", "latest_moves"),
    [
        ("MUTABLE", (), False, True),
        ("IMMUTABLE", (), True, False),
        ("IMMUTABLE_WITH_EXCLUSION", ("latest",), True, True),
        ("IMMUTABLE_WITH_EXCLUSION", ("lat*", "dev-*"), True, True),
        ("IMMUTABLE_WITH_EXCLUSION", ("dev-*",), True, False),
        ("IMMUTABLE_WITH_EXCLUSION", ("*",), False, True),
        ("MUTABLE_WITH_EXCLUSION", ("v*",), True, True),
        ("MUTABLE_WITH_EXCLUSION", ("latest",), False, False),
    ],
)
def test_exclusion_filter_reverses_the_setting(
    mutability: Mutability, filters: tuple[str, ...], versions_stay: bool, latest_moves: bool
) -> None:
    rules = TagMutability(mutability=mutability, exclusion_filters=filters)

    assert versions_stay == rules.protects_version_tags
    assert latest_moves == rules.may_move("latest")


@pytest.mark.parametrize(
    ("mutability", "filters"),
    [
        ("MUTABLE", ()),
        ("IMMUTABLE", ()),
        ("IMMUTABLE_WITH_EXCLUSION", ("*",)),
        ("IMMUTABLE_WITH_EXCLUSION", ("v*",)),
        ("MUTABLE_WITH_EXCLUSION", ("latest",)),
        ("MUTABLE_WITH_EXCLUSION", ("*",)),
    ],
)
def test_protected_setting_has_immutable_versions_and_movable_latest(
    mutability: Mutability, filters: tuple[str, ...]
) -> None:
    assert TagMutability(mutability=mutability, exclusion_filters=filters).with_versions_protected(LATEST) == WANTED


@pytest.mark.parametrize(
    "rules",
    [WANTED, TagMutability(mutability="MUTABLE_WITH_EXCLUSION", exclusion_filters=("v*",))],
)
def test_right_setting_is_kept(rules: TagMutability) -> None:
    assert rules.with_versions_protected(LATEST) is rules


def test_all_tags_are_immutable_where_no_tag_is_followed() -> None:
    """ECR accepts no exclusion without a filter."""
    assert TagMutability(mutability="MUTABLE").with_versions_protected(()) == TagMutability(mutability="IMMUTABLE")


def test_other_movable_tags_stay_movable_up_to_the_filter_limit() -> None:
    rules = TagMutability(mutability="IMMUTABLE_WITH_EXCLUSION", exclusion_filters=("dev-*", "cache"))

    assert rules.with_versions_protected(LATEST).exclusion_filters == ("latest", "dev-*", "cache")
    many = TagMutability(mutability="IMMUTABLE_WITH_EXCLUSION", exclusion_filters=tuple("abcde"))
    assert len(many.with_versions_protected(LATEST).exclusion_filters) == MAX_EXCLUSION_FILTERS


def test_every_followed_tag_of_a_shared_repository_stays_movable() -> None:
    rules = TagMutability(mutability="MUTABLE").with_versions_protected(("staging", "prod"))

    assert rules.exclusion_filters == ("staging", "prod")
    assert rules.protects_version_tags
    assert WANTED.with_versions_protected(("latest", "prod")).exclusion_filters == ("latest", "prod")


def test_versions_of_a_repository_with_more_followed_tags_than_filters_are_protected() -> None:
    """A tag such as `vera` is followed, and is no version."""
    tags = ("staging", "prod", "mark", "shane", "dom", "vera")

    rules = WANTED.with_versions_protected(tags)

    assert rules.protects_version_tags
    assert all(map(rules.may_move, tags))
    assert rules.with_versions_protected(tags) is rules


def test_mutability_in_words() -> None:
    assert str(WANTED) == "immutable except latest"
    assert str(TagMutability(mutability="MUTABLE")) == "mutable"
