"""The fragments of the changelog: what they note, whether they are committed, and which ones a release deletes.

Loaded only where `changelog.fragments` is configured.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.changelog.fragments import names
from kaizen_tasks.domain.changelog.fragments.fold import FoldedChangelog, fold_fragments
from kaizen_tasks.domain.changelog.fragments.fragment import Fragments, parse_fragments
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.release import files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kaizen_tasks.domain.changelog.format import ChangelogFormat
    from kaizen_tasks.domain.changelog.fragments.fragment import Fragment
    from kaizen_tasks.domain.changelog.lint.problem import LintProblem
    from kaizen_tasks.domain.changelog.section import Section
    from kaizen_tasks.ports.tools import Tools

_NAME_RULES = {"fragment-name", "fragment-type"}
"""Rules about files that hold no entry of this changelog, which `[changelog.rules]` may allow in the folder."""


def read_fragments(tools: Tools) -> Fragments:
    """Return the fragments in the folder, and the problems of its files; none without the folder."""
    folder = tools.settings.changelog.fragments
    paths = [f"{folder}/{name}" for name in tools.release_files.names(folder) if not names.is_left_alone(name)]
    links = {path: target for path in paths if (target := _link_target(path, tools))}
    contents = ((path, tools.release_files.read(path)) for path in paths if path not in links)
    pairs = tuple((path, content) for path, content in contents if content is not None)
    fragments = _parse(pairs, tools.settings.changelog.format)
    return evolve(fragments, problems=(*fragments.problems, *_link_problems(links))) if links else fragments


def _link_target(path: str, tools: Tools) -> str:
    """Return where a symbolic link in the folder leads to, or an empty string for a plain file."""
    folder = tools.release_files.locate(_folder(tools)).path
    target = tools.release_files.locate(path).path
    return target if target != f"{folder}/{path.rpartition('/')[2]}" else ""


def _link_problems(links: Mapping[str, str]) -> Iterator[LintProblem]:
    """Yield a problem for every symbolic link: the commit has the link only, and no text that a release can fold in."""
    from kaizen_tasks.domain.changelog.lint.problem import LintProblem

    fix = "put a file with the entry in its place, and commit it"
    for path, target in links.items():
        message = f"this is a symbolic link to {target}"
        yield LintProblem(path=path, line=1, rule="fragment-file", message=message, fix=fix)


@lru_cache(maxsize=2)  # steps read them again and again: before the release, and with it
def _parse(contents: tuple[tuple[str, bytes], ...], changelog_format: ChangelogFormat) -> Fragments:
    return parse_fragments(dict(contents), changelog_format)


def fold(tools: Tools) -> FoldedChangelog:
    """Return the changelog with the fragments folded into `[Unreleased]`.

    Raises:
        Refused: a file of the folder has a problem.
    """
    fragments = read_fragments(tools)
    problems = _blocking_problems(fragments.problems, tools)
    if problems:
        problem, *others = problems
        more = f"; {len(others)} more: inv changelog.check" if others else ""
        place = f"{problem.path}:{problem.line}:{problem.column}"
        raise Refused(f"{place}: {problem.message}", state=NOTHING_CHANGED, hint=f"{problem.fix}{more}")
    return _fold(files.read_changelog_bytes(tools), fragments.items, tools.settings.changelog.format)


def _blocking_problems(problems: tuple[LintProblem, ...], tools: Tools) -> tuple[LintProblem, ...]:
    """Return the problems that refuse a release: those of entries, and of names unless they may be in the folder."""
    if not problems:
        return ()
    from kaizen_tasks.domain.changelog.lint.check import apply_rules

    names_with_errors = [
        problem.path
        for problem in apply_rules(problems, tools.settings.changelog.lint_rules)
        if problem.severity == "error"
    ]
    return tuple(each for each in problems if each.rule not in _NAME_RULES or each.path in names_with_errors)


@lru_cache(maxsize=2)
def _fold(content: bytes, fragments: tuple[Fragment, ...], changelog_format: ChangelogFormat) -> FoldedChangelog:
    return fold_fragments(files.parse_with_format(content, changelog_format), fragments)


def deleted_paths(tools: Tools) -> tuple[str, ...]:
    """Return the fragments in git's index that are gone here, because a cut has folded them in."""
    return tuple(path for path in _missing_paths(tools) if tools.scm.tracked_files(_folder(tools))[path])


def _missing_paths(tools: Tools) -> tuple[str, ...]:
    folder = _folder(tools)
    present = {f"{folder}/{name}" for name in tools.release_files.names(folder)}
    return tuple(path for path in tools.scm.tracked_files(folder) if path not in present and _is_fragment(path, folder))


