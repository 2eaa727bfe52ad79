"""Fold fragments into `[Unreleased]`, and verify that nothing else changes."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs

from kaizen_tasks.domain.changelog.add import entry_edits, group_of_type, with_unreleased, without_placeholders
from kaizen_tasks.domain.changelog.edit import TextEdit, apply_edits
from kaizen_tasks.domain.changelog.entries import ChangelogEntry, dedent_line
from kaizen_tasks.domain.changelog.fragments.fragment import Fragment
from kaizen_tasks.domain.changelog.model import Changelog, find_unreleased, parse_changelog, require_unreleased
from kaizen_tasks.errors import Refused


@attrs.frozen(kw_only=True)
class FoldedChangelog:
    """A changelog with the entries of fragments under `[Unreleased]`.

    Attributes:
        log: the changelog as it would be written.
        fragments: what was folded in.
        places: path and line of each unreleased entry; the path is empty for the changelog.
    """

    log: Changelog
    fragments: tuple[Fragment, ...] = ()
    places: Mapping[ChangelogEntry, tuple[str, int]] = attrs.field(factory=dict)

    def place(self, entry: ChangelogEntry) -> tuple[str, int]:
        """Return the path and the line where an entry was noted; the path is empty for the changelog."""
        return self.places.get(entry, ("", entry.line))


def fold_fragments(log: Changelog, fragments: Sequence[Fragment]) -> FoldedChangelog:
    """Return the changelog with an entry for each fragment, in the group of its type, below the entries there.

    Args:
        log: the changelog.
        fragments: in the order in which they are added.

    Raises:
        Refused: there are several `[Unreleased]` sections, or more than the entries would change.
    """
    if not fragments:
        return FoldedChangelog(log=log)
    old_entries = log.unreleased.all_entries if log.unreleased else ()
    if not find_unreleased(log):
        log = parse_changelog(with_unreleased(log), log.changelog_format)
    for change_type in dict.fromkeys(fragment.change_type for fragment in fragments):
        log = without_placeholders(log, require_unreleased(log), change_type)
    entries = [(fragment.change_type, fragment.lines) for fragment in fragments]
    edits = entry_edits(log, require_unreleased(log), entries)
    folded_log = parse_changelog(apply_edits(log.content, edits), log.changelog_format)
    additions = _added_entries(log, folded_log, fragments)
    _verify_fold(log, folded_log, additions)
    return FoldedChangelog(
        log=folded_log, fragments=tuple(fragments), places=dict(_places(old_entries, folded_log, additions))
    )


def _added_entries(
    log: Changelog, folded_log: Changelog, fragments: Sequence[Fragment]
) -> dict[ChangelogEntry, Fragment]:
    """Return the last entries of each group, as many as there are fragments of its type, with their fragments.

    Raises:
        Refused: an entry is parsed in another way than as written.
    """
    additions: dict[ChangelogEntry, Fragment] = {}
    for change_type in dict.fromkeys(fragment.change_type for fragment in fragments):
        of_type = [fragment for fragment in fragments if fragment.change_type == change_type]
        added_entries = _entries_of_type(folded_log, change_type)[len(_entries_of_type(log, change_type)) :]
        for entry, fragment in itertools.zip_longest(added_entries, of_type):
            if entry is None or fragment is None or not _is_as_written(entry, fragment):
                path = (fragment or of_type[-1]).path
                raise _refusal(f"{path} would be parsed differently in the changelog")
            additions[entry] = fragment
    return additions


def _entries_of_type(log: Changelog, change_type: str) -> tuple[ChangelogEntry, ...]:
    """Return the entries of the first group of a type, which is the one that entries are added to."""
    group = group_of_type(log.unreleased, change_type) if log.unreleased else None
    return group.entries if group else ()


def _is_as_written(entry: ChangelogEntry, fragment: Fragment) -> bool:
    indent = len(entry.bullet)
    other_lines = (dedent_line(" " * indent + line, indent) for line in fragment.lines[1:])
    return bool(entry.bullet) and entry.text == "\n".join((fragment.lines[0], *other_lines))


def _verify_fold(log: Changelog, folded_log: Changelog, additions: Collection[ChangelogEntry]) -> None:
    """Require that without the added entries, and the headings that came with them, the original lines remain."""
    old, new = require_unreleased(log), require_unreleased(folded_log)
    new_groups = [group for group in new.groups if group.entries and all(entry in additions for entry in group.entries)]
    headings = [group for group in new_groups if group.name not in {old_group.name for old_group in old.groups}]
    spans = [(entry.start, entry.end) for entry in additions] + [(each.start, each.body_start) for each in headings]
    removals = [TextEdit(start=start, end=end, replacement=b"") for start, end in spans]
    if _visible_lines(apply_edits(folded_log.content, removals)) != _visible_lines(log.content):
        raise _refusal("more than the entries of the fragments would change")
    if [section.heading for section in log.sections] != [section.heading for section in folded_log.sections]:
        raise _refusal("other headings would change")
    other_entries = [entry.text for entry in new.entries if entry not in additions]
    if (old.summary, [entry.text for entry in old.entries]) != (new.summary, other_entries):
        raise _refusal("other entries would change")


def _visible_lines(content: bytes) -> list[bytes]:
    return [line for line in content.splitlines() if line.strip()]


def _places(
    old_entries: Sequence[ChangelogEntry], folded_log: Changelog, additions: Mapping[ChangelogEntry, Fragment]
) -> Iterator[tuple[ChangelogEntry, tuple[str, int]]]:
    """Yield where each entry of the folded changelog was noted."""
    old_lines = iter([entry.line for entry in old_entries])
    for entry in require_unreleased(folded_log).all_entries:
        fragment = additions.get(entry)
        yield entry, (fragment.path, fragment.line) if fragment else ("", next(old_lines, entry.line))


def _refusal(reason: str) -> Refused:
    return Refused(
        f"the fragments cannot be folded into the changelog: {reason}",
        state="nothing was written",
        hint="look for a code fence, a comment or an HTML block that is never closed",
    )
