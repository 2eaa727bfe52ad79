"""Reads files of the app's folder and replaces them atomically; an overlay keeps changes in memory."""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import suppress
from pathlib import Path, PurePosixPath

from kaizen_tasks.adapters.host.write_failure import remedy
from kaizen_tasks.config.regular_file import kind_name, read_regular_file
from kaizen_tasks.errors import Refused
from kaizen_tasks.ports.scm import FileLocation, ReleaseFiles


class WorkingTree:
    """The files of the app's folder.

    Args:
        root: the folder.
        boundary: the folder that no path leaves; by default `root`.
        survives_power_loss: whether a file is on the disk before it replaces another. Git can restore what it has, and
            does not wait for the disk either when it checks out a file.
    """

    in_memory = False

    def __init__(self, root: Path, *, boundary: Path | None = None, survives_power_loss: bool = True) -> None:
        self._root = root
        self._boundary = boundary or root
        self._survives_power_loss = survives_power_loss

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None when it does not exist; refuse what is no file or is not in the folder."""
        try:
            return read_regular_file(self._locate(name), name)
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names of the files and links in a folder, sorted; none without the folder."""
        try:
            with os.scandir(self._locate(folder) if folder else self._root) as entries:
                return tuple(sorted(entry.name for entry in entries if not entry.is_dir()))
        except (FileNotFoundError, NotADirectoryError):
            return ()

    def locate(self, name: str) -> FileLocation:
        """Return where a file really is: relative to the folder or, outside of it, absolute."""
        path, root = self._locate(name), self._root.resolve()
        real_path = path.resolve()
        inside = real_path.is_relative_to(root)
        folders = path.parents[: len(PurePosixPath(name).parts) - 1]
        repositories = (folder for folder in folders if (folder / ".git").exists())
        repository = next((str(folder.relative_to(self._root)) for folder in repositories), "")
        return FileLocation(path=str(real_path.relative_to(root) if inside else real_path), repository=repository)

    def write(self, name: str, content: bytes) -> None:
        """Replace a file's content atomically, keep its mode; refuse what is no file, and paths out of the folder."""
        path = self._locate(name)
        if path.is_symlink():
            raise Refused(
                f"{name} is a symbolic link: writing would replace the link, not its target",
                state="nothing has been written",
                hint=f"make {name} a plain file, or configure the path of its target",
            )
        if path.exists() and not (path.is_file() or path.is_dir()):
            message = f"{name} is {kind_name(path)}: writing would put a file in its place"
            raise Refused(message, state="nothing has been written", hint=f"remove it, or name a file: {path}")
        try:
            _write_atomically(path, content, survives_power_loss=self._survives_power_loss)
        except OSError as error:
            problem, hint = f"{name} cannot be written: {error.strerror}", remedy(str(error.strerror), path.parent)
            raise Refused(problem, state="it is unchanged", hint=hint) from error

    def delete(self, name: str) -> None:
        """Delete a file or a link, if there is one; refuse paths out of the folder."""
        try:
            self._locate(name).unlink(missing_ok=True)
        except OSError as error:
            raise Refused(f"{name} cannot be deleted: {error.strerror}", state="it is unchanged") from error

    def _locate(self, name: str) -> Path:
        relative = PurePosixPath(name)
        goes_up = ".." in relative.parts and self._boundary == self._root
        if relative.is_absolute() or goes_up or not relative.parts:
            raise Refused(f"{name!r} is not a path inside this folder", state="nothing has been read or written")
        path = self._root / relative
        folder = path.parent
        if folder != self._boundary and not folder.resolve().is_relative_to(self._boundary.resolve()):
            message = f"{name} leads out of its folder through a symbolic link"
            raise Refused(message, state="nothing has been read or written")
        return path


class OverlayFiles:
    """Files whose changes are kept in memory; files that have not been written are read from `base`."""

    in_memory = True

    def __init__(self, base: ReleaseFiles) -> None:
        self._base = base
        self._overlay: dict[str, bytes | None] = {}

    def read(self, name: str) -> bytes | None:
        """Return a file's content in memory, else its content in `base`."""
        return self._overlay[name] if name in self._overlay else self._base.read(name)

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names of the files in a folder, sorted: those of `base`, with the changes in memory."""
        paths = (PurePosixPath(name) for name in self._overlay)
        changes = {path.name: self._overlay[str(path)] for path in paths if path.parent == PurePosixPath(folder)}
        names = {*self._base.names(folder), *changes}
        return tuple(sorted(name for name in names if changes.get(name, b"") is not None))

    def locate(self, name: str) -> FileLocation:
        """Return where a file of `base` really is."""
        return self._base.locate(name)

    def write(self, name: str, content: bytes) -> None:
        """Keep a file's content in memory."""
        self._overlay[name] = content

    def delete(self, name: str) -> None:
        """Keep in memory that there is no such file."""
        self._overlay[name] = None


def _write_atomically(path: Path, content: bytes, *, survives_power_loss: bool) -> None:
    """Write a temporary file and rename it, so that readers see the old or the new content, even after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_orphans(path)
    temp_path = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        with temp_path.open("xb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(content)
            file.flush()
            if survives_power_loss:
                os.fsync(file.fileno())
            if path.exists():
                temp_path.chmod(path.stat().st_mode & 0o7777)
            temp_path.replace(path)
    finally:
        temp_path.unlink(missing_ok=True)


def _remove_orphans(path: Path) -> None:
    """Remove the temporary files of killed writers: those without a file lock."""
    start = f".{path.name}."
    for orphan in path.parent.iterdir():
        if not (orphan.name.startswith(start) and re.fullmatch(r"[0-9a-f]{8}\.tmp", orphan.name.removeprefix(start))):
            continue
        with orphan.open("rb") as file, suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            orphan.unlink(missing_ok=True)
