"""What a step may decide."""

from __future__ import annotations

from typing import get_args

import pytest
from attrs.exceptions import FrozenInstanceError
from semver import Version

from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.release import Release

RELEASE = Release(version=Version.parse("1.2.3"))


def test_there_are_three_decisions() -> None:
    """Whoever matches on them has to know all."""
    assert get_args(Decision) == (Done, Act, Refuse)


@pytest.mark.parametrize("decision", [Done("it is there", RELEASE), Act("bring it there", RELEASE)])
def test_done_and_act_carry_the_release_on(decision: Done | Act) -> None:
    """The dry run goes on with what a decision knows."""
    assert decision.release is RELEASE


def test_a_decision_does_not_change_after_it_was_made() -> None:
    """It is shown, and then acted upon."""
    decision = Act("bring it there", RELEASE)

    with pytest.raises(FrozenInstanceError):
        decision.description = "something else"  # type: ignore[misc]


def test_a_refusal_has_reasons_and_a_hint_if_there_is_one() -> None:
    """All reasons at once, so that they can be mended at once."""
    assert Refuse(reasons=("a merge is under way", "HEAD is detached")) == Refuse(
        reasons=("a merge is under way", "HEAD is detached"), hint=""
    )
