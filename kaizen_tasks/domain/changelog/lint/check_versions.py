"""Rules about versions and dates, and about their agreement with VERSION and the tags."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.lint.problem import Age, LintContext, LintProblem
from kaizen_tasks.domain.changelog.model import (
    describe_release_of_level_one,
    find_release_of_level_one,
    find_unknown_section,
)
from kaizen_tasks.domain.changelog.undated import is_placeholder
from kaizen_tasks.domain.version import sort_key

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.section import Section


TIME_ZONES_APART = dt.timedelta(days=1)
"""By how much two releasers' days may differ at one time."""


def heading_problems(context: LintContext) -> Iterator[LintProblem]:
    """Yield a problem for each heading without a version, and for each duplicate version."""
    first_by_name: dict[str, Section] = {}
    unknown_section = find_unknown_section(context.log)
    for section in context.log.releases:
        if section is unknown_section:
            continue
        if not section.version:
            yield LintProblem(
                line=section.line,
                column=_column_of(section, section.title.name),
                age=context.age(section),
                rule="version-unknown",
                message=f"{section.title.name!r} is not a semantic version",
                fix="write the heading as '## [1.2.3] - YYYY-MM-DD'",
            )
            continue
        first_section = first_by_name.setdefault(section.title.name, section)
        if first_section is not section:
            yield LintProblem(
                line=section.line,
                age=context.age(section),
                rule="version-duplicate",
                message=f"duplicate of {section.title.name} at line {first_section.line}",
                fix="merge the two",
            )


def level_problems(context: LintContext) -> Iterator[LintProblem]:
    """Yield a problem for the first release whose heading has level 1, which no release can be made from or beside."""
    section = find_release_of_level_one(context.log)
    if section:
        message, fix = describe_release_of_level_one(section)
        yield LintProblem(
            line=section.line,
            severity="warning" if context.versioned_sections else "error",
            rule="heading-level",
            message=message,
            fix=fix,
        )


def _column_of(section: Section, text: str) -> int:
    return max(section.heading_lines[0].find(text), 0) + 1


def order_problems(context: LintContext) -> Iterator[LintProblem]:
    """Yield a problem for each release that is above a newer release, or dated before an older one.

    Releases of two lines may be in the order of their dates as well, and one line goes on after another has begun.
    """
    pairs = zip(context.versioned_sections, context.versioned_sections[1:], strict=False)
    for (upper_version, upper_section), (version, section) in pairs:
        if version > upper_version and not _is_later_on_older_line(upper_section, section):
            yield LintProblem(
                line=section.line,
                age=context.age(section),
                rule="version-order",
                message=f"{version} is below {upper_version}",
                fix="put the newest release on top",
            )
    sections = dict(reversed(context.versioned_sections))
    for version, lower_version in _predecessors_in_time(tuple(sections)):
        upper_section, section = sections[version], sections[lower_version]
        if upper_section.date and section.date and section.date - upper_section.date > TIME_ZONES_APART:
            yield LintProblem(
                line=upper_section.line,
                column=_column_of(upper_section, upper_section.title.date_text),
                age=context.age(upper_section),
                rule="date-order",
                message=f"{version} is dated {upper_section.date}, before {lower_version} of {section.date}",
                fix="correct the date that is wrong",
            )


def _is_later_on_older_line(upper: Section, lower: Section) -> bool:
    """Return whether the upper one of two sections was released after the lower one, and in another series."""
    if not (upper.version and lower.version and upper.date and lower.date):
        return False
    return upper.date > lower.date and _series(upper.version) != _series(lower.version)


def _series(version: Version) -> tuple[int, int]:
    return version.major, version.minor


def _predecessors_in_time(versions: tuple[Version, ...]) -> Iterator[tuple[Version, Version]]:
    """Yield each version with one that was released before it: in its series or, for its first, that of the one before.

    A patch of an older series may be released after a newer series has begun.
    """
    previous = series_start = None
    for version in sorted(versions, key=sort_key):
        if previous is not None and series_start is not None:
            is_same_series = _series(version) == _series(previous)
            yield version, previous if is_same_series else series_start
            series_start = series_start if is_same_series else version
        else:
            series_start = version
        previous = version


