"""What the headings of a changelog mean: the names of `[Unreleased]`, and the types of change."""

from __future__ import annotations

import functools
from typing import Final

import attrs

CHANGE_TYPES: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
"""The six types of change, in the order of Keep a Changelog."""

_TYPE_BY_NAME: Final = {name.casefold(): name for name in CHANGE_TYPES}


@attrs.frozen(kw_only=True)
class ChangelogFormat:
    """What an app's configuration says about the headings of its changelog.

    Attributes:
        unreleased_names: further names of `[Unreleased]`, as they are written.
        type_names: pairs of a heading and the type of change that it stands for: one of the six, or a type of its own.
    """

    unreleased_names: tuple[str, ...] = ()
    type_names: tuple[tuple[str, str], ...] = ()

    @functools.cached_property
    def types(self) -> tuple[str, ...]:
        """Return the types of change in their order: the six, then the app's own."""
        return tuple(dict.fromkeys((*CHANGE_TYPES, *(change_type for _, change_type in self.type_names))))

    @functools.cached_property
    def _type_by_name(self) -> dict[str, str]:
        own_types = {change_type.casefold(): change_type for change_type in self.types}
        return own_types | {name.casefold(): change_type for name, change_type in self.type_names} | _TYPE_BY_NAME

    def is_unreleased(self, name: str) -> bool:
        """Return whether a name is `Unreleased`, in any case, or a further name of it."""
        folded_name = name.casefold()
        return folded_name == "unreleased" or folded_name in map(str.casefold, self.unreleased_names)

    def find_type(self, name: str) -> str | None:
        """Return the type of change that a heading names, in any case, or None."""
        return self._type_by_name.get(name.casefold())

    def is_type_heading(self, name: str) -> bool:
        """Return whether a heading is a type of change as it is written, or as the configuration writes it."""
        return name in CHANGE_TYPES or any(name in pair for pair in self.type_names)

    def nearest_type(self, name: str) -> str | None:
        """Return the only type of change that a misspelt name resembles; None for no or several types."""
        import difflib

        type_by_name = {change_type.casefold(): change_type for change_type in self.types}
        normalized_name = name.strip().rstrip(":").casefold()
        close_matches = difflib.get_close_matches(normalized_name, type_by_name, n=2, cutoff=0.75)
        return type_by_name[close_matches[0]] if len(close_matches) == 1 else None


DEFAULT_FORMAT: Final = ChangelogFormat()
"""The format of an app that configures nothing."""
