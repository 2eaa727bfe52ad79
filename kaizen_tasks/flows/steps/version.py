"""From the last release to a commit that is the next one: bump, changelog, commit, land."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from attrs import evolve, frozen
from semver import Version

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.errors import KaizenError, Refused
from kaizen_tasks.flows.release import files, pending

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.ports.tools import Tools
    from kaizen_tasks.ports.types import Head


@frozen(kw_only=True)
class Bump:
    """Decide the version, and write it into VERSION.

    Converges: what is wanted follows from the last release, so bumping twice bumps once.

    Attributes:
        part: `patch`, `feature`, `major`, `rc`, or `auto`: a VERSION that is already ahead of the last release
            stays, else the notes under `[Unreleased]` decide.
        to: exactly this version; overrides `part`.
        settled: whether a HEAD that is a release, with nothing noted since, needs no other one. Flows say so, since
            typing them again must finish and not start over; a plain bump with a part always moves on.
        force: whether a part may be lower than the notes ask for.
        hotfix: whether only releases that HEAD descends from count, since a hotfix starts from an older one.
    """

    part: versions.Part = "auto"
    to: Version | None = None
    settled: bool = False
    force: bool = False
    hotfix: bool = False
    label = Label("bump")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Find out which version is wanted, and whether VERSION says it."""
        begun = pending.begun(tools)
        if begun is not None and self._takes_up(begun, tools):
            return Done(f"{begun.name} was begun before, as commit {begun.commit[:10]}", begun)
        now, last = files.version(tools), self._last(begun, tools)
        finished = pending.finished(now, last, tools) if self.to in {None, now} else None
        if finished is not None and (self.settled or self.part == "auto"):
            return Done(f"{finished.name} is released and nothing is noted since", finished)
        wanted, reason = self._wanted(now, last, tools)
        versions.require_ahead(wanted, last)
        after = Release(version=wanted)
        if now == wanted:
            return Done(f"VERSION says {now}{reason}", after)
        return Act(f"{now} → {wanted}{reason}", after)

    def wanted(self, release: Release, tools: Tools) -> Release:
        """Return the release that this bump leads to, as far as it can be said before anything else is looked at."""
        try:
            decision = self.decide(release, tools)
        except KaizenError:
            return release  # the flow meets it again, after preflight has collected everything else
        return release if isinstance(decision, Refuse) else decision.release

    def act(self, release: Release, tools: Tools) -> Release:
        """Write VERSION in its own style."""
        last = self._last(pending.begun(tools), tools)
        wanted, _ = self._wanted(files.version(tools), last, tools)
        tools.documents.write(files.VERSION, versions.write(tools.documents.read(files.VERSION), wanted))
        return evolve(release, version=wanted)

    def _takes_up(self, begun: Release, tools: Tools) -> bool:
        """Return whether a release that was begun is the wanted one.

        A part that is named while the begun release has failed in service asks for the one after it.
        """
        if self.to is not None:
            return self.to == begun.version
        return self.part == "auto" or not pending.failed(begun, tools)

    def _last(self, begun: Release | None, tools: Tools) -> Version | None:
        """Return the version that the wanted one comes after: of the last release, or of one that failed since."""
        last = files.last_release(tools, behind_head=self.hotfix)
        if begun is None or self._takes_up(begun, tools):
            return last
        return versions.latest(tuple(each for each in (begun.version, last) if each is not None))

    def _wanted(self, now: Version, last: Version | None, tools: Tools) -> tuple[Version, str]:
        if self.to is not None:
            return self.to, ", as asked"
        if self.part != "auto":
            self._demand_agreement(last or now, tools)
            return versions.advance(last or now, self.part), f", a {self.part} release"
        if last is None or now > last:
            return now, ", ahead of the last release" if last else ", the first release"
        return _inferred(last, tools)

    def _demand_agreement(self, last: Version, tools: Tools) -> None:
        """Refuse a part that promises less than the notes say has changed."""
        from kaizen_tasks.domain import changelog as changelogs

        unreleased = files.changelog(tools).unreleased
        if self.force or unreleased is None or self.part in {"auto", "rc"}:
            return
        entry = changelogs.contradicts(unreleased, cast("changelogs.ChangePart", self.part), last)
        if entry is not None:
            asked = changelogs.infer_part(unreleased, current=last).part
            raise Refused(
                f"CHANGELOG.md:{entry.line}: {entry.gist!r} asks for a {asked}, not for a {self.part}",
                state="nothing has been changed",
                hint=f"--part {asked}, or --force to go ahead",
            )


def _inferred(last: Version, tools: Tools) -> tuple[Version, str]:
    from kaizen_tasks.domain import changelog as changelogs

    unreleased = files.changelog(tools).unreleased
    if unreleased is None or not any(group.entries for group in unreleased.groups):
        raise Refused(
            f"bump: nothing is noted under [Unreleased] since {last}",
            state="nothing has been changed",
            hint='note what changed: inv changelog.add --type fixed --text "…"',
        )
    reasoned = changelogs.infer_part(unreleased, current=last)
    return versions.advance(last, versions.parse_part(reasoned.part)), f", {reasoned.reason}"


