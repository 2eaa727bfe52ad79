"""Which part of the version the notes ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import attrs

from kaizen_tasks.domain.changelog.entries import ChangelogEntry
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.entries import Group
    from kaizen_tasks.domain.changelog.model import Section

ChangePart: TypeAlias = Literal["patch", "feature", "major"]

_ORDER: Final[tuple[ChangePart, ...]] = get_args(ChangePart)
_PATCH_TYPES: Final = {"Fixed", "Security"}


@attrs.frozen(kw_only=True)
class BumpDecision:
    """A part of the version, and the entry that decided it."""

    part: ChangePart
    entry: ChangelogEntry
    group: str

    @property
    def reason(self) -> str:
        """Say in one line which entry decided."""
        breaking_marker = "breaking, " if self.entry.is_breaking else ""
        return f"{self.part}: line {self.entry.line} ({breaking_marker}{self.group}): {self.entry.excerpt}"


def infer_part(section: Section, *, current_version: Version) -> BumpDecision:
    """Tell which part the notes ask for; the first entry of those that ask for most decides.

    Args:
        section: the notes, usually of what is unreleased.
        current_version: the version before; while it is 0.x, breaking changes are features (Semantic Versioning, 4).

    Raises:
        Refused: no entry stands under a type of change.
    """
    decisions = [
        BumpDecision(part=_part_of_entry(group, entry, current_version), entry=entry, group=group.name)
        for group in section.groups
        for entry in group.entries
    ]
    if not decisions:
        raise Refused(
            f"the notes at line {section.line} do not say what kind of change this is",
            hint="put entries under ### Added, ### Fixed, ...; or name the part: inv bump --part patch",
        )
    return max(decisions, key=lambda decision: _ORDER.index(decision.part))


def find_entry_exceeding(section: Section, part: ChangePart, current_version: Version) -> ChangelogEntry | None:
    """Return the entry that asks for more than a chosen part, if one does."""
    if not section.entries:
        return None
    decision = infer_part(section, current_version=current_version)
    return decision.entry if _ORDER.index(decision.part) > _ORDER.index(part) else None


def _part_of_entry(group: Group, entry: ChangelogEntry, current_version: Version) -> ChangePart:
    if entry.is_breaking or group.type == "Removed":
        return "major" if current_version.major else "feature"
    return "patch" if group.type in _PATCH_TYPES else "feature"
