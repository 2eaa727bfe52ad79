"""The links of a new release, in the manner of those that the file has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.edit import Splice
from kaizen_tasks.domain.changelog.links.compare_url import Range, names, read_range
from kaizen_tasks.domain.changelog.links.style import (
    after,
    appended,
    before,
    is_ascending,
    learnt_range,
    recent_links,
    stands_alone,
    tag_page,
)
from kaizen_tasks.domain.changelog.model import Changelog, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.changelog.links.index import Link


@attrs.frozen(kw_only=True)
class NewLinks:
    """What becomes of the links when a version is cut from the unreleased changes of a changelog.

    `tag` is the new version's, `previous_tag` that of the newest release in the file, if there is one.
    """

    log: Changelog
    unreleased: Section
    version: str
    tag: str
    previous_tag: str
    repository_url: str | None

    @property
    def target(self) -> str:
        """Return what follows the brackets of the new heading where headings carry their links themselves."""
        model = self.log.newest or self.unreleased
        pending = self._pending() if model.title.url else None
        return f"({self._version_url(pending)})" if pending else ""

    def splices(self) -> tuple[Splice, ...]:
        """Say which links to move on and which to add; none where no host can be told."""
        pending = self._pending()
        if not pending:
            return ()
        onwards = attrs.evolve(pending, older=self.tag).url
        return (*self._moved(onwards), *self._added(pending, onwards))

    def _pending(self) -> Range | None:
        """Return the comparison of the previous release with what is unreleased."""
        link = self.log.link(self.unreleased.title.label)
        written = read_range(link.url if link else self.unreleased.title.url)
        if written and (newest := self.log.newest) and names(written.older, newest.title.name):
            return written
        learnt = written or learnt_range(self.log, self.repository_url)
        head = written.newer if written else "HEAD"
        return attrs.evolve(learnt, older=self.previous_tag, newer=head) if learnt else None

    def _version_url(self, pending: Range) -> str:
        return attrs.evolve(pending, newer=self.tag).url if pending.older else tag_page(pending, self.tag)

    def _moved(self, url: str) -> Iterator[Splice]:
        """Let the link of `[Unreleased]` start at the new version, if it is a comparison."""
        section = self.unreleased
        inline, link = section.title.url, self.log.link(section.title.label)
        if inline and read_range(inline):
            at = self.log.content.index(inline.encode(), section.start, section.body)
            yield Splice(start=at, end=at + len(inline.encode()), new=url.encode())
        if link and read_range(link.url):
            yield Splice(start=link.url_start, end=link.url_end, new=url.encode())

    def _added(self, pending: Range, onwards: str) -> Iterator[Splice]:
        """Add the definitions that the headings ask for and that are not there."""
        title, newest = self.unreleased.title, self.log.newest
        model = newest.title if newest else attrs.evolve(title, prefix="")
        label = model.prefix + self.version
        lines = []
        if title.bracketed and not title.target and not self.log.link(title.label):
            lines.append(f"[{title.label}]: {onwards}")
        if model.bracketed and not model.target and not self.log.link(label):
            lines.append(f"[{label}]: {self._version_url(pending)}")
        if lines:
            yield self._placed(lines, self.log.link(title.label))

    def _placed(self, lines: list[str], unreleased: Link | None) -> Splice:
        """Keep the newest on top, or at the bottom where the file has it so."""
        newest, second = [*recent_links(self.log, 2), None, None][:2]
        ascending = is_ascending(unreleased, newest) if unreleased else is_ascending(newest, second)
        ordered = lines[::-1] if ascending else lines
        if unreleased and stands_alone(self.log, unreleased):
            return (before if ascending else after)(self.log, unreleased, ordered)
        if newest:
            return (after if ascending else before)(self.log, newest, ordered)
        return appended(self.log, ordered)
