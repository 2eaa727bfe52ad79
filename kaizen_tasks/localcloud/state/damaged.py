"""Files of the state folder that cannot be read: damaged, or of another version."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_Value = TypeVar("_Value")


def load_state(path: Path, parse: Callable[[bytes], _Value]) -> _Value:
    """Return the parsed content of a file.

    Raises:
        Refused: the file is damaged.
    """
    try:
        return parse(path.read_bytes())
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise damaged_state(str(path), error, hint="restore or remove that file, or choose another --state") from error


def damaged_state(place: str, error: Exception, *, hint: str) -> Refused:
    """Return the refusal to start on a damaged file.

    Args:
        place: the file, and the number of the line if there is one.
        error: the reason.
        hint: what to do.
    """
    reason = f"{type(error).__name__}: {error}"
    return Refused(f"{place} cannot be read: {reason}", state="nothing was started, and nothing changed", hint=hint)