def _folder(tools: Tools) -> str:
    return tools.settings.changelog.fragments


def misplaced_problems(tools: Tools) -> tuple[LintProblem, ...]:
    """Return a problem for every file in a folder below that of the fragments, where no release looks for it."""
    folder = _folder(tools)
    paths = [path for path in tools.scm.tracked_files(folder) if "/" in path.removeprefix(f"{folder}/")]
    if not paths:
        return ()
    from kaizen_tasks.domain.changelog.lint.problem import LintProblem

    fix = f"move it to {folder}, with its type in its name, or move it away"
    return tuple(
        LintProblem(
            path=path, line=1, rule="fragment-name", message="no release looks for fragments in subfolders", fix=fix
        )
        for path in paths
        if not names.is_left_alone(path.rpartition("/")[2])
    )


def folded_paths(section: Section, tools: Tools) -> tuple[str, ...]:
    """Return the fragments here whose entries a new section has: those that a cut has folded in and not deleted yet."""
    entries = {(group.type, _key(entry.text)) for group in section.groups for entry in group.entries}
    fragments = read_fragments(tools).items
    paths = tuple(each.path for each in fragments if (each.change_type, _key("\n".join(each.lines))) in entries)
    return paths if paths and not _is_committed(section, tools) else ()


def _is_committed(section: Section, tools: Tools) -> bool:
    """Return whether the last commit has the section, so that its fragments are deleted, and others only repeat it."""
    content = tools.scm.read_at(tools.scm.head().commit, files.changelog_file(tools))
    if content is None or section.version is None:
        return False
    return files.parse_changelog(content, tools).find_section(section.version) is not None


def _key(text: str) -> str:
    return "\n".join(line.strip() for line in text.split("\n"))


def merged_contents(base: str, tip: str, released: str, tools: Tools) -> dict[str, bytes | None]:
    """Return the fragments that a release has deleted, as they are on a branch together with it; None: deleted.

    One that the branch has edited since stays, for the next release; one that it has renamed does not.

    Args:
        base: the commit from which both come.
        tip: the commit of the branch.
        released: the release commit.
        tools: the ports.
    """
    folder = _folder(tools)
    changed_paths = [path for path in tools.scm.changed_files(base, released) if _is_fragment(path, folder)]
    deleted_paths = [path for path in changed_paths if tools.scm.read_at(released, path) is None]
    contents = {tools.scm.read_at(base, path) for path in deleted_paths}
    branch_paths = [path for path in tools.scm.changed_files(base, tip) if _is_fragment(path, folder)]
    current = {path: tools.scm.read_at(tip, path) for path in {*deleted_paths, *branch_paths}}
    return {
        path: None if content in contents else content
        for path, content in current.items()
        if path in deleted_paths or content in contents
    }


def uncommitted(tools: Tools) -> Iterator[tuple[str, str]]:
    """Yield what is not as in the last commit, with a remedy: the release would not delete what it has folded in."""
    folder = _folder(tools)
    present, tracked = set(read_fragments(tools).paths), tools.scm.tracked_files(folder)
    untracked, missing, deleted = present - tracked.keys(), set(_missing_paths(tools)), set(deleted_paths(tools))
    ignored = untracked & set(tools.scm.ignored_files(folder)) if untracked else set()
    modified = set(tools.scm.modified_files())
    edited = present & modified
    staged = {
        path for path in modified - tracked.keys() if path.startswith(f"{folder}/") and _is_fragment(path, folder)
    }
    deleted |= staged - present
    commit = f"git commit --message 'Note what changed' -- {folder}"
    for paths, state, remedy in (
        (ignored, "ignored by git, and not committed", f"git add --force {folder} && {commit}"),
        (untracked - ignored, "not in git", f"git add {folder} && {commit}"),
        (edited - untracked, "edited and not committed", f"git add {folder} && {commit}"),
        (deleted, "deleted and not committed", commit),
        (missing - deleted, "left out by the sparse checkout", f"git sparse-checkout add {folder}"),
    ):
        if paths:
            yield f"{list_names(sorted(paths))}: {state}", remedy
    misplaced = _blocking_problems(misplaced_problems(tools), tools)
    if misplaced:
        yield f"{list_names(sorted({each.path for each in misplaced}))}: {misplaced[0].message}", misplaced[0].fix


def _is_fragment(path: str, folder: str) -> bool:
    """Return whether a path is that of a fragment in the folder itself."""
    name = path.removeprefix(f"{folder}/")
    return "/" not in name and not names.is_left_alone(name) and names.parse_name(name) is not None
