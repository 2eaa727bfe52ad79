"""The rules of `changelog.check`: what each one finds, how severe that is by default, and where.

By default a rule is an error where a release would go wrong, or where the notes of the next or the newest release would
say something false. What is different from Keep a Changelog and harmless, and what is wrong in older releases, is a
warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias, get_args

if TYPE_CHECKING:
    from semver import Version

Severity: TypeAlias = Literal["error", "warning", "off"]

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)


class LintRule(NamedTuple):
    """A rule: what it finds, in one line, and its default severity.

    An error is a warning in releases before the newest one, unless the rule's severity or `since` is configured.
    """

    about: str
    severity: Severity


class LintRules(NamedTuple):
    """The configuration of the rules: severities by rule, and the oldest version that is checked."""

    severities: Mapping[str, Severity] = MappingProxyType({})
    since: Version | None = None

    def severity(self, rule: str, *, default: Severity, version: Version | None, is_current: bool) -> Severity:
        """Return the severity of a problem.

        Args:
            rule: name of the rule.
            default: its severity without configuration.
            version: of the release that has the problem; None for `[Unreleased]` and the file as a whole.
            is_current: whether a release may go wrong because of it, or the newest one is wrong.
        """
        if version and self.since and version < self.since:
            return "off"
        if default == "error" and not (is_current or self.since):
            default = "warning"
        return self.severities.get(rule, default)


DEFAULT_RULES = LintRules()

RULES: Final[Mapping[str, LintRule]] = {
    "date-future": LintRule("a release is dated in the future", "error"),
    "date-impossible": LintRule("a release is dated a day that does not exist", "error"),
    "date-malformed": LintRule("a date is not written as YYYY-MM-DD", "warning"),
    "date-missing": LintRule("a release has no date", "warning"),
    "date-order": LintRule("a release is dated before an older one that is below it", "error"),
    "entry-untyped": LintRule("an entry is under no type of change", "warning"),
    "fragment-empty": LintRule("a fragment has no entry", "error"),
    "fragment-entries": LintRule("a fragment has more than one entry", "error"),
    "fragment-file": LintRule("a fragment is a symbolic link", "error"),
    "fragment-heading": LintRule("a fragment has a heading", "error"),
    "fragment-link": LintRule("a fragment defines a link", "error"),
    "fragment-name": LintRule("a file among the fragments is not named like one", "error"),
    "fragment-rule": LintRule("a fragment has a horizontal rule", "error"),
    "fragment-type": LintRule("a fragment is named after no type of change", "error"),
    "group-duplicate": LintRule("a type of change has two headings in one section", "warning"),
    "group-empty": LintRule("a type of change has no entry", "warning"),
    "group-order": LintRule("the types of change are not in the order of Keep a Changelog", "warning"),
    "heading-level": LintRule("a release has a heading of level 1; a warning if others have level 2", "error"),
    "link-dead": LintRule("a link is defined for a release that has no section", "warning"),
    "link-missing": LintRule("a heading in brackets has no link, in a changelog with links", "warning"),
    "link-range": LintRule("a link compares other versions than those of its section", "warning"),
    "not-utf8": LintRule("a byte is not UTF-8", "error"),
    "section-empty": LintRule("a release says nothing", "warning"),
    "tag-missing": LintRule("a release has no tag", "error"),
    "tag-unlisted": LintRule("a tag has no section", "error"),
    "type-unknown": LintRule("a heading is not a type of change; a warning, unless it is one misspelt", "error"),
    "unreleased-duplicate": LintRule("there are two `[Unreleased]` sections", "error"),
    "unreleased-missing": LintRule("there is no `[Unreleased]` section; a warning if there are releases", "error"),
    "unreleased-order": LintRule("`[Unreleased]` is below a release", "error"),
    "unreleased-unknown": LintRule("a heading above the releases may be `[Unreleased]` by another name", "error"),
    "version-ahead": LintRule("VERSION is above the newest section, and nothing is under `[Unreleased]`", "error"),
    "version-behind": LintRule("VERSION is below the newest section", "error"),
    "version-duplicate": LintRule("a version has two sections", "error"),
    "version-order": LintRule("a release is below an older one", "warning"),
    "version-unknown": LintRule("a heading names no semantic version", "warning"),
    "version-file": LintRule("a file that should repeat VERSION says something else", "error"),
}
