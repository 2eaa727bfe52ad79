"""Images of the store: their configuration, and their layers unpacked into a folder.

Layers are not trusted. No entry may reach outside the folder that it is unpacked into, so every path is resolved here,
link by link, as if that folder were the root of the file system.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import platform
import shutil
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import attrs

from kaizen_tasks.errors import Refused
from kaizen_tasks.localcloud.registry.manifests import (
    DOCKER_INDEX,
    MAX_CONFIG_BYTES,
    OCI_INDEX,
    algorithm_of,
    digest_of,
)
from kaizen_tasks.localcloud.registry.registry_errors import RegistryError

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.registry.store import ImageStore
    from kaizen_tasks.localcloud.server.http_message import JsonObject

MAX_UNPACKED_BYTES = 16 << 30
MAX_ENTRIES = 1_000_000
MAX_DEPTH = 256
MAX_HEADER_BYTES = 1 << 20
"""Limits of what the layers of one image unpack to: bytes, entries, folders in a path, bytes of an extended header."""

_EXTENDED_HEADERS = frozenset(
    {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
)
_ARCHITECTURES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}
_MAX_LINKS = 40  # the same as Linux, path_resolution(7)
_WHITEOUT_PREFIX = ".wh."
_OPAQUE_WHITEOUT = ".wh..wh..opq"
_RESERVED_PREFIX = ".wh..wh."


@attrs.frozen(kw_only=True)
class Layer:
    """A layer: its file, the digest of the file, and the digest of the uncompressed tar archive."""

    path: Path
    digest: str
    diff_id: str


@attrs.frozen(kw_only=True)
class PlatformImage:
    """The configuration and layers of an image for one platform."""

    digest: str
    layers: tuple[Layer, ...]
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    working_directory: str
    labels: Mapping[str, str]
    exposed_ports: tuple[int, ...] = ()


def read_image(store: ImageStore, repository: str, digest: str) -> PlatformImage:
    """Return an image by its digest; of an index, the image for this machine's platform.

    Raises:
        Refused: the image or a part of it is missing or invalid.
    """
    try:
        return _read_image(store, repository, digest)
    except (RegistryError, KeyError, TypeError, ValueError, AttributeError, OSError, RecursionError) as error:
        raise Refused(f"{repository}@{digest} is not a usable image: {type(error).__name__}: {error}") from error


def _read_image(store: ImageStore, repository: str, digest: str) -> PlatformImage:
    manifest = store.manifest(repository, digest)
    document = json.loads(manifest.content)
    if document.get("mediaType", manifest.media_type) in (OCI_INDEX, DOCKER_INDEX):
        return _read_image(store, repository, _select_platform(document["manifests"]))
    config_digest = document["config"]["digest"]
    if store.blobs.size(config_digest) > MAX_CONFIG_BYTES:
        raise Refused(f"{repository}@{digest}: the configuration has more than {MAX_CONFIG_BYTES} bytes")
    blob = store.blobs.path(config_digest).read_bytes()
    if digest_of(blob, algorithm_of(config_digest)) != config_digest:
        raise Refused(f"{repository}@{digest}: the stored configuration does not match its digest")
    return _platform_image(store, digest, document, json.loads(blob))


def _select_platform(children: list[JsonObject]) -> str:
    """Return linux on this machine's architecture, or else amd64, which App Runner runs."""
    machine = platform.machine()
    for architecture in (_ARCHITECTURES.get(machine, machine), "amd64"):
        for child in children:
            child_platform = child.get("platform") or {}
            if (child_platform.get("os"), child_platform.get("architecture")) == ("linux", architecture):
                return str(child["digest"])
    raise Refused("the image index has neither this machine's architecture nor linux/amd64")


def _platform_image(store: ImageStore, digest: str, manifest: JsonObject, document: JsonObject) -> PlatformImage:
    config = document.get("config") or {}
    digests = [layer["digest"] for layer in manifest["layers"]]
    pairs = zip(digests, document["rootfs"]["diff_ids"], strict=True)
    return PlatformImage(
        digest=digest,
        layers=tuple(
            Layer(path=store.blobs.path(layer_digest), digest=layer_digest, diff_id=diff_id)
            for layer_digest, diff_id in pairs
        ),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        environment=dict(line.split("=", 1) for line in config.get("Env") or ()),
        working_directory=config.get("WorkingDir") or "/",
        labels=config.get("Labels") or {},
        exposed_ports=_tcp_ports(config.get("ExposedPorts") or {}),
    )


