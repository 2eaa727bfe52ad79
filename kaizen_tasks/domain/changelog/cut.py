"""Cutting a release: `[Unreleased]` becomes a version, and a proof that nothing else has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.cut_check import prove_cut
from kaizen_tasks.domain.changelog.edit import Splice, spliced
from kaizen_tasks.domain.changelog.headings import framed
from kaizen_tasks.domain.changelog.links.update import NewLinks
from kaizen_tasks.domain.changelog.markdown.lines import newline_at
from kaizen_tasks.domain.changelog.model import demand_unreleased, parse
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from semver import Version

    from kaizen_tasks.domain.changelog.headings import Title
    from kaizen_tasks.domain.changelog.model import Changelog, Section


def release(
    content: bytes,
    *,
    version: Version,
    date: dt.date,
    repository_url: str | None,
    tag: Callable[[Version], str],
) -> bytes:
    """Move what is unreleased below a heading of its own, in the manner of the file.

    Args:
        content: the changelog.
        version: what is being released.
        date: the day of the release.
        repository_url: where compare links lead when the file has none to learn from.
        tag: gives the git tag of a version.

    Raises:
        Refused: nothing is unreleased, the version is there already, or the edit cannot be proven.
    """
    log = parse(content)
    unreleased = _releasable(log, version)
    previous = log.newest.version if log.newest else None
    links = NewLinks(
        log=log,
        unreleased=unreleased,
        version=str(version),
        tag=tag(version),
        previous_tag=tag(previous) if previous else "",
        repository_url=repository_url,
    )
    title = _title(log.newest, version=version, date=date, target=links.target, like=unreleased)
    result = spliced(content, [_heading_splice(log, unreleased, title), *links.splices()])
    prove_cut(log, result, version=version)
    return result


def _releasable(log: Changelog, version: Version) -> Section:
    present = log.find(version)
    if present:
        raise Refused(
            f"the changelog has a section for {version} already, at line {present.line}",
            hint="release the next version, or join that section with [Unreleased]",
        )
    unreleased = demand_unreleased(log)
    if unreleased.empty:
        raise Refused(
            f"nothing stands under [Unreleased], at line {unreleased.line}",
            hint="say what changes: inv changelog.add --type fixed --text '...'",
        )
    return unreleased


def _title(newest: Section | None, *, version: Version, date: dt.date, target: str, like: Section) -> Title:
    model = newest.title if newest else attrs.evolve(like.title, prefix="")
    return attrs.evolve(model, name=str(version), when=date.isoformat(), target=target, yanked=False)


def _heading_splice(log: Changelog, unreleased: Section, title: Title) -> Splice:
    model = log.newest or unreleased
    newline = newline_at(log.content, unreleased.start)
    lines = (b"", *(line.encode() for line in framed(title.written(), model.heading_lines)))
    return Splice(start=unreleased.body, end=unreleased.body, new=b"".join(line + newline for line in lines))
