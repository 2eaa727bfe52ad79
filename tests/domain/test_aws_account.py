"""Which tags may move."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.tag_mutability import MAX_EXCLUSION_FILTERS, Mutability, TagMutability

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
def test_knows_what_may_move(
    mutability: Mutability, filters: tuple[str, ...], versions_stay: bool, latest_moves: bool
) -> None:
    """An exclusion turns the rule around for the tags that it names."""
    rules = TagMutability(mutability=mutability, exclusion_filters=filters)

    assert versions_stay == rules.protects_version_tags
    assert latest_moves == rules.lets_latest_move


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
def test_corrects_every_rule_that_is_wrong(mutability: Mutability, filters: tuple[str, ...]) -> None:
    """Whatever stood there, versions stay and latest moves afterwards."""
    assert TagMutability(mutability=mutability, exclusion_filters=filters).with_versions_protected() == WANTED


@pytest.mark.parametrize(
    "rules",
    [WANTED, TagMutability(mutability="MUTABLE_WITH_EXCLUSION", exclusion_filters=("v*",))],
)
def test_leaves_alone_what_is_right(rules: TagMutability) -> None:
    """There is more than one way to be right."""
    assert rules.with_versions_protected() is rules


def test_keeps_what_else_was_said_to_move() -> None:
    """A team's own moving tags go on moving, as far as ECR takes so many filters."""
    rules = TagMutability(mutability="IMMUTABLE_WITH_EXCLUSION", exclusion_filters=("dev-*", "cache"))

    assert rules.with_versions_protected().exclusion_filters == ("latest", "dev-*", "cache")
    many = TagMutability(mutability="IMMUTABLE_WITH_EXCLUSION", exclusion_filters=tuple("abcde"))
    assert len(many.with_versions_protected().exclusion_filters) == MAX_EXCLUSION_FILTERS


def test_says_the_rules_in_words() -> None:
    """The exclusion is named."""
    assert str(WANTED) == "immutable except latest"
    assert str(TagMutability(mutability="MUTABLE")) == "mutable"
