"""The language in which a changelog names `[Unreleased]` and the types of change, for what is added to it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from kaizen_tasks.domain.changelog import CHANGE_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.changelog.entries import Group
    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.domain.changelog.wording.translations import Translation

MAX_MODEL_SECTIONS: Final = 20
"""Number of sections that are searched for the style of a file."""


def type_heading(log: Changelog, change_type: str) -> str:
    """Return the heading of a type of change: as the file or the configuration has it, else in the file's language.

    Names in lower case, such as `bugfix`, are those of fragments.
    """
    used_headings = (group.spelling for group in _typed_groups(log) if group.type == change_type)
    type_names = log.changelog_format.type_names
    configured_headings = (name for name, type_name in type_names if type_name == change_type and not name.islower())
    heading = next(used_headings, None) or next(configured_headings, None)
    if heading:
        return heading
    translation = _translation(log) if change_type in CHANGE_TYPES else None
    return translation.types[change_type][0] if translation else change_type


def unreleased_name(log: Changelog) -> str:
    """Return the name of `[Unreleased]` for a file that has none: as it is configured, else in the file's language."""
    if log.changelog_format.unreleased_names:
        return log.changelog_format.unreleased_names[0]
    translation = _translation(log)
    return translation.unreleased[0] if translation else "Unreleased"


def _typed_groups(log: Changelog) -> Iterator[Group]:
    for section in log.sections[:MAX_MODEL_SECTIONS]:
        groups = (group for group in section.groups if not group.is_breaking and not group.is_qualified)
        yield from (group for group in groups if group.type)


def _translation(log: Changelog) -> Translation | None:
    """Return the language of most headings of types or, without any, of `[Unreleased]`; None for English."""
    headings = Counter(group.spelling for group in _typed_groups(log))
    name = log.unreleased.title.name if log.unreleased else "Unreleased"
    english_count = sum(headings[change_type] for change_type in CHANGE_TYPES)
    if english_count * 2 > headings.total() or (not headings and name.casefold() == "unreleased"):
        return None
    from kaizen_tasks.domain.changelog.wording.translations import translations

    def count(translation: Translation) -> tuple[int, bool]:
        names = {name for names in translation.types.values() for name in names}
        return sum(headings[name] for name in names), name in translation.unreleased

    best_translation = max(translations(), key=count)
    return best_translation if any(count(best_translation)) else None
