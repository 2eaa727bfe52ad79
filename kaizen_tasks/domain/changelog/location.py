"""Finds the changelog among the files of an app, so that no second one is begun beside it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence

from kaizen_tasks.domain.changelog import DEFAULT_PATH
from kaizen_tasks.errors import UsageError

FOLDERS = ("", "docs", "doc")
"""Folders that are searched for a changelog; empty is the app's own."""

_NAMES = r"change[-_ ]?log|changes|release[-_ ]?notes"
_MARKDOWN = re.compile(rf"({_NAMES}|history|news)\.(md|markdown|mdown|mkd)", re.IGNORECASE)
_MARKDOWN_IN_DOCS = re.compile(rf"({_NAMES})\.(md|markdown|mdown|mkd)", re.IGNORECASE)
_PANDOC_FORMATS = frozenset({"org", "rst", "textile"})
"""Endings that pandoc reads: https://pandoc.org/MANUAL.html#general-options."""

_OTHER_FORMAT = re.compile(rf"({_NAMES}|history|news)(\.(adoc|asciidoc|org|rdoc|rst|textile|txt))?", re.IGNORECASE)


def candidates(folder: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the paths of the files in a folder that are changelogs by their names."""
    pattern = _MARKDOWN_IN_DOCS if folder else _MARKDOWN
    return tuple(f"{folder}/{name}".lstrip("/") for name in names if pattern.fullmatch(name))


def choose_path(paths: Sequence[str], names: Sequence[str], *, is_configured: bool) -> str:
    """Return the path of the changelog; that of a new one if there is none.

    Args:
        paths: the candidates of all folders.
        names: the files in the app's folder.
        is_configured: whether there is a configuration that can name one.

    Raises:
        UsageError: there are several, or there is one in another format than Markdown.
    """
    named_as_default = [path for path in paths if path.casefold() == DEFAULT_PATH.casefold()]
    choices = named_as_default or paths
    if len(choices) > 1:
        hint = setting(choices[0]) if is_configured else _command("git mv", choices[0], DEFAULT_PATH)
        raise UsageError(f"there are {len(choices)} changelogs: {', '.join(choices)}", hint=f"say which: {hint}")
    if choices:
        return choices[0]
    for name in filter(_OTHER_FORMAT.fullmatch, names):
        hint = _setting_hint(name) if is_configured else _commands_hint(name)
        raise UsageError(f"{name} seems to be the changelog, and it is not Markdown by its name", hint=hint)
    return DEFAULT_PATH


def _setting_hint(name: str) -> str:
    return f"if it is Markdown after all: {setting(name)}; to begin another one: {setting(DEFAULT_PATH)}"


def _commands_hint(name: str) -> str:
    """Return the commands that make a changelog which is found, where no configuration can name one yet."""
    stem, _, ending = name.rpartition(".")
    stage = f"git add {DEFAULT_PATH}"
    conversion = _command("pandoc --to gfm --output", DEFAULT_PATH, name)
    convert = f"to convert it: {conversion} && {stage}; " if ending.lower() in _PANDOC_FORMATS else ""
    rename = _command("git mv", name, f"{stem or name}.md")
    begin = f"echo '# Changelog' > {DEFAULT_PATH} && {stage}"
    return f"{convert}if it is Markdown after all: {rename}; to begin another one: {begin}"


def _command(command: str, *paths: str) -> str:
    return f"{command} {shlex.join(paths)}"


def require_spelling(path: str, names: Iterable[str]) -> str:
    """Return the path of the changelog that is configured.

    Args:
        path: the path.
        names: the files in its folder.

    Raises:
        UsageError: the file is spelled differently on disk, and so in git.
    """
    folder, _, name = path.rpartition("/")
    for other in names:
        if other != name and other.casefold() == name.casefold():
            actual_path = f"{folder}/{other}".lstrip("/")
            raise UsageError(f"there is no {path}, but {actual_path}", hint=setting(actual_path))
    return path


def outside_error(path: str, target: str, repository: str) -> UsageError:
    """Return the error for a changelog that no commit of this repository can change.

    Args:
        path: its path.
        target: where it really is.
        repository: the submodule that has it, or empty.
    """
    if repository:
        add = 'inv changelog.add --type added --text "What changed"'
        hint = f"keep one in this repository: {setting('NEWS.md')}, then: {add}"
        return UsageError(f"{path} is in the submodule {repository}, whose commits are its own", hint=hint)
    return UsageError(f"{path} is a symbolic link out of the app's folder, to {target}", hint=copy_command(path))


def copy_command(path: str) -> str:
    """Return the command that puts a copy of a file in the place of a link to it."""
    return f"cp {path} {path}.copy && mv {path}.copy {path} && git commit --message 'Copy {path}' {path}"


def setting(path: str) -> str:
    """Return what to write into the configuration to choose a changelog."""
    return f'write file = "{path}" under [changelog] in kaizen.toml'
