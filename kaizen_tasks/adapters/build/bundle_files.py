"""The files of a bundle: those of the commit, in the working directory and where `COPY` puts them."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from attrs import frozen

from kaizen_tasks.domain.build.bundle import BundleConfig
from kaizen_tasks.domain.dockerfile.model import CopiedFiles
from kaizen_tasks.errors import BuildFailed

BundleFiles = Mapping[str, Path | None]
"""Files, folders and links by path in the image, without a leading slash; None for a folder that has no origin."""


def collect_files(config: BundleConfig, context: Path) -> BundleFiles:
    """Return the files of a bundle, each folder before its content, sorted by the bytes of the names."""
    files: dict[str, Path | None] = {}
    if config.workdir != "/":
        files |= _tree(context, config.workdir)
    for copied in config.copied:
        files |= _copied_tree(copied, context)
    for path in tuple(files):
        files |= {str(parent): None for parent in PurePosixPath(path).parents if str(parent) not in {".", *files}}
    return dict(sorted(files.items(), key=lambda item: [*map(os.fsencode, PurePosixPath(item[0]).parts)]))


@frozen(kw_only=True)
class LayerFiles:
    """The files of a layer.

    Attributes:
        files: the files.
        context: the folder that they are in.
        program: absolute path in the image of the program that it starts, which is executable whatever git says: the
            Dockerfile may say so in a `RUN chmod`.
        mtime: the time of all files, in seconds.
    """

    files: BundleFiles
    context: Path
    program: str
    mtime: int

    def write_archive(self, archive: Path) -> None:
        """Write an uncompressed tar without traces of this machine: owned by root, with the modes that git tracks.

        Raises:
            BuildFailed: an image cannot hold a file, or a link leads out of the tree.
        """
        with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as layer:
            for name, source in self.files.items():
                self._add_path(layer, name, source)

    def _add_path(self, layer: tarfile.TarFile, name: str, source: Path | None) -> None:
        entry = tarfile.TarInfo(name)
        entry.mtime, entry.mode = self.mtime, 0o755
        status = source.lstat() if source else None
        if source is None or status is None or stat.S_ISDIR(status.st_mode):
            entry.type = tarfile.DIRTYPE
            layer.addfile(entry)
        elif stat.S_ISLNK(status.st_mode):
            entry.type, entry.mode, entry.linkname = tarfile.SYMTYPE, 0o777, _link_target(source, self.context)
            layer.addfile(entry)
        elif stat.S_ISREG(status.st_mode):
            is_executable = status.st_mode & stat.S_IXUSR or f"/{name}" == self.program
            entry.size, entry.mode = status.st_size, 0o755 if is_executable else 0o644
            with source.open("rb") as content:
                layer.addfile(entry, content)
        else:
            raise BuildFailed(f"{source.relative_to(self.context)} is not a file, folder or link", hint="remove it")


def _tree(folder: Path, destination: str) -> dict[str, Path | None]:
    """Return a folder with all its content, below a path of the image."""
    root = PurePosixPath(destination.strip("/"))
    return {
        str(root / path.relative_to(folder).as_posix()): path
        for path in (folder, *folder.rglob("*"))
        if str(root / path.relative_to(folder).as_posix()) != "."
    }


def _copied_tree(copied: CopiedFiles, context: Path) -> dict[str, Path | None]:
    """Return what a `COPY` puts into the image; as little as there is, for what is missing fails a real build."""
    sources = [path for source in copied.sources for path in _matches(source, context)]
    files: dict[str, Path | None] = {}
    for source in sources:
        if source.is_dir() and not source.is_symlink():
            files |= _tree(source, copied.destination)
        elif copied.destination.endswith("/") or len(sources) > 1:
            files[f"{copied.destination.strip('/')}/{source.name}".lstrip("/")] = source
        else:
            files[copied.destination.strip("/")] = source
    return files


def _matches(source: str, context: Path) -> Iterator[Path]:
    """Yield the paths of the context that a source of `COPY` names; none for an address or a here-document."""
    pattern = os.path.normpath(source.lstrip("/") or ".")
    if "://" in source or source.startswith("<<") or pattern.startswith(".."):
        return
    if pattern == ".":
        yield context
    elif set(pattern) & set("*?["):
        yield from sorted(context.glob(pattern))
    elif os.path.lexists(context / pattern):
        yield context / pattern


def _link_target(link: Path, context: Path) -> str:
    """Return the target of a symbolic link; BuildFailed when it leads out of the tree, even through other links."""
    target = link.readlink()
    try:
        is_inside = (link.parent / target).resolve().is_relative_to(context.resolve())
    except (OSError, RuntimeError):  # a loop; Python 3.13 no longer raises here
        is_inside = False
    if target.is_absolute() or not is_inside:
        raise BuildFailed(
            f"the link {link.relative_to(context)} points outside the tree, to {target}",
            hint="point it inside the repository, or remove it",
        )
    return str(target)
