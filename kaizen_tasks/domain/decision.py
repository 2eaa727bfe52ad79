"""Decisions of a step, made from the current state."""

from __future__ import annotations

from attrs import frozen

from kaizen_tasks.domain.release import Release


@frozen
class Done:
    """The decision that there is nothing to do.

    Attributes:
        reason: why there is nothing to do, for the output: `staging already holds v1.2.3`.
        release: the release, completed with what the step has found out.
    """

    reason: str
    release: Release


@frozen
class Act:
    """The decision that the step must act.

    Attributes:
        description: what the step will do, for the output.
        release: the release as it will be afterwards, as far as known; a dry run continues with this release.
    """

    description: str
    release: Release


@frozen(kw_only=True)
class Refuse:
    """The decision that the step must not act.

    Attributes:
        reasons: what is wrong, one reason or several.
        state: the state of things now, if it needs saying.
        hint: what to do next.
    """

    reasons: tuple[str, ...]
    state: str = ""
    hint: str = ""


Decision = Done | Act | Refuse
