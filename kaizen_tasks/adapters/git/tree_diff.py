"""Compares the trees of two commits."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kaizen_tasks.adapters.git.object_reader import ObjectReader
from kaizen_tasks.errors import Refused

_FOLDER_MODE = "40000"


class TreeEntry(NamedTuple):
    """A file's entry in a tree or in the index: its mode, as `100644`, and the hash of its content."""

    mode: str
    blob: str


TreeChange = tuple[str, TreeEntry | None, TreeEntry | None]
"""A path, and its old and its new entry."""


def diff_trees(objects: ObjectReader, old: str, new: str, folder: str) -> Iterator[TreeChange]:
    """Yield every file of a folder that differs, with its path from there; a renamed one is deleted and added.

    Args:
        objects: the objects of the repository.
        old: full hash of a commit or a tree; empty for one without files.
        new: full hash of a commit or a tree.
        folder: its path from the top of the repository, with a slash at the end, or empty.

    Raises:
        Refused: an object is missing.
    """
    old_tree, new_tree = (_find_folder(objects, commit, folder.removesuffix("/")) for commit in (old, new))
    yield from _diff(objects, old_tree, new_tree, "")


def _find_folder(objects: ObjectReader, commit: str, folder: str) -> str:
    """Return the hash of a folder's tree; empty if the commit lacks the folder."""
    found = objects.find(f"{commit}:{folder}") if commit else None
    if found is None and commit and objects.find(commit) is None:
        raise _missing_error(commit)
    return found.name if found and found.kind == "tree" else ""


def _diff(objects: ObjectReader, old: str, new: str, folder: str) -> Iterator[TreeChange]:
    if old == new:
        return
    old_entries, new_entries = _entries(objects, old), _entries(objects, new)
    for name in sorted(old_entries.keys() | new_entries.keys()):
        before, after = old_entries.get(name), new_entries.get(name)
        if before == after:
            continue
        old_file, new_file = (entry if entry and entry.mode != _FOLDER_MODE else None for entry in (before, after))
        old_tree, new_tree = (entry.blob if entry and entry.mode == _FOLDER_MODE else "" for entry in (before, after))
        if old_file or new_file:
            yield f"{folder}{name}", old_file, new_file
        yield from _diff(objects, old_tree, new_tree, f"{folder}{name}/")


def _entries(objects: ObjectReader, tree: str) -> Mapping[str, TreeEntry]:
    """Return the entries of a tree by name; each is `<mode> <name>`, a NUL, and the bytes of its hash."""
    entries: dict[str, TreeEntry] = {}
    content = objects.read(tree, "tree") if tree else b""
    if content is None:
        raise _missing_error(tree)
    position, hash_size = 0, len(tree) // 2
    while position < len(content):
        end = content.index(b"\0", position) + 1
        mode, _, name = content[position : end - 1].partition(b" ")
        position = end + hash_size
        entries[os.fsdecode(name)] = TreeEntry(mode.decode(), content[end:position].hex())
    return entries


def _missing_error(name: str) -> Refused:
    return Refused(f"this clone lacks the object {name[:12]}")
