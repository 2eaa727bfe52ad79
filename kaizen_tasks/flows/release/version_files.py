"""The files that repeat VERSION: what they say, and with which content a release says it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.changelog.edit import TextEdit, apply_edits
from kaizen_tasks.domain.version_files.field import VersionField, VersionPlace
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.release import files

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.lint.problem import LintProblem
    from kaizen_tasks.ports.tools import Tools

_SETTING = "under [[version_files]] in kaizen.toml"


@frozen(kw_only=True)
class Difference:
    """A place with another version than VERSION.

    Attributes:
        path: path of the file.
        place: the place.
        message: what it says, and what VERSION says.
        is_fixable: see `VersionField.is_fixable`.
    """

    path: str
    place: VersionPlace
    message: str
    is_fixable: bool

    @property
    def remedy(self) -> str:
        """What to do about it."""
        if not self.is_fixable:
            return "write a pattern into kaizen.toml that finds only places of this version, and nothing else"
        return f"{files.FIX_COMMAND} && {files.commit_command(self.path, 'Correct the version')}"


def with_version(version: Version, tools: Tools) -> dict[str, bytes]:
    """Return the content of every file that repeats VERSION, with a version.

    Raises:
        Refused: a file is missing, or has no place for the version.
    """
    contents: dict[str, bytes] = {}
    for field in _fields(tools):
        contents[field.path] = field.replace(contents.get(field.path) or _read(field.path, tools), version)
    return contents


def outdated_paths(version: Version, tools: Tools) -> tuple[str, ...]:
    """Return the paths of the files that do not repeat a version."""
    return tuple(dict.fromkeys(each.path for each in differences((version,), tools)))


def differences(accepted_versions: Collection[Version], tools: Tools) -> Iterator[Difference]:
    """Yield the places that have none of these versions; the first of them is the right one."""
    expected = next(iter(accepted_versions))
    for field in _fields(tools):
        places = field.find(_read(field.path, tools))
        is_fixable = field.is_fixable(places)
        for place in places:
            if not any(field.has(version, place) for version in accepted_versions):
                message = f"{field.name} is {place.text}, but VERSION is {expected}"
                yield Difference(path=field.path, place=place, message=message, is_fixable=is_fixable)


def problems(release_version: Version, tools: Tools) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the files that repeat VERSION, each with its remedy, before a release."""
    head, obstacles = tools.scm.head().commit, 0
    for path in files.version_paths(tools):
        for obstacle in _obstacles(path, head, tools):
            obstacles += 1
            yield obstacle
    if obstacles:
        return
    try:
        yield from _content_problems(release_version, head, tools)
    except Refused as error:
        yield error.message, error.hint


def _obstacles(path: str, head: str, tools: Tools) -> Iterator[tuple[str, str]]:
    """Yield why a file cannot be part of a release commit."""
    location = tools.release_files.locate(path)
    if location.repository:
        yield f"{path} is in the submodule {location.repository}, whose commits are its own", f"remove it {_SETTING}"
    elif location.path != path:
        yield f"{path} is a symbolic link to {location.path}", f'write path = "{location.path}" {_SETTING}'
    elif tools.release_files.read(path) is None:
        yield _missing(path, head, tools)
    elif tools.scm.read_at(head, path) is None:
        yield f"{path} is not tracked by git", files.track_command(path)


def _missing(path: str, head: str, tools: Tools) -> tuple[str, str]:
    """Return why there is no file, with a remedy: it has been deleted, or there never was one of this name."""
    if tools.scm.read_at(head, path) is None:
        return f"there is no {path}", f"correct its path {_SETTING}"
    return f"{path} is deleted", f"git checkout HEAD -- {files.pathspec(path)}"


