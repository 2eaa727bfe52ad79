"""Rules about what stands below the headings of releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.entries import CHANGE_TYPES, nearest_type
from kaizen_tasks.domain.changelog.lint.problem import Inspection, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.changelog.entries import Group
    from kaizen_tasks.domain.changelog.model import Section


def unreleased_problems(inspection: Inspection) -> Iterator[Problem]:
    """Find that `[Unreleased]` is missing, there twice, or not on top."""
    log = inspection.log
    found = [section for section in log.sections if section.unreleased]
    if not found:
        line = log.sections[0].line if log.sections else 1
        yield Problem(
            line=line,
            rule="unreleased-missing",
            what="there is no [Unreleased] section",
            fix="put '## [Unreleased]' above the newest release",
        )
    for section in found[1:]:
        yield Problem(
            line=section.line,
            rule="unreleased-duplicate",
            what=f"[Unreleased] is there already, at line {found[0].line}",
            fix="join the two",
        )
    if found and log.sections[0] is not found[0]:
        yield Problem(
            line=found[0].line,
            rule="unreleased-order",
            what="[Unreleased] stands below a release",
            fix="move it above the newest release",
        )


def section_problems(inspection: Inspection) -> Iterator[Problem]:
    """Find what is wrong below each heading."""
    for section in inspection.log.sections:
        if section.version and section.empty:
            yield Problem(
                line=section.line,
                rule="section-empty",
                what=f"{section.title.label} says nothing",
                fix="say what changed, or remove the section",
            )
        yield from _loose(section)
        yield from _unknown(section)
        yield from _empty_groups(section)
        yield from _duplicates(section)
        yield from _order(section)


def _loose(section: Section) -> Iterator[Problem]:
    for entry in section.loose[:1]:
        yield Problem(
            line=entry.line,
            rule="entry-untyped",
            what="this entry stands under no type of change",
            fix=f"put it under one of {', '.join(CHANGE_TYPES)}",
        )


def _unknown(section: Section) -> Iterator[Problem]:
    for group in section.groups:
        if group.name in CHANGE_TYPES:
            continue
        near = group.type or nearest_type(group.name)
        yield Problem(
            line=group.line,
            column=5,
            rule="type-unknown",
            what=f"{group.name!r} is no type of change",
            fix=f"did you mean {near}?" if near else f"use one of {', '.join(CHANGE_TYPES)}",
        )


def _empty_groups(section: Section) -> Iterator[Problem]:
    for group in section.groups:
        if not group.entries:
            yield Problem(
                line=group.line,
                rule="group-empty",
                what=f"{group.name} has no entry",
                fix="add one, or remove the heading",
            )


def _duplicates(section: Section) -> Iterator[Problem]:
    seen: dict[str, Group] = {}
    for group in section.groups:
        first = seen.setdefault(group.type or group.name, group)
        if first is not group:
            yield Problem(
                line=group.line,
                rule="group-duplicate",
                what=f"{group.name} is there already, at line {first.line}",
                fix="join the two",
            )


def _order(section: Section) -> Iterator[Problem]:
    """Name the first type that should stand higher: the others follow from it."""
    known = [group for group in section.groups if group.type]
    ranks = [CHANGE_TYPES.index(group.type) for group in known if group.type]
    for group, rank, before in zip(known[1:], ranks[1:], ranks, strict=False):
        if rank < before:
            yield Problem(
                line=group.line,
                rule="group-order",
                what=f"{group.name} stands below {CHANGE_TYPES[before]}",
                fix=f"the order is {', '.join(CHANGE_TYPES)}",
            )
            return
