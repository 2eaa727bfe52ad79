"""Checks of the checkout: the clone, its remote, and the files that a release edits."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.doctor import Finding, Subject
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.doctor.check import Check
from kaizen_tasks.flows.release import changelog_check, files, optional_files, tags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.ports.tools import Tools


def checks(tools: Tools) -> Iterator[Check]:
    """Return the checks of the checkout."""
    yield Check(subject=Subject("git"), probe=partial(_check_git, tools))
    yield Check(subject=Subject("remote"), probe=partial(_check_remote, tools))
    yield Check(subject=Subject("VERSION"), probe=partial(_check_version, tools))
    yield Check(subject=Subject(_changelog_name(tools)), probe=partial(_check_changelog, tools))
    if tools.settings.changelog.fragments:
        yield Check(subject=Subject(tools.settings.changelog.fragments), probe=partial(_check_fragments, tools))
    if tools.settings.version_files:
        yield Check(subject=Subject("version files"), probe=partial(_check_version_files, tools))


def _changelog_name(tools: Tools) -> str:
    try:
        return files.changelog_file(tools)
    except KaizenError:
        return "changelog"  # its check says why it is not found


def _check_git(tools: Tools, subject: Subject) -> Iterator[Finding]:
    head = tools.scm.head()
    obstacles = tools.scm.blockers()
    for obstacle in obstacles:
        message, _, fix = obstacle.partition(": ")
        yield subject.problem(message, fix)
    if not obstacles:
        position = f"on {head.branch}" if head.branch else "HEAD is detached"
        yield subject.ok(f"{position} at {head.commit[:10]}; user.name and user.email are set")


def _check_remote(tools: Tools, subject: Subject) -> Iterator[Finding]:
    target = tools.scm.push_target()
    remote = tools.scm.remote_refs(target.branch)
    if remote is None:
        yield subject.warning("there is no remote, so tags stay in this clone", "git remote add origin URL")
        return
    begun = [tag for tag in remote.claims if tag not in {*remote.tags, *remote.abandoned}]
    for version in tags.versions_from_tags(tools, tuple(begun)):
        release_name = versions.image_tag(version)
        fix = f"run its command again, or give it up: inv release.abandon --release {release_name}"
        yield subject.warning(f"{release_name} was begun and is not finished", fix)
    given_up = ", ".join(tag for tag in remote.abandoned)
    if not begun:
        yield subject.ok(f"{target.remote} answers" + (f"; given up: {given_up}" if given_up else ""))


def _check_version(tools: Tools, subject: Subject) -> Iterator[Finding]:
    yield subject.ok(str(files.read_version(tools)))


def _check_changelog(tools: Tools, subject: Subject) -> Iterator[Finding]:
    problems = [problem for problem in changelog_check.changelog_problems(tools) if not problem.path]
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
        yield subject.warning(f"{count}, the first in line {errors[0]}", "inv changelog.check")
    else:
        yield subject.ok("no errors; inv changelog.check shows warnings" if problems else "no problems")


def _check_fragments(tools: Tools, subject: Subject) -> Iterator[Finding]:
    errors = [problem for problem in changelog_check.changelog_problems(tools) if problem.severity == "error"]
    problems = [problem for problem in errors if problem.path.startswith(f"{subject.check}/")]
    for problem in problems:
        place = f"{problem.path}:{problem.line}:{problem.column}"
        yield subject.warning(f"{place}: {problem.message}", problem.fix)
    uncommitted = optional_files.uncommitted_fragments(tools)
    for cause, remedy in uncommitted:
        yield subject.warning(cause, remedy)
    if not problems and not uncommitted:
        count = len(optional_files.read_fragments(tools).items)
        yield subject.ok(f"{count} fragment{'s'[: count != 1]}")


def _check_version_files(tools: Tools, subject: Subject) -> Iterator[Finding]:
    from kaizen_tasks.flows.release import version_files

    version = files.read_version(tools)
    problems = tuple(version_files.problems(version, tools))
    for cause, remedy in problems:
        yield subject.problem(cause, remedy)
    if not problems:
        yield subject.ok(f"{', '.join(files.version_paths(tools))}: {version}")
