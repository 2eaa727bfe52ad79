"""An image in the store: what it says of itself, and its layers as a folder.

Layers come from whoever pushed them. Nothing in one may reach outside the folder it is unpacked into, so
every path is resolved here, link by link, as if that folder were the root of the file system.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import shutil
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import attrs

from kaizen_tasks.errors import Refused
from kaizen_tasks.localcloud.registry.errors import RegistryError
from kaizen_tasks.localcloud.registry.manifests import DOCKER_INDEX, OCI_INDEX, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.localcloud.registry.store import ImageStore

_ARCHITECTURES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}
_MAX_LINKS = 40  # the same as Linux, path_resolution(7)
_WHITEOUT_PREFIX = ".wh."
_OPAQUE_WHITEOUT = ".wh..wh..opq"
_RESERVED_PREFIX = ".wh..wh."


@attrs.frozen(kw_only=True)
class Layer:
    """One layer: its stored bytes, their digest, and the digest of the tar archive within."""

    path: Path
    digest: str
    diff_id: str


@attrs.frozen(kw_only=True)
class PlatformImage:
    """What one platform's image says of itself."""

    digest: str
    layers: tuple[Layer, ...]
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    working_directory: str
    labels: Mapping[str, str]


def read_image(store: ImageStore, repository: str, digest: str) -> PlatformImage:
    """Read the image that a digest stands for, choosing this machine's platform from an index.

    Raises:
        Refused: the image, or a part of it, is missing or cannot be understood.
    """
    try:
        return _read_image(store, repository, digest)
    except (RegistryError, KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise Refused(f"{repository}@{digest} is not a usable image: {type(error).__name__}: {error}") from error


def _read_image(store: ImageStore, repository: str, digest: str) -> PlatformImage:
    manifest = store.manifest(repository, digest)
    document = json.loads(manifest.content)
    if document.get("mediaType", manifest.media_type) in (OCI_INDEX, DOCKER_INDEX):
        return _read_image(store, repository, _select_platform(document["manifests"]))
    blob = store.blob_path(document["config"]["digest"]).read_bytes()
    if digest_of(blob) != document["config"]["digest"]:
        raise Refused(f"{repository}@{digest}: the stored configuration does not match its digest")
    return _platform_image(store, digest, document, json.loads(blob))


def _select_platform(children: list[dict[str, Any]]) -> str:
    """Choose linux on this machine's architecture, else amd64: the only one that App Runner runs."""
    machine = platform.machine()
    for architecture in (_ARCHITECTURES.get(machine, machine), "amd64"):
        for child in children:
            child_platform = child.get("platform") or {}
            if (child_platform.get("os"), child_platform.get("architecture")) == ("linux", architecture):
                return str(child["digest"])
    raise Refused("the image index offers neither this machine's architecture nor linux/amd64")


def _platform_image(
    store: ImageStore, digest: str, manifest: dict[str, Any], document: dict[str, Any]
) -> PlatformImage:
    config = document.get("config") or {}
    digests = [layer["digest"] for layer in manifest["layers"]]
    pairs = zip(digests, document["rootfs"]["diff_ids"], strict=True)
    return PlatformImage(
        digest=digest,
        layers=tuple(
            Layer(path=store.blob_path(layer_digest), digest=layer_digest, diff_id=diff_id)
            for layer_digest, diff_id in pairs
        ),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        environment=dict(line.split("=", 1) for line in config.get("Env") or ()),
        working_directory=config.get("WorkingDir") or "/",
        labels=config.get("Labels") or {},
    )


def unpack(image: PlatformImage, root: Path) -> None:
    """Unpack the layers of an image, lowest first, into a new folder; leave nothing behind on failure.

    Raises:
        Refused: a layer is damaged, compressed in a way this Python cannot read, or would leave the folder.
    """
    root.mkdir(parents=True)
    try:
        for layer in image.layers:
            _unpack_layer(layer, root)
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise


def resolve_in_root(root: Path, path: str) -> Path:
    """Return where a path of the image is below its root, every link followed as if root were `/`.

    Raises:
        Refused: the path climbs above the root, or its links go in circles.
    """
    return _resolve_links(root, path)[0]


def _resolve_links(root: Path, path: str) -> tuple[Path, bool]:
    """Follow a path below root; tell as well whether a link was met."""
    remaining_parts = path.split("/")[::-1]
    resolved_parts: list[str] = []
    link_count = 0
    while remaining_parts:
        part = remaining_parts.pop()
        if part == ".." and not resolved_parts:
            raise Refused(f"{path!r} leads out of the image")
        if part == "..":
            resolved_parts.pop()
        elif part not in ("", "."):
            resolved_parts.append(part)
            current_path = root.joinpath(*resolved_parts)
            if current_path.is_symlink():
                link_count += 1
                resolved_parts = _follow_link(current_path, resolved_parts, remaining_parts)
        if link_count > _MAX_LINKS:
            raise Refused(f"{path!r} goes through too many links")
    return root.joinpath(*resolved_parts), link_count > 0


def _follow_link(link: Path, resolved_parts: list[str], remaining_parts: list[str]) -> list[str]:
    """Put a link's target on the list of parts to walk; return the parts from which that walk starts."""
    target = os.readlink(link)  # noqa: PTH115 - Path.readlink would tidy the text up
    remaining_parts.extend(target.split("/")[::-1])
    return [] if target.startswith("/") else resolved_parts[:-1]


def _unpack_layer(layer: Layer, root: Path) -> None:
    with layer.path.open("rb") as blob:
        blob_reader = _HashingReader(blob)
        tar_reader = _HashingReader(_decompress(blob_reader))
        try:
            with tarfile.open(fileobj=tar_reader, mode="r|", errorlevel=2) as archive:
                _LayerExtractor(archive, root).run()
            tar_reader.drain()
            blob_reader.drain()
        except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
            raise Refused(f"layer {layer.digest} cannot be unpacked: {error}") from error
    if blob_reader.digest != layer.digest:
        raise Refused(f"layer {layer.digest} is damaged: its bytes are {blob_reader.digest}")
    if tar_reader.digest != layer.diff_id:
        raise Refused(f"layer {layer.digest} holds {tar_reader.digest}, its configuration promises {layer.diff_id}")


class _HashingReader(io.RawIOBase):
    """A stream that knows the digest of what has been read from it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._pushed_back = b""

    @property
    def digest(self) -> str:
        return "sha256:" + self._hash.hexdigest()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._pushed_back:
            content, self._pushed_back = self._pushed_back[:size], self._pushed_back[size:]
            return content
        content = self._stream.read(size)
        self._hash.update(content)
        return content

    def peek(self, size: int) -> bytes:
        self._pushed_back = self.read(size)
        return self._pushed_back

    def drain(self) -> None:
        while self.read(1 << 20):
            pass


def _decompress(stream: _HashingReader) -> IO[bytes]:
    """Open what a layer holds, judged by its first bytes: media types are often wrong, these never."""
    magic = stream.peek(4)
    if magic.startswith(b"\x1f\x8b"):
        import gzip

        return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]  # reads are all that is needed
    if magic == b"\x28\xb5\x2f\xfd":
        return _open_zstd(stream)
    return stream  # type: ignore[return-value]  # reads are all that is needed


def _open_zstd(stream: _HashingReader) -> IO[bytes]:
    try:
        from compression import zstd  # type: ignore[import-not-found]
    except ImportError:
        raise Refused(
            "a layer is compressed with zstd, which this Python cannot read",
            hint="push the image with gzip layers, or run the local cloud on Python 3.14 or later",
        ) from None
    reader: IO[bytes] = zstd.open(stream)
    return reader


class _LayerExtractor:
    """One layer being laid over what the layers below it left."""

    def __init__(self, archive: tarfile.TarFile, root: Path) -> None:
        self._archive = archive
        self._root = root
        self._own_paths: set[Path] = {root}

    def run(self) -> None:
        for member in self._archive:
            parts = _split_entry_name(member.name)
            if parts:
                self._extract_member(member, parts)

    def _extract_member(self, member: tarfile.TarInfo, parts: list[str]) -> None:
        *parents, name = parts
        if name.startswith(_WHITEOUT_PREFIX):
            self._apply_whiteout(parents, name)
            return
        path = self._ensure_folder(parents) / name
        if not (member.isdir() and _is_real_folder(path)):
            _remove(path)
        self._create(member, path)
        self._own_paths.add(path)

    def _create(self, member: tarfile.TarInfo, path: Path) -> None:
        if member.isdir():
            path.mkdir(exist_ok=True)
            path.chmod(member.mode & 0o777 | 0o700)  # its owner must be able to fill it and to remove it again
        elif member.issym():
            path.symlink_to(member.linkname)
        elif member.islnk():
            self._create_hard_link(member, path)
        elif member.isreg():
            self._create_file(member, path)
        else:
            raise Refused(f"{member.name!r} is a device or a pipe: a layer may not bring one")

    def _create_file(self, member: tarfile.TarInfo, path: Path) -> None:
        content = self._archive.extractfile(member)
        assert content is not None
        with path.open("xb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
        path.chmod(member.mode & 0o777 | 0o600)  # never set-user-id: nobody but this user runs it
        os.utime(path, (member.mtime, member.mtime))

    def _create_hard_link(self, member: tarfile.TarInfo, path: Path) -> None:
        *parents, name = _split_entry_name(member.linkname) or [""]
        target = _resolve_links(self._root, "/".join(parents))[0] / name
        if target.is_symlink():
            path.symlink_to(os.readlink(target))  # noqa: PTH115 - as above
        elif target.is_file():
            path.hardlink_to(target)
        else:
            raise Refused(f"{member.name!r} is a hard link to {member.linkname!r}, which is no file of the image")

    def _ensure_folder(self, parts: list[str]) -> Path:
        """Find the folder that entries go into; make what is missing, but never beyond a link."""
        directory, has_links = _resolve_links(self._root, "/".join(parts))
        if has_links and not directory.is_dir():
            raise Refused(f"{'/'.join(parts)!r} is a link to nothing inside the image, and a layer writes through it")
        directory.mkdir(parents=True, exist_ok=True)
        for folder in (directory, *directory.parents):
            if folder in self._own_paths:
                break
            self._own_paths.add(folder)
        return directory

    def _apply_whiteout(self, parents: list[str], name: str) -> None:
        folder = _resolve_links(self._root, "/".join(parents))[0]
        hidden_name = name.removeprefix(_WHITEOUT_PREFIX)
        if name == _OPAQUE_WHITEOUT:
            self._hide_children(folder)
        elif hidden_name in ("", ".", ".."):
            raise Refused(f"{name!r} is not a whiteout of anything")
        elif not name.startswith(_RESERVED_PREFIX):
            self._hide(folder / hidden_name)

    def _hide(self, path: Path) -> None:
        """Remove what lower layers brought: a whiteout says nothing of its own layer's entries."""
        if path not in self._own_paths:
            _remove(path)
        elif _is_real_folder(path):
            self._hide_children(path)

    def _hide_children(self, folder: Path) -> None:
        for child in _children(folder):
            self._hide(child)


def _split_entry_name(name: str) -> list[str]:
    """Split an entry's name; `./` in front is what many tools write."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise Refused(f"{name!r} leads out of the image")
    return parts


def _children(folder: Path) -> Iterator[Path]:
    return iter(list(folder.iterdir())) if _is_real_folder(folder) else iter(())


def _is_real_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _remove(path: Path) -> None:
    if _is_real_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