@frozen(kw_only=True)
class Changelog:
    """Cut `[Unreleased]` into the section of the version."""

    label = Label("changelog")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for the version's heading."""
        if release.commit:
            return Done(f"[{release.version}] is in the release commit", release)
        parsed = files.changelog(tools)
        if parsed.find(release.version) is not None:
            return Done(f"[{release.version}] is there", release)
        if not files.has_entries(parsed):
            return Refuse(
                why=(f"nothing is noted under [Unreleased] for {release.version}",),
                hint='note what changed: inv changelog.add --type fixed --text "…"',
            )
        return Act(f"cut [Unreleased] into [{release.version}] - {_today(tools)}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Write the new changelog; every other byte stays."""
        from kaizen_tasks.domain import changelog as changelogs

        cut = changelogs.release(
            files.changelog_bytes(tools),
            version=release.version,
            date=tools.clock.now().date(),
            repository_url=tools.scm.source() or None,
            tag=tools.settings.git_tag,
        )
        tools.documents.write(files.CHANGELOG, cut)
        return release


def _today(tools: Tools) -> str:
    return tools.clock.now().date().isoformat()


@frozen(kw_only=True)
class Commit:
    """Make the release commit: HEAD plus VERSION and CHANGELOG.md, kept by a private ref until it is tagged."""

    label = Label("commit")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for a commit that is the release already."""
        if release.commit:
            return Done(f"{release.name} is commit {release.commit[:10]}", release)
        begun = pending.begun(tools)
        if begun is not None and begun.version == release.version:
            return Done(f"{release.name} is commit {begun.commit[:10]}", begun)
        head = tools.scm.head()
        changed = _unwritten(release, tools) or tools.scm.changes(head.commit, _contents(tools))
        if not changed:
            return Done(
                f"nothing to commit: {head.commit[:10]} is {release.name}",
                evolve(release, commit=head.commit),
            )
        return Act(f"commit {' and '.join(changed)} onto {head.branch or head.commit[:10]}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Write the commit object and keep it; branch, index and working tree stay as they are.

        Raises:
            Refused: VERSION and CHANGELOG.md do not name the release both.
        """
        lacking = _unwritten(release, tools)
        if lacking:
            raise Refused(
                f"commit: {' and '.join(lacking)} {'does' if len(lacking) == 1 else 'do'} not have {release.version}",
                state="nothing has been committed",
                hint="inv bump changelog.release commit",
            )
        commit = tools.scm.write_commit(
            parent=tools.scm.head().commit, files=_contents(tools), message=f"Release {release.name}\n"
        )
        for superseded in tools.scm.pending():
            tools.scm.forget(superseded)
        tools.scm.keep(release.name, commit)
        return release


def _unwritten(release: Release, tools: Tools) -> tuple[str, ...]:
    """Return the documents that do not have the version yet; a dry run leaves them so."""
    written = {
        files.VERSION: files.version(tools) == release.version,
        files.CHANGELOG: files.changelog(tools).find(release.version) is not None,
    }
    return tuple(name for name, done in written.items() if not done)


def _contents(tools: Tools) -> dict[str, bytes]:
    found = {name: tools.documents.read(name) for name in files.RELEASED}
    return {name: content for name, content in found.items() if content is not None}


def stale_documents(release: Release, head: Head, tools: Tools) -> tuple[str, ...]:
    """Return the documents that have not come along with the branch: a run was stopped between ref and files.

    They hold what was before the release, or, where they were written before the commit, what is in it while the index
    does not. Documents that hold neither were edited since: they are somebody's work, and not stale.
    """
    behind = set(files.RELEASED) & set(tools.scm.modified()) if head.commit == release.commit else set()
    if not behind:
        return ()
    contents = _contents(tools)
    not_before = set(tools.scm.changes(tools.scm.commit_of(f"{release.commit}^"), contents))
    not_released = set(tools.scm.changes(release.commit, contents))
    return tuple(sorted(behind & (not_before ^ not_released)))


@frozen(kw_only=True)
class Land:
    """Move the branch onto the release commit, and the two files with it."""

    label = Label("land")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look where the branch is."""
        head = tools.scm.head()
        where = head.branch or "HEAD"
        if not release.commit:
            return Act(f"move {where} onto the release commit", release)
        if tools.scm.is_ancestor(release.commit, head.commit):
            stale = stale_documents(release, head, tools)
            if not stale:
                return Done(f"{where} has {release.commit[:10]}", release)
            return Act(f"bring {' and '.join(stale)} up to {release.commit[:10]}", release)
        if tools.scm.is_ancestor(head.commit, release.commit):
            return Act(f"move {where} from {head.commit[:10]} onto {release.commit[:10]}", release)
        return Refuse(
            why=(f"{where} has moved since {release.name} was begun on another commit",),
            hint=f"git merge {release.commit[:10]}, then the same command again",
        )

    def act(self, release: Release, tools: Tools) -> Release:
        """Fast-forward; whatever else is staged or edited stays as it is."""
        tools.scm.land(release.commit, paths=files.RELEASED)
        return release
