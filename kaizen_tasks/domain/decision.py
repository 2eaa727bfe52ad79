"""What a step decides after it has looked at the world."""

from __future__ import annotations

from attrs import frozen

from kaizen_tasks.domain.release import Release


@frozen
class Done:
    """Nothing to do.

    Attributes:
        reason: why, for people: `staging already holds v1.2.3`.
        release: the release with what this look has found out.
    """

    reason: str
    release: Release


@frozen
class Act:
    """Something to do.

    Attributes:
        description: what will happen, for people.
        release: the release as it will be afterwards, as far as that can be known; the dry run goes on with it.
    """

    description: str
    release: Release


@frozen(kw_only=True)
class Refuse:
    """Going on would be wrong.

    Attributes:
        reasons: what is wrong, one reason or several.
        hint: what to type next.
    """

    reasons: tuple[str, ...]
    hint: str = ""


Decision = Done | Act | Refuse