def _tcp_ports(exposed_ports: Mapping[str, object]) -> tuple[int, ...]:
    """Return the ports of `8080/tcp` and the like, lowest first."""
    pairs = (text.partition("/") for text in exposed_ports)
    return tuple(sorted(int(port) for port, _, protocol in pairs if protocol in ("", "tcp")))


def unpack(image: PlatformImage, root: Path) -> None:
    """Unpack the layers of an image, lowest first, into a new folder; leave nothing behind on failure.

    Raises:
        Refused: a layer is damaged, its compression is not supported, it would write outside the folder, or the image
            unpacks to more than the limits allow.
    """
    root.mkdir(parents=True)
    allowance = _Allowance()
    try:
        for layer in image.layers:
            _unpack_layer(layer, root, allowance)
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise


def resolve_in_root(root: Path, path: str) -> Path:
    """Return the path of a file of the image below its root, with links resolved as if root were `/`.

    Raises:
        Refused: the path leaves the root, or its links are circular.
    """
    return _resolve_links(root, path)[0]


def _resolve_links(root: Path, path: str) -> tuple[Path, bool]:
    """Resolve a path below root; return as well whether it has links."""
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
    """Add a link's target to the remaining parts; return the parts from which it is resolved."""
    target = os.readlink(link)  # noqa: PTH115 - Path.readlink normalises the path
    remaining_parts.extend(target.split("/")[::-1])
    return [] if target.startswith("/") else resolved_parts[:-1]


@attrs.define
class _Allowance:
    """What the layers of an image may still unpack to."""

    bytes: int = attrs.field(factory=lambda: MAX_UNPACKED_BYTES)
    entries: int = attrs.field(factory=lambda: MAX_ENTRIES)

    def spend_bytes(self, count: int) -> None:
        self.bytes -= count
        if self.bytes < 0:
            raise Refused(f"the image unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")

    def spend_entry(self) -> None:
        self.entries -= 1
        if self.entries < 0:
            raise Refused(f"the image has more than {MAX_ENTRIES:,} files and folders")


class _BoundedTarInfo(tarfile.TarInfo):
    """An entry whose extended header is not read into memory if it is too large."""

    def _proc_member(self, tarfile: tarfile.TarFile) -> Any:
        if self.type in _EXTENDED_HEADERS and self.size > MAX_HEADER_BYTES:
            raise Refused(f"a layer has an extended header of {self.size:,} bytes")
        return super()._proc_member(tarfile)  # type: ignore[misc]  # the stubs lack it


def _unpack_layer(layer: Layer, root: Path, allowance: _Allowance) -> None:
    with layer.path.open("rb") as file:
        blob = _HashingReader(file, algorithm_of(layer.digest))
        stream = _decompress(io.BufferedReader(blob))
        tar = _HashingReader(stream, algorithm_of(layer.diff_id), on_read=allowance.spend_bytes)
        try:
            with tarfile.open(
                fileobj=io.BufferedReader(tar), mode="r|", errorlevel=2, tarinfo=_BoundedTarInfo
            ) as archive:
                _LayerExtractor(archive, root, allowance).run()
            tar.drain()
            blob.drain()
        except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
            raise Refused(f"layer {layer.digest} cannot be unpacked: {error}") from error
    if blob.digest != layer.digest:
        raise Refused(f"layer {layer.digest} is damaged: its bytes are {blob.digest}")
    if tar.digest != layer.diff_id:
        raise Refused(f"layer {layer.digest} contains {tar.digest}, but its configuration names {layer.diff_id}")