def date_problems(context: LintContext) -> Iterator[LintProblem]:
    """Yield a problem for each date that is missing, malformed, impossible, or in the future."""
    for _, section in context.versioned_sections:
        rule, message = _date_problem(context, section)
        if rule:
            yield LintProblem(
                line=section.line,
                column=_column_of(section, section.title.date_text) if section.title.date_text else 1,
                age=context.age(section),
                rule=rule,
                message=f"{section.title.label} {message}",
                fix="write the date of the release as YYYY-MM-DD",
            )


def _date_problem(context: LintContext, section: Section) -> tuple[str, str]:
    date_text, date = section.title.date_text, section.date
    if not date_text:
        return "date-missing", "has no date"
    if date:
        return ("date-future", f"is dated {date_text}, which is in the future") if date > context.today else ("", "")
    are_digits = [part.isascii() and part.isdigit() for part in date_text.split("-")]
    if are_digits == [True] * 3 and len(date_text) == 10:
        return "date-impossible", f"is dated {date_text}, a day that does not exist"
    return "date-malformed", f"is dated {date_text!r}"


def tag_problems(context: LintContext) -> Iterator[LintProblem]:
    """Yield a problem for each release without a tag, and for each tag without a section.

    Releases older than the first tag need no tag, nor does the version in VERSION, which is being released, nor do
    newer ones without a date.
    Pre-releases need no section, nor do releases of other lines.
    """
    tags = set(context.tags or ())
    if not tags:
        return
    lowest_tag, highest_tag = min(tags), max(tags)
    for version, section in context.versioned_sections:
        is_due = version <= highest_tag or not _awaits_date(context, section)
        if version > lowest_tag and version not in tags and version != context.version and is_due:
            yield LintProblem(
                line=section.line,
                age=context.age(section),
                rule="tag-missing",
                message=f"{version} has no tag",
                fix=f"tag its commit: git tag -a {context.tag_pattern.format(version)} COMMIT",
            )
    listed_versions = {version for version, _ in context.versioned_sections}
    for version in sorted(tags - listed_versions - context.history.elsewhere, key=sort_key, reverse=True):
        if not version.prerelease:
            yield _unlisted_tag_problem(context, version)


def _awaits_date(context: LintContext, section: Section) -> bool:
    """Return whether a section gets its date by a release: it has a placeholder, or none where others have dates."""
    text = section.title.date_text
    return is_placeholder(text) if text else any(other.date for other in context.log.releases)


def _unlisted_tag_problem(context: LintContext, version: Version) -> LintProblem:
    section = context.first_section_below(version) or next(reversed(context.log.sections), None)
    is_newest = context.newest_version is None or version > context.newest_version
    return LintProblem(
        line=section.line if section else 1,
        age=Age(version=version, is_current=is_newest),
        rule="tag-unlisted",
        message=f"the tag {context.tag_pattern.format(version)} has no section",
        fix=f"add a section with what {version} changed",
    )


def version_file_problems(context: LintContext) -> Iterator[LintProblem]:
    """Yield a problem if VERSION is below the newest release, or is above it and nothing is under `[Unreleased]`.

    A newer section without a date is released later.
    """
    version = context.version
    own_releases = (release for release in context.versioned_sections if release[0] not in context.history.elsewhere)
    newest_release = max(own_releases, key=lambda release: release[0], default=None)
    unreleased = context.log.unreleased
    if not version:
        return
    if newest_release and version < newest_release[0] and _awaits_date(context, newest_release[1]):
        return
    if newest_release and version < newest_release[0]:
        yield LintProblem(
            line=newest_release[1].line,
            rule="version-behind",
            message=f"VERSION is {version}, the newest section is {newest_release[0]}",
            fix=f"write {newest_release[0]} into VERSION, or remove the section",
        )
    elif newest_release and version > newest_release[0] and (unreleased is None or unreleased.is_empty):
        yield LintProblem(
            line=unreleased.line if unreleased else newest_release[1].line,
            rule="version-ahead",
            message=f"VERSION is {version}, which has no entries",
            fix='add one: inv changelog.add --type fixed --text "What changed"',
        )
