"""Rules about the links of headings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.link_index import normalize_label, used_keys
from kaizen_tasks.domain.changelog.links.compare_url import CompareUrl, is_tag_of, parse_compare_url
from kaizen_tasks.domain.changelog.links.style import infer_compare_url, tag_url
from kaizen_tasks.domain.changelog.lint.problem import LintContext, LintProblem

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.domain.changelog.section import Section


def unlinked_sections(log: Changelog, repository_url: str | None) -> tuple[Section, ...]:
    """Return the sections whose bracketed heading has no link definition.

    None is missing in a changelog without a release, or with neither links nor a known repository; nor is a link whose
    right form is not known.
    """
    template = infer_compare_url(log, repository_url)
    if not log.newest_release or not template:
        return ()
    can_link_tags = bool(tag_url(template, "v1"))
    keys = log.link_by_key
    return tuple(
        section
        for section in log.sections
        if section.title.is_bracketed
        and not section.title.link_target
        and (template.head if section.is_unreleased else section.version)
        and (can_link_tags or section.is_unreleased or section.version in log.previous_versions)
        and normalize_label(section.title.label) not in keys
    )


def missing_links(context: LintContext) -> Iterator[LintProblem]:
    """Yield a problem for each bracketed heading without a link."""
    for section in unlinked_sections(context.log, context.repository_url):
        yield LintProblem(
            line=section.line,
            age=context.age(section),
            rule="link-missing",
            message=f"[{section.title.label}] has no link",
            fix=f"define it at the end of the file: [{section.title.label}]: https://...",
        )


def dead_links(context: LintContext) -> Iterator[LintProblem]:
    """Yield a problem for each link definition that is not used."""
    log = context.log
    keys = used_keys(_text_without_definitions(log))
    for link in log.links:
        if link.key not in keys:
            yield LintProblem(
                line=link.line,
                rule="link-dead",
                message=f"the link [{link.label}] is not used",
                fix="remove it, or add the section it belongs to",
            )


def _text_without_definitions(log: Changelog) -> str:
    content, position, pieces = log.content, 0, []
    for link in log.links:
        pieces.append(content[position : link.start])
        position = link.end
    return b"".join([*pieces, content[position:]]).decode()


def wrong_compare_links(context: LintContext) -> Iterator[LintProblem]:
    """Yield a problem for each compare URL that does not compare its version with the previous version."""
    for section in context.log.sections:
        link = context.log.link_by_key.get(normalize_label(section.title.label))
        compare_url = parse_compare_url(link.url if link else section.title.url)
        error = _compare_error(context, section, compare_url) if compare_url else ""
        if error:
            yield LintProblem(
                line=link.line if link else section.line,
                age=context.age(section),
                rule="link-range",
                message=f"the link of [{section.title.label}] {error}",
                fix="compare with the previous release",
            )


def _compare_error(context: LintContext, section: Section, compare_url: CompareUrl) -> str:
    if section.is_unreleased:
        newest = context.newest_version
        newest_of_all = max((version for version, _ in context.versioned_sections), default=None)
        return _start_error(compare_url, (newest, newest_of_all))
    version = section.version
    if not version:
        return ""
    if not is_tag_of(compare_url.newer, section.title.name):
        return f"ends at {compare_url.newer}"
    previous = context.log.previous_versions.get(version)
    previous_own = context.own_version_before(version)
    previous_final = context.log.final_before(version) if not version.prerelease else None
    expected = (previous, previous_final, previous_own, _previous_in_time(context, version, section))
    error = _start_error(compare_url, expected)
    return error and _start_error(compare_url, (context.history.find_predecessor(version),), error)


def _start_error(compare_url: CompareUrl, expected: tuple[Version | None, ...], error: str = "") -> str:
    """Return the error of a URL that starts at none of some versions; an earlier error if none of them is known."""
    known_versions = [version for version in expected if version]
    if any(is_tag_of(compare_url.older, str(version)) for version in known_versions):
        return ""
    return error or (f"starts at {compare_url.older}, not at {known_versions[0]}" if known_versions else "")


def _previous_in_time(context: LintContext, version: Version, section: Section) -> Version | None:
    """Return the highest lower version that is not dated after a section: later ones are of another line."""
    candidates = (
        lower
        for lower, other in context.sections_below(version)
        if not (section.date and other.date) or other.date <= section.date
    )
    return next(candidates, None)