class _HashingReader(io.RawIOBase):
    """A stream with the digest of the bytes read from it."""

    def __init__(
        self, stream: IO[bytes], algorithm: str, *, on_read: Callable[[int], None] = lambda _count: None
    ) -> None:
        self._stream = stream
        self._on_read = on_read
        self._algorithm = algorithm
        self._hash = hashlib.new(algorithm)

    @property
    def digest(self) -> str:
        return f"{self._algorithm}:{self._hash.hexdigest()}"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # Any: the buffer protocol has no name before Python 3.12
        content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        self._hash.update(content)
        self._on_read(len(content))
        return len(content)

    def drain(self) -> None:
        while self.read(1 << 20):
            pass


def _decompress(stream: io.BufferedReader) -> IO[bytes]:
    """Decompress a layer by its first bytes, as media types are often wrong."""
    magic = stream.peek(4)
    if magic.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
    return _open_zstd(stream) if magic.startswith(b"\x28\xb5\x2f\xfd") else stream


def _open_zstd(stream: io.BufferedReader) -> IO[bytes]:
    try:
        from compression import zstd  # type: ignore[import-not-found]
    except ImportError:
        raise Refused(
            "a layer is compressed with zstd, which this Python cannot read",
            hint="push the image with gzip layers, or run the local cloud on Python 3.14 or later",
        ) from None
    return cast("IO[bytes]", zstd.open(stream))


class _LayerExtractor:
    """Extracts one layer over the lower ones."""

    def __init__(self, archive: tarfile.TarFile, root: Path, allowance: _Allowance) -> None:
        self._archive = archive
        self._allowance = allowance
        self._root = root
        self._own_paths: set[Path] = {root}

    def run(self) -> None:
        while (member := self._archive.next()) is not None:
            cast("Any", self._archive).members.clear()  # which would keep all of them in memory
            self._allowance.spend_entry()
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
            path.chmod(member.mode & 0o777 | 0o700)  # its owner must be able to fill and to delete it
        elif member.issym():
            path.symlink_to(member.linkname)
        elif member.islnk():
            self._create_hard_link(member, path)
        elif member.isreg():
            self._create_file(member, path)
        else:
            raise Refused(f"{member.name!r} is a device or a pipe, which are not allowed in layers")

    def _create_file(self, member: tarfile.TarInfo, path: Path) -> None:
        content = self._archive.extractfile(member)
        assert content is not None
        if member.issparse():  # its holes are in no stream
            self._allowance.spend_bytes(member.size)
        with path.open("xb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
        path.chmod(member.mode & 0o777 | 0o600)  # without set-user-id
        os.utime(path, (member.mtime, member.mtime))

    def _create_hard_link(self, member: tarfile.TarInfo, path: Path) -> None:
        *parents, name = _split_entry_name(member.linkname) or [""]
        target = _resolve_links(self._root, "/".join(parents))[0] / name
        if target.is_symlink():
            path.symlink_to(os.readlink(target))  # noqa: PTH115 - as above
        elif target.is_file():
            path.hardlink_to(target)
        else:
            raise Refused(f"{member.name!r} is a hard link to {member.linkname!r}, which is not a file of the image")

    def _ensure_folder(self, parts: list[str]) -> Path:
        """Return the folder of an entry, created if missing, but not through a link."""
        directory, has_links = _resolve_links(self._root, "/".join(parts))
        if has_links and not directory.is_dir():
            raise Refused(f"{'/'.join(parts)!r} is a link to nothing in the image, and a layer writes through it")
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
        """Delete what is from lower layers; a whiteout does not apply to entries of its own layer."""
        if path not in self._own_paths:
            _remove(path)
        elif _is_real_folder(path):
            self._hide_children(path)

    def _hide_children(self, folder: Path) -> None:
        for child in list(folder.iterdir()) if _is_real_folder(folder) else ():
            self._hide(child)


def _split_entry_name(name: str) -> list[str]:
    """Return the parts of an entry's name, without a leading `./`."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise Refused(f"{name!r} leads out of the image")
    if len(parts) > MAX_DEPTH:
        raise Refused(f"{'/'.join(parts[:3])!r}… is more than {MAX_DEPTH} folders deep")
    return parts


def _is_real_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _remove(path: Path) -> None:
    if _is_real_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
