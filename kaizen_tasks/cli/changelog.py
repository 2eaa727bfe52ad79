"""`changelog.*`: entries, cutting them into a release, checking and showing them."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from kaizen_tasks.cli.command import JSON, RELEASE, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke.collection import Collection
    from invoke.context import Context

    from kaizen_tasks.domain.changelog import Changelog, Problem, Section
    from kaizen_tasks.wiring import Toolbox

FORMATS = ("md", "json", "html")


def collection() -> Collection:
    """Return the tasks as a collection; plain `changelog` is `changelog.release`."""
    from invoke.collection import Collection

    return Collection(release, add, check, show)


@command(default=True)
def release(c: Context) -> None:
    """Cut [Unreleased] into the section of the version that VERSION says."""
    from kaizen_tasks.cli.options import executor
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.release import files
    from kaizen_tasks.flows.runner import run
    from kaizen_tasks.flows.steps import Changelog
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    run((Changelog(),), Release(version=files.version(tools)), tools, executor(tools))


@command(
    help={
        "type": "added, changed, deprecated, removed, fixed or security",
        "text": "what changed, for the people who use it",
        "breaking": "mark it as breaking",
    },
)
def add(c: Context, type: str = "", text: str = "", breaking: bool = False) -> None:
    """Put an entry under [Unreleased]."""
    from kaizen_tasks.domain import changelog
    from kaizen_tasks.errors import UsageError
    from kaizen_tasks.flows.release import files
    from kaizen_tasks.wiring import toolbox

    if not type or not text.strip():
        raise UsageError("changelog.add: an entry needs --type and --text", hint='--type fixed --text "A typo"')
    tools = toolbox(c.config)
    before = tools.documents.read(files.CHANGELOG)
    after = changelog.add(changelog.empty() if before is None else before, kind=type, text=text, breaking=breaking)
    tools.documents.write(files.CHANGELOG, after)
    tools.reporter.note(f"{'would add' if tools.dry else 'added'} to [Unreleased]: {text}")


@command(
    help={
        "json": JSON,
        "sarif": "print a SARIF document, which CI systems show beside the lines",
        "fix": "mend what is mechanical first",
    },
)
def check(c: Context, json: bool = False, sarif: bool = False, fix: bool = False) -> None:
    """List every problem of CHANGELOG.md as file:line:column rule what, how to fix."""
    from kaizen_tasks.cli import json_output
    from kaizen_tasks.errors import Refused
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config, stream=sys.stderr if json or sarif else sys.stdout)
    if fix:
        _fix(tools)
    problems = _problems(tools)
    if json:
        json_output.print_json([json_output.problem_document(problem) for problem in problems])
    elif sarif:
        json_output.print_sarif(problems)
    else:
        for problem in problems:
            place = f"CHANGELOG.md:{problem.line}:{problem.column}"
            tools.reporter.note(f"{place}: {problem.rule} {problem.what}, {problem.fix}")
    if problems:
        count = f"{len(problems)} problem{'s'[: len(problems) > 1]}"
        raise Refused(f"CHANGELOG.md has {count}", hint=_fixing(tools, fix=fix))
    tools.reporter.note("CHANGELOG.md has no problems")


def _fixing(tools: Toolbox, *, fix: bool) -> str:
    from kaizen_tasks.errors import Refused

    if fix:
        return "the rest needs a person"
    with suppress(Refused):  # of a changelog that cannot be read
        if _fixed(tools) is not None:
            return "inv changelog.check --fix mends what is mechanical"
    return "nothing of it is mechanical: edit CHANGELOG.md"


def _fixed(tools: Toolbox) -> bytes | None:
    """Return the changelog without what is mechanical; None when that is as it should be."""
    from kaizen_tasks.domain import changelog
    from kaizen_tasks.flows.release import files

    before = files.changelog_bytes(tools)
    after = changelog.fix(before, repository_url=tools.scm.source() or None, tag=tools.settings.git_tag)
    return after if after != before else None


def _fix(tools: Toolbox) -> None:
    from kaizen_tasks.flows.release import files

    after = _fixed(tools)
    if after is not None:
        tools.documents.write(files.CHANGELOG, after)
        tools.reporter.note(f"{'would mend' if tools.dry else 'mended'} what is mechanical in CHANGELOG.md")


def _problems(tools: Toolbox) -> tuple[Problem, ...]:
    from kaizen_tasks.domain import changelog
    from kaizen_tasks.flows.release import files

    return changelog.check(
        files.changelog_bytes(tools),
        version=files.version(tools),
        tags=files.released_versions(tools, tools.scm.tags()),
        repository_url=tools.scm.source() or None,
        today=tools.clock.now().date(),
        tag=tools.settings.git_tag,
    )


@command(
    help={
        "release": f"{RELEASE}; without it, the newest",
        "since": "every release after this one: v0.1.0",
        "format": "md, json or html",
        "base-url": "make relative links absolute against this address",
    },
)
def show(c: Context, release: str = "", since: str = "", format: str = "md", base_url: str = "") -> None:
    """Print one version's section, or all since another: release notes, What's new."""
    from kaizen_tasks.domain import changelog
    from kaizen_tasks.errors import UsageError
    from kaizen_tasks.flows.release import files
    from kaizen_tasks.wiring import toolbox

    if format not in FORMATS:
        raise UsageError(f"--format {format}: no such format", hint=f"choose one of {', '.join(FORMATS)}")
    log = files.changelog(toolbox(c.config, stream=sys.stderr))
    sections = _wanted(log, release, since)
    if format == "json" and since:
        sys.stdout.write(changelog.to_json_list(sections))
    else:
        sys.stdout.write(_shown(log, sections, format, base_url or None))


def _wanted(log: Changelog, release: str, since: str) -> tuple[Section, ...]:
    from kaizen_tasks.domain import version as versions
    from kaizen_tasks.errors import Refused

    if since:
        newest = versions.parse(release, where="--release") if release else None
        oldest = versions.parse(since, where="--since")
        return tuple(each for each in log.between(newest=newest, oldest=oldest) if each.version != oldest)
    section = log.find(versions.parse(release, where="--release")) if release else log.newest
    if section is None:
        known = ", ".join(str(each.version) for each in log.releases[:5])
        what = f"CHANGELOG.md has no section for {release}" if release else "CHANGELOG.md has no released section"
        raise Refused(what, hint=f"the newest are {known}" if known else "")
    return (section,)


def _shown(log: Changelog, sections: Sequence[Section], form: str, base_url: str | None) -> str:
    from kaizen_tasks.domain import changelog

    if form == "html":
        return changelog.to_html(log, sections, base_url=base_url)
    if form == "md":
        return changelog.to_markdown(log, sections, base_url=base_url)
    return changelog.to_json(sections[0])
