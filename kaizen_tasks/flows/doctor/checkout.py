"""The release side: the clone, its remote, and the two files that a release edits."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.check import Subject
from kaizen_tasks.flows.doctor.check import Look
from kaizen_tasks.flows.release import files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.check import Finding
    from kaizen_tasks.ports.tools import Tools


def looks(tools: Tools) -> Iterator[Look]:
    """Return the looks at the checkout."""
    yield Look(subject=Subject("git"), see=partial(_git, tools))
    yield Look(subject=Subject("remote"), see=partial(_remote, tools))
    yield Look(subject=Subject("VERSION"), see=partial(_version, tools))
    yield Look(subject=Subject("CHANGELOG.md"), see=partial(_changelog, tools))


def _git(tools: Tools, subject: Subject) -> Iterator[Finding]:
    head = tools.scm.head()
    obstacles = tools.scm.obstacles()
    for obstacle in obstacles:
        what, _, fix = obstacle.partition(": ")
        yield subject.problem(what, fix)
    if not obstacles:
        where = f"on {head.branch}" if head.branch else "HEAD is detached"
        yield subject.ok(f"{where} at {head.commit[:10]}; git knows who commits")


def _remote(tools: Tools, subject: Subject) -> Iterator[Finding]:
    name = tools.settings.release.remote
    if tools.scm.remote(tools.scm.head().branch) is None:
        yield subject.warning(f"there is no remote {name}, so tags stay in this clone", f"git remote add {name} URL")
    else:
        yield subject.ok(f"{name} answers")


def _version(tools: Tools, subject: Subject) -> Iterator[Finding]:
    yield subject.ok(str(files.version(tools)))


def _changelog(tools: Tools, subject: Subject) -> Iterator[Finding]:
    from kaizen_tasks.domain import changelog

    problems = changelog.check(
        files.changelog_bytes(tools),
        version=files.version(tools),
        tags=files.released_versions(tools, tools.scm.tags()),
        repository_url=tools.scm.source() or None,
        today=tools.clock.now().date(),
        tag=tools.settings.git_tag,
    )
    if problems:
        number = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        yield subject.warning(f"{number}, the first in line {problems[0]}", "inv changelog.check")
    else:
        yield subject.ok("no problems")
