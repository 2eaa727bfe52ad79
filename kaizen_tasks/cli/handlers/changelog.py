"""What `changelog.*` does."""

from __future__ import annotations

import codecs
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from attrs import evolve
from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import json_output, params
from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.changelog.add import add_entry, empty_changelog
from kaizen_tasks.domain.changelog.fragments.create import new_fragment
from kaizen_tasks.domain.changelog.lint.fix import fix_changelog
from kaizen_tasks.domain.changelog.lint.problem import LintProblem
from kaizen_tasks.domain.changelog.lint.sarif_report import to_sarif
from kaizen_tasks.domain.changelog.model import Changelog
from kaizen_tasks.domain.changelog.render.html import to_html
from kaizen_tasks.domain.changelog.render.page import to_page
from kaizen_tasks.domain.changelog.render.sections import to_json, to_json_list, to_markdown
from kaizen_tasks.domain.changelog.section import Section
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.text.printable import printable_lines
from kaizen_tasks.errors import Refused, UsageError
from kaizen_tasks.flows.release import changelog_check, files, optional_files
from kaizen_tasks.flows.runner import choose_executor, run_flow
from kaizen_tasks.flows.steps.changelog import CutChangelog
from kaizen_tasks.wiring import Toolbox

FORMATS = ("md", "json", "html", "page")


def release(c: Context) -> None:
    tools = wiring.toolbox(c.config)
    run_flow((CutChangelog(),), Release(version=files.read_version(tools)), tools, choose_executor(dry=tools.dry))


def add(c: Context, *, type: str, text: str, breaking: bool, name: str) -> None:
    if not type or not text.strip():
        raise UsageError(
            "changelog.add: an entry needs --type and --text", hint='inv changelog.add --type fixed --text "A typo"'
        )
    tools = wiring.toolbox(c.config)
    if tools.settings.changelog.fragments:
        _add_fragment(tools, kind=type, text=text, breaking=breaking, slug=name)
        return
    if name:
        hint = 'write a fragment, with [changelog] fragments = "changelog.d", or leave --name out'
        raise UsageError("--name: entries of the changelog have no name", hint=hint)
    path = files.changelog_file(tools)
    old_content = tools.release_files.read(path)
    content = empty_changelog() if old_content is None else old_content
    changelog_format = tools.settings.changelog.format
    new_content = add_entry(content, kind=type, text=text, breaking=breaking, changelog_format=changelog_format)
    tools.release_files.write(path, new_content)
    tools.reporter.note(f"{'would add' if tools.dry else 'added'} to [Unreleased]: {text}")


def _add_fragment(tools: Toolbox, *, kind: str, text: str, breaking: bool, slug: str) -> None:
    folder = tools.settings.changelog.fragments
    fragment = new_fragment(
        folder,
        kind=kind,
        text=text,
        breaking=breaking,
        taken=tools.release_files.names(folder),
        slug=slug,
        changelog_format=tools.settings.changelog.format,
    )
    path = files.changelog_file(tools)
    if tools.release_files.read(path) is None:
        tools.release_files.write(path, empty_changelog())
    tools.release_files.write(fragment.path, fragment.content)
    tools.reporter.note(f"{'would add' if tools.dry else 'added'} {fragment.path}: {text}")


def check(c: Context, *, json: bool, sarif: bool, fix: bool) -> None:
    tools = wiring.toolbox(c.config, stream=sys.stderr if json or sarif else sys.stdout)
    if fix:
        _write_fixes(tools)
    problems, name = changelog_check.changelog_problems(tools), files.changelog_file(tools)
    if json:
        json_output.print_json([json_output.problem_document(problem, path=name) for problem in problems])
    elif sarif:
        path_in_repository = tools.scm.path_in_repository  # where code scanning looks for files
        located = (evolve(problem, path=path_in_repository(problem.path or name)) for problem in problems)
        json_output.write_document(to_sarif(located, path=path_in_repository(name)))
    else:
        for problem in problems:
            place = f"{problem.path or name}:{problem.line}:{problem.column}"
            tools.reporter.note(f"{place}: {problem.severity}: {problem.rule} {problem.message}, {problem.fix}")
    paths = tuple(dict.fromkeys(each.path or name for each in problems))
    paths = paths or tuple(filter(None, (name, tools.settings.changelog.fragments)))
    summary = f"{_enumerate(paths)} {'has' if len(paths) == 1 else 'have'} {_count(problems)}"
    if any(problem.severity == "error" for problem in problems):
        raise Refused(summary, hint=_fix_hint(problems, tools, fix=fix))
    tools.reporter.note(summary)


def _count(problems: Sequence[LintProblem]) -> str:
    """Return how many problems there are, in words."""
    if not problems:
        return "no problems"
    counts = Counter(problem.severity for problem in problems)
    words = ", ".join(_plural(count, severity) for severity, count in sorted(counts.items()))
    return f"{_plural(len(problems), 'problem')}: {words}"


