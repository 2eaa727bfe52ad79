"""The proof that cutting a release changed nothing but a heading and link lines.

It knows nothing of how the edit was made: it takes the new heading and the new links out of the result and
demands the file as it was, byte for byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.edit import Splice, spliced
from kaizen_tasks.domain.changelog.markdown.lines import ends_line, newline_at, split
from kaizen_tasks.domain.changelog.model import parse
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from semver import Version

    from kaizen_tasks.domain.changelog.model import Changelog, Section


def prove_cut(before: Changelog, after: bytes, *, version: Version) -> None:
    """Demand that a file with a new release is the old one plus its heading and links.

    Args:
        before: the changelog as it was.
        after: the file that was made from it.
        version: the release that was cut.

    Raises:
        Refused: something else differs, or the new heading is not seen as one.
    """
    log = parse(after)
    section = log.find(version)
    if not section or not _follows_unreleased(log, section):
        raise _refusal(version, "its heading would not be seen as one")
    if not _same_entries(before, section):
        raise _refusal(version, "its entries would be read differently")
    if not _is_undone(before, log, section):
        raise _refusal(version, "more than its heading and links would change")
    if not _same_headings(before.sections, [one for one in log.sections if one is not section]):
        raise _refusal(version, "other headings would change")


def _refusal(version: Version, why: str) -> Refused:
    return Refused(
        f"the changelog cannot be cut for {version}: {why}",
        state="nothing was written",
        hint="look for a fence or comment that is never closed; inv changelog.check may name it",
    )


def _same_entries(before: Changelog, section: Section) -> bool:
    old = before.unreleased.entries if before.unreleased else ()
    return [one.text for one in old] == [one.text for one in section.entries]


def _same_headings(before: Sequence[Section], after: Sequence[Section]) -> bool:
    pairs = zip(before, after, strict=False)
    return len(before) == len(after) and all(_same_heading(old, new) for old, new in pairs)


def _same_heading(old: Section, new: Section) -> bool:
    """Compare headings as written, but for a last line ending and the link that moves with every release."""
    before, after = old.content[old.start : old.body], new.content[new.start : new.body]
    return before == after or _without_link(old, before) == _without_link(new, after)


def _without_link(section: Section, written: bytes) -> bytes:
    url = section.title.url if section.unreleased else ""
    return written.rstrip(b"\r\n").replace(url.encode(), b"")


def _follows_unreleased(log: Changelog, section: Section) -> bool:
    unreleased = log.unreleased
    return bool(unreleased and unreleased.end == section.start and unreleased.empty)


def _is_undone(before: Changelog, log: Changelog, section: Section) -> bool:
    """Take the additions out of the result.

    What may be left are the line ending that a file without a final one needed before its first new link, and
    the blank line above links that begin a section of their own.
    """
    restored = spliced(log.content, [*_heading_undone(log, section), *_links_undone(before, log, section)])
    rest = restored.removeprefix(before.content)
    ended = ends_line(before.content, len(before.content))
    return (
        restored.startswith(before.content)
        and not rest.strip(b"\r\n")
        and len(split(rest).texts) <= (1 if ended else 2)
        and ended == ends_line(log.content, len(log.content))
    )


def _heading_undone(log: Changelog, section: Section) -> Iterator[Splice]:
    newline = newline_at(log.content, section.start)
    yield Splice(start=section.start - len(newline), end=section.body, new=b"")


def _links_undone(before: Changelog, log: Changelog, section: Section) -> Iterator[Splice]:
    assert before.unreleased
    assert log.unreleased
    yield from _link_undone(before, log, section.title.label)
    yield from _link_undone(before, log, log.unreleased.title.label)
    old, new = before.unreleased.title.url, log.unreleased.title.url
    if new:
        at = log.content.index(new.encode(), log.unreleased.start, log.unreleased.body)
        yield Splice(start=at, end=at + len(new.encode()), new=old.encode())


def _link_undone(before: Changelog, log: Changelog, label: str) -> Iterator[Splice]:
    old, new = before.link(label), log.link(label)
    if new and old:
        yield Splice(start=new.url_start, end=new.url_end, new=old.url.encode())
    elif new:
        yield Splice(start=new.start, end=new.end, new=b"")
