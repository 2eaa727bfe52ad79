"""Rules about `[Unreleased]`, types and entries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog import CHANGE_TYPES
from kaizen_tasks.domain.changelog.lint.problem import LintContext, LintProblem
from kaizen_tasks.domain.changelog.model import find_unknown_section, unknown_section_fix

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.entries import Group
    from kaizen_tasks.domain.changelog.section import Section


def unreleased_problems(context: LintContext) -> Iterator[LintProblem]:
    """Yield a problem if `[Unreleased]` is missing, duplicated, or not on top."""
    log = context.log
    unreleased_sections = [section for section in log.sections if section.is_unreleased]
    unknown_section = find_unknown_section(log)
    if unknown_section:
        yield LintProblem(
            line=unknown_section.line,
            rule="unreleased-unknown",
            message=f"{unknown_section.heading!r} is neither a release nor a known name of [Unreleased]",
            fix=unknown_section_fix(unknown_section),
        )
    elif not unreleased_sections:
        line = log.sections[0].line if log.sections else 1
        yield LintProblem(
            line=line,
            rule="unreleased-missing",
            severity="warning" if log.sections else "error",
            message="there is no [Unreleased] section",
            fix="put '## [Unreleased]' above the newest release",
        )
    for section in unreleased_sections[1:]:
        yield LintProblem(
            line=section.line,
            rule="unreleased-duplicate",
            message=f"duplicate of [Unreleased] at line {unreleased_sections[0].line}",
            fix="merge the two",
        )
    if unreleased_sections and log.sections[0] is not unreleased_sections[0]:
        yield LintProblem(
            line=unreleased_sections[0].line,
            rule="unreleased-order",
            message="[Unreleased] is below a release",
            fix="move it above the newest release",
        )


def section_problems(context: LintContext) -> Iterator[LintProblem]:
    """Yield the problems in the content of each section."""
    for section in context.log.sections:
        age = context.age(section)
        yield from (attrs.evolve(problem, age=age) for problem in _content_problems(section))


def _content_problems(section: Section) -> Iterator[LintProblem]:
    has_text = bool(section.summary) or any(group.end > group.body_start for group in section.groups)
    if section.version and section.is_empty and not has_text:  # a release may say that nothing has changed
        yield LintProblem(
            line=section.line,
            rule="section-empty",
            message=f"{section.title.label} is empty",
            fix="add what changed, or remove the section",
        )
    yield from _untyped_entries(section)
    yield from _unknown_types(section)
    yield from _empty_groups(section)
    yield from _duplicate_groups(section)
    yield from _misordered_groups(section)


def _untyped_entries(section: Section) -> Iterator[LintProblem]:
    for entry in section.untyped_entries[:1]:
        yield LintProblem(
            line=entry.line,
            rule="entry-untyped",
            message="this entry has no type of change",
            fix=f"put it under one of {', '.join(CHANGE_TYPES)}",
        )


def _unknown_types(section: Section) -> Iterator[LintProblem]:
    """Yield a problem for each heading that is no type of change."""
    for group in section.groups:
        if (group.type or group.is_breaking) and group.spelling == group.name:
            continue
        is_misspelt, changelog_format = group.spelling != group.name, section.changelog_format
        suggestion = group.spelling if is_misspelt else changelog_format.nearest_type(group.name)
        yield LintProblem(
            line=group.line,
            column=5,
            rule="type-unknown",
            severity="error" if suggestion and _is_misspelt(group.name, suggestion) else "warning",
            message=f"{group.name!r} is not a type of change",
            fix=f"did you mean {suggestion}?" if suggestion else f"use one of {', '.join(changelog_format.types)}",
        )


def _is_misspelt(name: str, correct_name: str) -> bool:
    """Return whether a name is a slip of the pen: not the same in other letters, and not another word for it."""
    import difflib

    folded_name, folded_correct_name = name.casefold(), correct_name.casefold()
    is_close = bool(difflib.get_close_matches(folded_name, [folded_correct_name], cutoff=0.75))
    return is_close and folded_name != folded_correct_name


def _empty_groups(section: Section) -> Iterator[LintProblem]:
    for group in section.groups:
        if not group.entries:
            yield LintProblem(
                line=group.line,
                rule="group-empty",
                message=f"{group.name} has no entry",
                fix="add one, or remove the heading",
            )


def _duplicate_groups(section: Section) -> Iterator[LintProblem]:
    first_by_type: dict[tuple[str, bool], Group] = {}
    for group in section.groups:
        name = group.name if group.is_qualified or not group.type else group.type
        first_group = first_by_type.setdefault((name, group.is_breaking), group)
        if first_group is not group:
            yield LintProblem(
                line=group.line,
                rule="group-duplicate",
                message=f"duplicate of {group.name} at line {first_group.line}",
                fix="merge the two",
            )


def _misordered_groups(section: Section) -> Iterator[LintProblem]:
    """Yield a problem for the first of the six types that is out of order; later ones may result from the first."""
    typed_groups = [group for group in section.groups if group.type in CHANGE_TYPES and not group.is_breaking]
    ranks = [CHANGE_TYPES.index(str(group.type)) for group in typed_groups]
    for group, previous_group, rank, previous_rank in zip(
        typed_groups[1:], typed_groups, ranks[1:], ranks, strict=False
    ):
        if rank < previous_rank:
            yield LintProblem(
                line=group.line,
                rule="group-order",
                message=f"{group.name} is below {previous_group.name}",
                fix=f"the order is {', '.join(CHANGE_TYPES)}",
            )
            return