def _enumerate(paths: Sequence[str]) -> str:
    names = paths if len(paths) <= 3 else (*paths[:2], f"{len(paths) - 2} more files")
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'s'[: count > 1]}"


def _fix_hint(problems: Sequence[LintProblem], tools: Toolbox, *, fix: bool) -> str:
    paths = dict.fromkeys(each.path or files.changelog_file(tools) for each in problems if each.severity == "error")
    names = ", ".join([*paths][:3]) + (" and others" if len(paths) > 3 else "")
    if fix:
        return f"the remaining problems must be fixed by hand: edit {names}"
    with suppress(Refused):  # the changelog cannot be parsed
        if _fixed_changelog(tools) is not None or any(problem.fix == files.FIX_COMMAND for problem in problems):
            return f"fix what can be fixed automatically: {files.FIX_COMMAND}"
    return f"edit {names}: this cannot be fixed automatically"


def _fixed_changelog(tools: Toolbox) -> bytes | None:
    """Return the changelog with automatic fixes; None when there are none."""
    content, url = files.read_changelog_bytes(tools), tools.scm.web_url() or None
    fixed_content = fix_changelog(
        content,
        repository_url=url,
        tag_pattern=tools.settings.tag_pattern,
        changelog_format=tools.settings.changelog.format,
    )
    return fixed_content if fixed_content != content else None


def _write_fixes(tools: Toolbox) -> None:
    fixed_content = _fixed_changelog(tools)
    if fixed_content is not None:
        name = files.changelog_file(tools)
        tools.release_files.write(name, fixed_content)
        tools.reporter.note(f"{'would fix' if tools.dry else 'fixed'} {name} automatically")
    for path in optional_files.fix_version_files(tools):
        tools.reporter.note(f"{'would write' if tools.dry else 'wrote'} {files.read_version(tools)} into {path}")


def show(c: Context, *, release: str, since: str, unreleased: bool, format: str, base_url: str) -> None:
    if format not in FORMATS:
        raise params.unknown_choice_error(f"--format {format}: no such format", format, FORMATS)
    tools = wiring.toolbox(c.config, stream=sys.stderr)
    if unreleased:
        _show_unreleased(tools, format, base_url or None, is_alone=not (release or since))
        return
    log = files.read_changelog(tools)
    sections = _select_sections(log, release, since, name=files.changelog_file(tools))
    if format == "json":
        json_output.write_document(to_json_list(sections) if since else to_json(sections[0]))
    else:
        sys.stdout.write(_render_sections(log, sections, format, base_url or None, app=tools.settings.app))


def _show_unreleased(tools: Toolbox, output_format: str, base_url: str | None, *, is_alone: bool) -> None:
    if not is_alone:
        raise UsageError("--unreleased goes without --release and --since", hint="leave those out")
    log = optional_files.read_noted_changelog(tools)
    section = log.unreleased
    if section is None or section.is_empty:
        hint = f"note what changed: {files.note_command(tools)}"
        raise Refused("nothing is noted for the next release", hint=hint)
    if output_format == "json":
        places = {entry.line: optional_files.place_of(entry, tools) for entry in section.entries}
        json_output.write_document(to_json(section, places=places))
    else:
        sys.stdout.write(_render_sections(log, (section,), output_format, base_url, app=tools.settings.app))


def _select_sections(log: Changelog, release: str, since: str, *, name: str) -> tuple[Section, ...]:
    if since:
        newest = versions.parse_version(release, origin="--release") if release else None
        oldest = versions.parse_version(since, origin="--since")
        sections = log.releases_between(newest=newest, oldest=oldest)
        return tuple(section for section in sections if section.version != oldest)
    section = log.find_section(versions.parse_version(release, origin="--release")) if release else log.newest_release
    if section is None:
        read_versions = [str(recent.version) for recent in log.releases if recent.version]
        recent_versions = ", ".join(read_versions[:5])
        missing = f"section for {release}" if release else "released section"
        raise Refused(
            f"{name} has no {missing}",
            hint=f"the newest are {recent_versions}" if recent_versions else files.START_COMMAND,
        )
    return (section,)


def _render_sections(
    log: Changelog, sections: Sequence[Section], output_format: str, base_url: str | None, *, app: str
) -> str:
    if output_format == "md":
        return printable_lines(to_markdown(log, sections, base_url=base_url))
    encoding = sys.stdout.encoding or "utf-8"
    html = printable_lines(to_html(log, sections, base_url=base_url))
    if output_format == "page":
        html = to_page(html, app=app)
        encoding = encoding if codecs.lookup(encoding).name == "utf-8" else "ascii"  # a page says that it is UTF-8
    return html.encode(encoding, "xmlcharrefreplace").decode(encoding)
