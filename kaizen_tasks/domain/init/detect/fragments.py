"""Find changelog fragments: the folder that another tool is configured with, or one with a usual name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping

from attrs import field, frozen

from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT
from kaizen_tasks.domain.changelog.fragments import names
from kaizen_tasks.domain.changelog.fragments.fragment import find_type, suggest_type

USUAL_FOLDER = re.compile(r"(?:.*/)?(?:changelog\.d|changes\.d|news\.d|newsfragments|changelog[-_]fragments)")
_KEYS = (("towncrier", "directory"), ("scriv", "fragment_directory"))


@frozen(kw_only=True)
class FragmentFolder:
    """A folder of fragments.

    Attributes:
        path: relative to the app's folder.
        source: the file that shows it.
        types: what its files are named after, if that is none of the six types of change, and which of them it means.
    """

    path: str
    source: str
    types: Mapping[str, str] = field(factory=dict)


def find_fragments(texts: Mapping[str, str]) -> FragmentFolder | None:
    """Return the folder of fragments; None when there is none, or when there are several."""
    folders = dict(_configured_folders(texts)) or {
        folder: path for path in texts if USUAL_FOLDER.fullmatch(folder := path.rpartition("/")[0])
    }
    if len(folders) != 1:
        return None
    [(folder, source)] = folders.items()
    return FragmentFolder(path=folder, source=source, types=dict(_other_types(folder, texts)))


def _configured_folders(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for path, text in texts.items():
        if path in {"pyproject.toml", "towncrier.toml"}:
            for tool, key in _KEYS:
                folder = _tool_table(text, tool).get(key)
                if isinstance(folder, str) and (folder := folder.strip("/").removeprefix("./")):
                    yield folder, path


def _tool_table(text: str, tool: str) -> Mapping[str, object]:
    try:
        table = tomllib.loads(text).get("tool", {}).get(tool, {})
    except (tomllib.TOMLDecodeError, AttributeError):
        return {}
    return table if isinstance(table, dict) else {}


def _other_types(folder: str, texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for path in texts:
        name = names.parse_name(path.removeprefix(f"{folder}/"))
        if not name or not path.startswith(f"{folder}/") or find_type(name.type_name, DEFAULT_FORMAT):
            continue
        slug = suggest_type(name.type_name, DEFAULT_FORMAT)
        change_type = find_type(slug, DEFAULT_FORMAT) if slug else None
        if change_type and not names.is_left_alone(path.rpartition("/")[2]):
            yield name.type_name, change_type
