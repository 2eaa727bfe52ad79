"""The change of the configuration file by which an environment gets its new platform, or its old one back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.config import load
from kaizen_tasks.config.load import CONFIG_FILE_NAME, ConfigFile
from kaizen_tasks.config.tables import RawDefaults
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.init.file_change import FileChange
from kaizen_tasks.domain.migration.config_edit import Keys, edit_environment
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.errors import NOTHING_CHANGED, Refused

if TYPE_CHECKING:
    from kaizen_tasks.ports.scm import ReleaseFiles
    from kaizen_tasks.ports.tools import Tools

EDITED_KEYS = ("platform", "cluster", "service", "url")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@frozen(kw_only=True)
class ConfigEdit:
    """The change of the configuration file for several environments.

    Attributes:
        change: the change.
        names: the environments.
    """

    change: FileChange
    names: tuple[str, ...]


def plan_edit(
    changes: Iterable[tuple[Environment, Environment]], files: ReleaseFiles, config_file: ConfigFile
) -> ConfigEdit | None:
    """Return the change by which the configuration names other services of environments; None if it does already.

    Args:
        changes: each environment as it is configured, and as it shall be.
        files: the app's folder.
        config_file: the configuration as it was read.

    Raises:
        Refused: the file is written in a way that is not edited here; the hint has the lines to write.
    """
    path = _path(config_file)
    prefix = () if path == CONFIG_FILE_NAME else tuple(load.PYPROJECT_TABLE.split("."))
    before = files.read(path) or b""
    text, names = before.decode("utf-8-sig"), []
    for current, wanted in changes:
        keys = _changed_keys(current, wanted, config_file)
        edited = edit_environment(text, wanted.name, keys, prefix=prefix)
        if edited is None:
            lines = ", ".join(f'{key} = "{value}"' for key, value in keys.items() if value is not None)
            raise Refused(
                f"{path}: the table of the environment {wanted.name} is written in a way that is not edited here",
                state="it is unchanged, and both services run",
                hint=f"write by hand into it: {lines or f'nothing of {list_names(tuple(keys))}'}",
            )
        if edited != text:
            names.append(wanted.name)
        text = edited
    mark = BYTE_ORDER_MARK if before.startswith(BYTE_ORDER_MARK) else b""
    change = FileChange(path=path, before=before, after=mark + text.encode())
    return ConfigEdit(change=change, names=tuple(names)) if names else None


def require_shared(config_file: ConfigFile, tools: Tools, *, command_line: str) -> None:
    """Refuse what locks out all whose configuration names the old service, as long as they cannot pull the new one.

    No request is made: the remote's branches are those that were fetched or pushed last.

    Args:
        config_file: the configuration as it was read.
        tools: the ports.
        command_line: what to type again.

    Raises:
        Refused: the file is changed and not committed, or no branch of the remote has its last commit.
    """
    path, scm = _path(config_file), tools.scm
    state = f"{NOTHING_CHANGED}: other clones and CI would be refused there, with nothing to pull"
    if path in scm.modified_files():
        hint = f"git commit {path} && git push, then: {command_line}"
        raise Refused(f"{path} is changed and not committed", state=state, hint=hint)
    commit = scm.latest_change(scm.head().commit, (path,))
    if commit and not scm.is_on_remote(commit) and scm.push_target().remote:
        message = f"no branch of the remote has the last change of {path} ({commit[:7]})"
        raise Refused(message, state=state, hint=f"git push, then: {command_line}")


def _path(config_file: ConfigFile) -> str:
    return CONFIG_FILE_NAME if config_file.name == CONFIG_FILE_NAME else "pyproject.toml"


def _changed_keys(current: Environment, wanted: Environment, config_file: ConfigFile) -> Keys:
    """Return the keys whose values differ; None for one that need not be written, as the inherited value is right."""
    defaults, built_in = config_file.table.get("defaults", {}), RawDefaults()
    app = str(config_file.table.get("app", ""))
    keys: dict[str, str | None] = {}
    for key in EDITED_KEYS:
        value = str(getattr(wanted, key))
        if value == getattr(current, key):
            continue
        inherited = str(defaults.get(key, getattr(built_in, key)))
        is_inherited = inherited.replace("{env}", wanted.name).replace("{app}", app) == value
        keys[key] = None if is_inherited else value
    return keys
