"""What a step decides from the current state."""

from __future__ import annotations

from attrs import frozen

from kaizen_tasks.domain.release import Release


@frozen
class Done:
    """Nothing to do.

    Attributes:
        reason: why, for the output: `staging already holds v1.2.3`.
        release: the release, with what the step has found out.
    """

    reason: str
    release: Release


@frozen
class Act:
    """Something to do.

    Attributes:
        description: what will happen, for the output.
        release: the release as it will be afterwards, as far as it is known; a dry run continues with it.
    """

    description: str
    release: Release


@frozen(kw_only=True)
class Refuse:
    """The step must not be done.

    Attributes:
        reasons: what is wrong, one reason or several.
        hint: what to do next.
    """

    reasons: tuple[str, ...]
    hint: str = ""


Decision = Done | Act | Refuse
