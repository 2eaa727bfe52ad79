"""Files in memory."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from kaizen_tasks.ports.scm import FileLocation

if TYPE_CHECKING:
    from collections.abc import Mapping


class FakeReleaseFiles:
    """The app's folder, as a dictionary that tests may read and change.

    Attributes:
        files: content by name.
        links: what names lead to, for symbolic links.
        repositories: the repositories of files that are in another one than the app.
    """

    in_memory = False

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self.files = dict(files or {})
        self.links: dict[str, str] = {}
        self.repositories: dict[str, str] = {}

    def read(self, name: str) -> bytes | None:
        return self.files.get(name)

    def names(self, folder: str) -> tuple[str, ...]:
        paths = map(PurePosixPath, self.files)
        return tuple(sorted(path.name for path in paths if path.parent == PurePosixPath(folder)))

    def locate(self, name: str) -> FileLocation:
        return FileLocation(path=self.links.get(name, name), repository=self.repositories.get(name, ""))

    def write(self, name: str, content: bytes) -> None:
        self.files[name] = content

    def delete(self, name: str) -> None:
        self.files.pop(name, None)
