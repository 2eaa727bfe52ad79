"""Rules about versions and dates, and about their agreement with VERSION and the tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.lint.problem import Inspection, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from semver import Version

    from kaizen_tasks.domain.changelog.model import Section


def heading_problems(inspection: Inspection) -> Iterator[Problem]:
    """Find headings that name no version, or one that is there already."""
    seen: dict[str, Section] = {}
    for section in inspection.log.releases:
        if not section.version:
            yield Problem(
                line=section.line,
                column=_column(section, section.title.name),
                rule="version-unknown",
                what=f"{section.title.name!r} is no semantic version",
                fix="write the heading as '## [1.2.3] - YYYY-MM-DD'",
            )
            continue
        first = seen.setdefault(section.title.name, section)
        if first is not section:
            yield Problem(
                line=section.line,
                rule="version-duplicate",
                what=f"{section.title.name} is there already, at line {first.line}",
                fix="join the two",
            )


def _column(section: Section, text: str) -> int:
    return max(section.heading_lines[0].find(text), 0) + 1


def order_problems(inspection: Inspection) -> Iterator[Problem]:
    """Find releases that stand above a newer one, or are dated before an older one."""
    pairs = zip(inspection.versioned, inspection.versioned[1:], strict=False)
    for (above, upper), (version, section) in pairs:
        if version > above:
            yield Problem(
                line=section.line,
                rule="version-order",
                what=f"{version} stands below {above}",
                fix="put the newest release on top",
            )
        elif upper.date and section.date and upper.date < section.date:
            yield Problem(
                line=upper.line,
                column=_column(upper, upper.title.when),
                rule="date-order",
                what=f"{above} is dated {upper.date}, before {version} of {section.date}",
                fix="correct the date that is wrong",
            )


def date_problems(inspection: Inspection) -> Iterator[Problem]:
    """Find dates that are missing, malformed, impossible, or still to come."""
    for _, section in inspection.versioned:
        rule, what = _date_fault(inspection, section)
        if rule:
            yield Problem(
                line=section.line,
                column=_column(section, section.title.when) if section.title.when else 1,
                rule=rule,
                what=f"{section.title.label} {what}",
                fix="write the day of the release as YYYY-MM-DD",
            )


def _date_fault(inspection: Inspection, section: Section) -> tuple[str, str]:
    when, date = section.title.when, section.date
    if not when:
        return "date-missing", "has no date"
    if date:
        return ("date-future", f"is dated {when}, which is still to come") if date > inspection.today else ("", "")
    digits = [part.isascii() and part.isdigit() for part in when.split("-")]
    if digits == [True] * 3 and len(when) == 10:
        return "date-impossible", f"is dated {when}, a day that does not exist"
    return "date-malformed", f"is dated {when!r}"


def tag_problems(inspection: Inspection) -> Iterator[Problem]:
    """Find releases without a tag and tags without a release.

    A project may have begun to tag late, so only what is above its first tag needs one; the version in
    VERSION is being released. Pre-releases need no section.
    """
    tags = set(inspection.tags or ())
    if not tags:
        return
    for version, section in inspection.versioned:
        if version > min(tags) and version not in tags and version != inspection.version:
            yield Problem(
                line=section.line,
                rule="tag-missing",
                what=f"{version} has no tag",
                fix=f"tag its commit: git tag -a {inspection.tag(version)} COMMIT",
            )
    listed = {version for version, _ in inspection.versioned}
    for version in sorted(tags - listed, reverse=True):
        if not version.prerelease:
            yield _unlisted(inspection, version)


def _unlisted(inspection: Inspection, version: Version) -> Problem:
    below = next((section for other, section in inspection.versioned if other < version), None)
    last = inspection.log.sections[-1].line if inspection.log.sections else 1
    return Problem(
        line=below.line if below else last,
        rule="tag-unlisted",
        what=f"the tag {inspection.tag(version)} has no section",
        fix=f"say here what {version} changed",
    )


def version_file_problems(inspection: Inspection) -> Iterator[Problem]:
    """Find that VERSION is behind the newest release, or ahead of it with nothing to release."""
    version = inspection.version
    newest = max(inspection.versioned, key=lambda one: one[0], default=None)
    unreleased = inspection.log.unreleased
    if not version:
        return
    if newest and version < newest[0]:
        yield Problem(
            line=newest[1].line,
            rule="version-behind",
            what=f"VERSION says {version}, the newest section is {newest[0]}",
            fix=f"write {newest[0]} into VERSION, or remove the section",
        )
    elif newest and version > newest[0] and (unreleased is None or unreleased.empty):
        yield Problem(
            line=unreleased.line if unreleased else newest[1].line,
            rule="version-ahead",
            what=f"VERSION says {version}, and nothing says what it changes",
            fix="add it: inv changelog.add --type fixed --text '...'",
        )
