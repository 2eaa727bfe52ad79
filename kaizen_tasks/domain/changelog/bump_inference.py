"""Which part of the version the notes ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import attrs

from kaizen_tasks.domain.changelog.entries import Entry
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.entries import Group
    from kaizen_tasks.domain.changelog.model import Section

ChangePart: TypeAlias = Literal["patch", "feature", "major"]

_ORDER: Final[tuple[ChangePart, ...]] = get_args(ChangePart)
_PATCHES: Final = {"Fixed", "Security"}


@attrs.frozen(kw_only=True)
class Reasoned:
    """A part of the version, and the entry that decided it."""

    part: ChangePart
    entry: Entry
    group: str

    @property
    def reason(self) -> str:
        """Say in one line which entry decided."""
        mark = "breaking, " if self.entry.breaking else ""
        return f"{self.part}: line {self.entry.line} ({mark}{self.group}): {self.entry.gist}"


def infer_part(section: Section, *, current: Version) -> Reasoned:
    """Tell which part the notes ask for; the first entry of those that ask for most decides.

    Args:
        section: the notes, usually of what is unreleased.
        current: the version before; while it is 0.x, breaking changes are features (Semantic Versioning, 4).

    Raises:
        Refused: no entry stands under a type of change.
    """
    found = [
        Reasoned(part=_part(group, entry, current), entry=entry, group=group.name)
        for group in section.groups
        for entry in group.entries
    ]
    if not found:
        raise Refused(
            f"the notes at line {section.line} do not say what kind of change this is",
            hint="put entries under ### Added, ### Fixed, ...; or name the part: inv bump --part patch",
        )
    return max(found, key=lambda reasoned: _ORDER.index(reasoned.part))


def contradicts(section: Section, part: ChangePart, current: Version) -> Entry | None:
    """Return the entry that asks for more than a chosen part, if one does."""
    if not section.entries:
        return None
    reasoned = infer_part(section, current=current)
    return reasoned.entry if _ORDER.index(reasoned.part) > _ORDER.index(part) else None


def _part(group: Group, entry: Entry, current: Version) -> ChangePart:
    if entry.breaking or group.type == "Removed":
        return "major" if current.major else "feature"
    return "patch" if group.type in _PATCHES else "feature"
