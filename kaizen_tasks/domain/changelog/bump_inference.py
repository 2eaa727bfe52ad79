"""Infer which part of the version to bump from the entries of sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

import attrs

from kaizen_tasks.domain.changelog.entries import ChangelogEntry, Group
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.model import Section

ChangePart: TypeAlias = Literal["patch", "feature", "major"]
BumpRule: TypeAlias = Literal["patch", "feature", "major", "follow"]

_ORDER: Final[tuple[ChangePart, ...]] = get_args(ChangePart)
_RULE_BY_TYPE: Final[Mapping[str, BumpRule]] = {
    "Added": "feature",
    "Deprecated": "feature",
    "Removed": "major",
    "Fixed": "patch",
    "Security": "patch",
}


@attrs.frozen(kw_only=True)
class BumpRules:
    """Which part of the version each type of change requires.

    Attributes:
        rules: by the name of a type or of a heading, casefolded; `follow` requires what the other entries require, and
            alone a patch.
        default: the rule of types that have none. A heading that names no type is a feature: it may be one.
    """

    rules: Mapping[str, BumpRule]
    default: BumpRule = "follow"

    @classmethod
    def of_configuration(cls, value: str | Mapping[str, str]) -> BumpRules:
        """Return the rules of `[release] bump`: `auto`, `strict`, or a table for some types."""
        if isinstance(value, str):
            return STRICT_RULES if value == "strict" else DEFAULT_RULES
        table = {name.casefold(): "feature" if rule == "minor" else rule for name, rule in value.items()}
        return cls(rules={**DEFAULT_RULES.rules, **cast("dict[str, BumpRule]", table)})

    def rule_of(self, group: Group) -> BumpRule:
        """Return the rule of a group's type, else of its heading."""
        names = [name.casefold() for name in (group.type, group.name) if name]
        rules = (self.rules[name] for name in reversed(names) if name in self.rules)
        return next(rules, self.default if group.type else "feature")


DEFAULT_RULES: Final = BumpRules(rules={name.casefold(): rule for name, rule in _RULE_BY_TYPE.items()})
STRICT_RULES: Final = attrs.evolve(DEFAULT_RULES, default="feature")


@attrs.frozen(kw_only=True)
class BumpDecision:
    """The part of the version to bump, and the entry that requires the part."""

    part: ChangePart
    entry: ChangelogEntry
    group: str

    @property
    def reason(self) -> str:
        """Return one line: the part and the entry that requires it."""
        return self.reason_at(f"line {self.entry.line}")

    def reason_at(self, place: str) -> str:
        """Return one line: the part, the place that it follows from, and the entry there."""
        breaking_marker = "breaking, " if self.entry.is_breaking else ""
        return f"{self.part}: {place} ({breaking_marker}{self.group}): {self.entry.excerpt}"


def infer_part(*sections: Section, current_version: Version, rules: BumpRules = DEFAULT_RULES) -> BumpDecision:
    """Return the highest part that an entry of the sections requires, with the first such entry.

    Args:
        sections: usually `[Unreleased]` alone; with release candidates, their sections too.
        current_version: while it is 0.x, breaking changes are features (Semantic Versioning, 4).
        rules: which part each type requires.

    Raises:
        Refused: no entry has a type of change.
    """
    groups = [group for section in sections for group in section.groups]
    decisions = list(_decisions(groups, current_version, rules))
    if not decisions:
        raise Refused(
            f"the entries at line {sections[0].line} have no type of change",
            hint="put them under ### Added, ### Fixed, ...; or give the part: inv bump --part patch",
        )
    return max(decisions, key=lambda decision: _ORDER.index(decision.part))


def find_entry_exceeding(
    *sections: Section, part: ChangePart, current_version: Version, rules: BumpRules = DEFAULT_RULES
) -> ChangelogEntry | None:
    """Return the entry that requires a higher part than `part`, or None."""
    if not any(section.entries for section in sections):
        return None
    decision = infer_part(*sections, current_version=current_version, rules=rules)
    return decision.entry if _ORDER.index(decision.part) > _ORDER.index(part) else None


def _decisions(groups: list[Group], current_version: Version, rules: BumpRules) -> Iterator[BumpDecision]:
    """Yield what each entry requires; entries that follow the others only if there are no others."""
    entries = [(_rule_of_entry(group, entry, rules), group, entry) for group in groups for entry in group.entries]
    leading_entries = [item for item in entries if item[0] != "follow"]
    for rule, group, entry in leading_entries or entries:
        part: ChangePart = "patch" if rule == "follow" else rule
        if part == "major" and not current_version.major:
            part = "feature"
        yield BumpDecision(part=part, entry=entry, group=group.name)


def _rule_of_entry(group: Group, entry: ChangelogEntry, rules: BumpRules) -> BumpRule:
    return "major" if entry.is_breaking else rules.rule_of(group)
