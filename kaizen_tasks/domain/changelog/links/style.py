"""How a changelog links its versions, learnt from the links that it has."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.edit import Splice
from kaizen_tasks.domain.changelog.links.compare_url import Range, forge, forge_of, read_range
from kaizen_tasks.domain.changelog.markdown.lines import ends_blank, ends_line, newline_at

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.links.index import Link
    from kaizen_tasks.domain.changelog.model import Changelog

_RECENT = 20
"""How many releases are looked at: all of them would take longer and not teach more."""

_COMPARE_TAIL = re.compile(r"(?:/-|/branches)?/compare/$")


def v_tag(version: Version) -> str:
    """Return the tag of a version where nothing else is configured."""
    return f"v{version}"


def learnt_range(log: Changelog, repository_url: str | None) -> Range | None:
    """Return a comparison in the manner of the file, else of the host that it or the repository names."""
    urls = _recent_urls(log)
    written = next(filter(None, map(read_range, urls)), None)
    if written:
        return written
    host = forge_of(urls) or (forge(repository_url) if repository_url else None)
    return host.compare("", "HEAD") if host else None


def tag_page(like: Range, tag: str) -> str:
    """Return the page of a tag, for a version with nothing to compare it with."""
    host = forge(_COMPARE_TAIL.sub("", like.base))
    return host.tag_page(tag) if host else like.url


def recent_links(log: Changelog, count: int = _RECENT) -> tuple[Link, ...]:
    """Return the definitions of the first releases that have one on lines of its own."""
    links = (log.link(section.title.label) for section in log.releases[:_RECENT])
    return tuple(islice((link for link in links if link and stands_alone(log, link)), count))


def stands_alone(log: Changelog, link: Link) -> bool:
    """Tell whether lines can be put beside a definition: one inside a list item would tear it apart."""
    return log.content.startswith(b"[", link.start)


def _recent_urls(log: Changelog) -> list[str]:
    unreleased = log.link(log.unreleased.title.label) if log.unreleased else None
    first = [unreleased.url] if unreleased else []
    inline = [section.title.url for section in log.sections[:_RECENT] if section.title.url]
    return [*first, *inline, *(link.url for link in recent_links(log))]


def before(log: Changelog, link: Link, lines: list[str]) -> Splice:
    """Insert lines above a definition."""
    newline = newline_at(log.content, link.start)
    return Splice(start=link.start, end=link.start, new=b"".join(line.encode() + newline for line in lines))


def after(log: Changelog, link: Link, lines: list[str]) -> Splice:
    """Insert lines below a definition, which may end the file without a line ending."""
    newline = newline_at(log.content, link.start)
    new = newline.join(line.encode() for line in lines)
    ended = ends_line(log.content, link.end)
    return Splice(start=link.end, end=link.end, new=new + newline if ended else newline + new)


def appended(log: Changelog, lines: list[str]) -> Splice:
    """Add lines at the end of the file, a blank one before them unless definitions stand there already."""
    end = len(log.content)
    newline = newline_at(log.content, end)
    ended = ends_line(log.content, end)
    blank = ends_blank(log.content, end) or (log.links and log.links[-1].end == end)
    lead = (b"" if ended else newline) + (b"" if blank else newline)
    new = newline.join(line.encode() for line in lines)
    return Splice(start=end, end=end, new=lead + new + (newline if ended else b""))


def is_ascending(first: Link | None, second: Link | None) -> bool:
    """Tell whether definitions stand oldest first, from the one of a newer version and one of an older."""
    return bool(first and second and first.start > second.start)