def _content_problems(release_version: Version, head: str, tools: Tools) -> Iterator[tuple[str, str]]:
    modified_paths = [path for path in files.version_paths(tools) if path in tools.scm.modified_files()]
    outdated = outdated_paths(release_version, tools) if modified_paths else ()
    for path in modified_paths:
        if path in outdated or not _is_edited_in_version_only(path, head, tools):
            yield f"{path} is edited and not committed", files.commit_command(path, f"Change {path}")
    accepted = [files.read_version(tools), release_version]
    if files.VERSION_FILE in tools.scm.modified_files() and (old := tools.scm.read_at(head, files.VERSION_FILE)):
        accepted.append(versions.parse_version_file(old))  # an earlier run has changed VERSION and was stopped
    for each in differences(accepted, tools):
        yield f"{each.path}:{each.place.line}: {each.message}", each.remedy


def require_no_problems(tools: Tools) -> None:
    """Refuse to change files that cannot be part of a release, or that disagree.

    Raises:
        Refused: with the first problem.
    """
    for cause, remedy in problems(files.read_version(tools), tools):
        raise Refused(cause, state=NOTHING_CHANGED, hint=f"{remedy}; then run the same command again")


def lint(tools: Tools) -> Iterator[LintProblem]:
    """Yield the differences as problems of `changelog.check`."""
    from kaizen_tasks.domain.changelog.lint.problem import LintProblem

    for each in differences((files.read_version(tools),), tools):
        yield LintProblem(
            path=each.path,
            line=each.place.line,
            column=each.place.column,
            rule="version-file",
            message=each.message,
            fix=files.FIX_COMMAND if each.is_fixable else each.remedy,
        )


def _is_edited_in_version_only(path: str, head: str, tools: Tools) -> bool:
    """Return whether a file would be as it is committed if it had that version."""
    content, committed_content = _read(path, tools), tools.scm.read_at(head, path) or b""
    edits = []
    for field in _fields(tools):
        if field.path == path:
            places, committed_places = field.find(content), field.find(committed_content)
            if len(places) != len(committed_places):
                return False
            edits += [
                TextEdit(start=place.start, end=place.end, replacement=committed.text.encode())
                for place, committed in zip(places, committed_places, strict=True)
            ]
    return not tools.scm.files_differing_from(head, {path: apply_edits(content, edits)})


def require_committed(version: Version, commit: str, tools: Tools) -> None:
    """Require that a commit has a version everywhere: filters of git, for example, change what is stored.

    Raises:
        Refused: it has not.
    """
    for field in _fields(tools):
        content = tools.scm.read_at(commit, field.path) or b""
        if not all(field.has(version, place) for place in field.find(content)):
            message = f"{field.path} would not have {version} in the commit: a hook or a filter of git changes it"
            raise Refused(message, state=NOTHING_CHANGED, hint=f"git check-attr --all {files.quote(field.path)}")


def contents_at(commit: str, version: Version, tools: Tools) -> dict[str, bytes | None]:
    """Return the files that repeat VERSION as they are in a commit, but with a version; None for a missing one."""
    contents = {path: tools.scm.read_at(commit, path) for path in files.version_paths(tools)}
    for field in _fields(tools):
        content = contents[field.path]
        if content is not None:
            contents[field.path] = field.replace(content, version)
    return contents


def fix(tools: Tools) -> tuple[str, ...]:
    """Give every place that can be corrected the version of VERSION, and return the paths of the changed files."""
    version = files.read_version(tools)
    wrong_places = tuple(differences((version,), tools))
    unfixable_paths = {each.path for each in wrong_places if not each.is_fixable}
    paths = sorted({each.path for each in wrong_places} - unfixable_paths)
    contents = with_version(version, tools)
    for path in paths:
        tools.release_files.write(path, contents[path])
    return tuple(paths)


def _fields(tools: Tools) -> tuple[VersionField, ...]:
    return tuple(VersionField(**rule._asdict()) for rule in tools.settings.version_files)


def _read(path: str, tools: Tools) -> bytes:
    content = tools.release_files.read(path)
    if content is None:
        cause, remedy = _missing(path, tools.scm.head().commit, tools)
        raise Refused(cause, state=NOTHING_CHANGED, hint=remedy)
    return content
