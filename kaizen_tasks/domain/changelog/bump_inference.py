"""Infer which part of the version to bump from the entries of a section."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import attrs

from kaizen_tasks.domain.changelog.entries import ChangelogEntry, Group
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.model import Section

ChangePart: TypeAlias = Literal["patch", "feature", "major"]

_ORDER: Final[tuple[ChangePart, ...]] = get_args(ChangePart)
_PATCH_TYPES: Final = {"Fixed", "Security"}


@attrs.frozen(kw_only=True)
class BumpDecision:
    """The part of the version to bump, and the entry that requires the part."""

    part: ChangePart
    entry: ChangelogEntry
    group: str

    @property
    def reason(self) -> str:
        """Return one line: the part and the entry that requires it."""
        breaking_marker = "breaking, " if self.entry.is_breaking else ""
        return f"{self.part}: line {self.entry.line} ({breaking_marker}{self.group}): {self.entry.excerpt}"


def infer_part(section: Section, *, current_version: Version) -> BumpDecision:
    """Return the highest part that an entry of the section requires, with the first such entry.

    Args:
        section: usually `[Unreleased]`.
        current_version: while it is 0.x, breaking changes are features (Semantic Versioning, 4).

    Raises:
        Refused: no entry has a type of change.
    """
    decisions = [
        BumpDecision(part=_part_of_entry(group, entry, current_version), entry=entry, group=group.name)
        for group in section.groups
        for entry in group.entries
    ]
    if not decisions:
        raise Refused(
            f"the entries at line {section.line} have no type of change",
            hint="put them under ### Added, ### Fixed, ...; or give the part: inv bump --part patch",
        )
    return max(decisions, key=lambda decision: _ORDER.index(decision.part))


def find_entry_exceeding(section: Section, part: ChangePart, current_version: Version) -> ChangelogEntry | None:
    """Return the entry that requires a higher part than `part`, or None."""
    if not section.entries:
        return None
    decision = infer_part(section, current_version=current_version)
    return decision.entry if _ORDER.index(decision.part) > _ORDER.index(part) else None


def _part_of_entry(group: Group, entry: ChangelogEntry, current_version: Version) -> ChangePart:
    if entry.is_breaking or group.type == "Removed":
        return "major" if current_version.major else "feature"
    return "patch" if group.type in _PATCH_TYPES else "feature"
