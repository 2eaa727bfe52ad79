"""Infer which part of the version to bump from the entries of sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

import attrs

from kaizen_tasks.domain.changelog.entries import ChangelogEntry, Group
from kaizen_tasks.errors import NOTHING_CHANGED, Refused

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.section import Section

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

    def rule_of(self, entry: ChangelogEntry, group: Group, *, unknown: BumpRule) -> BumpRule:
        """Return the rule of the heading above an entry, else of its type; `unknown` if there is neither."""
        if entry.is_breaking:
            return "major"
        names = [name.casefold() for name in (group.name, entry.type) if name]
        rules = (self.rules[name] for name in names if name in self.rules)
        return next(rules, self.default if entry.type else unknown)


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
        Refused: an entry has no type of change, and may require more than the others.
    """
    decision = find_decision(*sections, current_version=current_version, rules=rules)
    untyped_entries = [entry for section in sections for entry in section.untyped_entries if not entry.is_breaking]
    if decision is None:
        untyped_entries = untyped_entries or [entry for section in sections for entry in section.all_entries]
    if decision and (not untyped_entries or decision.part == _highest_part(current_version)):
        return decision
    line = untyped_entries[0].line if untyped_entries else sections[0].line
    raise Refused(
        f"the entry at line {line} has no type of change",
        state=NOTHING_CHANGED,
        hint="put it under ### Added, ### Fixed, ...; or give the part: --part patch",
    )


def find_decision(
    *sections: Section, current_version: Version, rules: BumpRules = DEFAULT_RULES, unknown: BumpRule = "feature"
) -> BumpDecision | None:
    """Return the highest part that entries with a heading or a breaking mark require; None without such an entry.

    Args:
        sections: the sections with the entries.
        current_version: while it is 0.x, breaking changes are features.
        rules: which part each type requires.
        unknown: the rule of entries under a heading that is no type of change.
    """
    decisions = _decisions(sections, current_version, rules, unknown)
    return max(decisions, key=lambda decision: _ORDER.index(decision.part), default=None)


def find_decision_exceeding(
    *sections: Section, part: ChangePart, current_version: Version, rules: BumpRules = DEFAULT_RULES
) -> BumpDecision | None:
    """Return what requires a higher part than `part`, or None. Entries without a known type require what is asked."""
    decision = find_decision(*sections, current_version=current_version, rules=rules, unknown="follow")
    return decision if decision and _ORDER.index(decision.part) > _ORDER.index(part) else None


def _highest_part(current_version: Version) -> ChangePart:
    return "major" if current_version.major else "feature"


def _decisions(
    sections: Sequence[Section], current_version: Version, rules: BumpRules, unknown: BumpRule
) -> Iterator[BumpDecision]:
    """Yield what each entry requires; entries that follow the others only if there are no others."""
    groups = [group for section in sections for group in section.groups]
    intro_entries = [entry for section in sections for entry in section.intro_entries if entry.is_breaking]
    entries: list[tuple[BumpRule, str, ChangelogEntry]] = [("major", "Unreleased", entry) for entry in intro_entries]
    entries += [
        (rules.rule_of(entry, group, unknown=unknown), group.name, entry) for group in groups for entry in group.entries
    ]
    leading_entries = [item for item in entries if item[0] != "follow"]
    for rule, name, entry in leading_entries or entries:
        part: ChangePart = "patch" if rule == "follow" else rule
        yield BumpDecision(part=_highest_part(current_version) if part == "major" else part, entry=entry, group=name)
