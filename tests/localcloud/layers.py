"""Images made of a few tar entries, valid and malicious ones."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import tarfile
import time
from typing import TYPE_CHECKING, Any

import attrs

from kaizen_tasks.localcloud.registry.manifests import OCI_INDEX, OCI_MANIFEST, RawManifest, digest_of
from kaizen_tasks.localcloud.registry.repositories import ImageRepository
from kaizen_tasks.localcloud.registry.store import ImageStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


BUNDLE = {"dev.kaizen.image": "bundle"}
SERVER = """
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        names = ("APP_VERSION", "ENVIRONMENT", "AWS_SECRET_ACCESS_KEY")
        body = json.dumps({name: os.environ.get(name) for name in names} | {"pid": os.getpid()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

print("listening as", os.environ.get("APP_VERSION"), "in", os.getcwd())
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def file(name: str, content: bytes = b"", mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    """Describe a regular file."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), mode, 1_700_000_000
    return entry, content


def special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    """Describe a folder, a link, a device or a pipe."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.mode = kind, target, 0o755
    return entry, b""


def folder(name: str) -> tuple[tarfile.TarInfo, bytes]:
    """Describe a folder."""
    return special(name, tarfile.DIRTYPE)


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    """Describe a symbolic link."""
    return special(name, tarfile.SYMTYPE, target)


def hard_link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    """Describe a hard link."""
    return special(name, tarfile.LNKTYPE, target)


def archive(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Write entries as a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry, content in entries:
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class Images:
    """Makes images; subclasses store them."""

    def repository(self, name: str) -> None:
        """Add a repository."""
        raise NotImplementedError

    def blob(self, repository: str, content: bytes) -> str:
        """Add a blob to a repository and return its digest."""
        raise NotImplementedError

    def manifest(self, repository: str, document: Mapping[str, Any], tag: str | None = None) -> str:
        """Add a manifest to a repository and return its digest."""
        raise NotImplementedError

    def image(
        self,
        repository: str,
        archives: Iterable[bytes],
        *,
        tag: str | None = None,
        config: Mapping[str, Any] | None = None,
        compress: bool = True,
        diff_ids: list[str] | None = None,
    ) -> str:
        """Add an image made of tar archives."""
        plain = list(archives)
        stored = [gzip.compress(content, mtime=0) if compress else content for content in plain]
        rootfs = {"type": "layers", "diff_ids": diff_ids or [digest_of(content) for content in plain]}
        document = {"architecture": "amd64", "os": "linux", "config": config or {}, "rootfs": rootfs}
        return self.manifest(
            repository,
            {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": self._descriptor(repository, json.dumps(document).encode(), "config.v1+json"),
                "layers": [self._descriptor(repository, content, "layer.v1.tar") for content in stored],
            },
            tag,
        )

    def index(self, repository: str, children: Mapping[str, str]) -> str:
        """Add an index: digests by `os/architecture`."""
        manifests = [
            {
                "mediaType": OCI_MANIFEST,
                "digest": digest,
                "size": 1,
                "platform": dict(zip(("os", "architecture"), platform.split("/"), strict=True)),
            }
            for platform, digest in children.items()
        ]
        return self.manifest(repository, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})

    def app(self, repository: str, version: str, *, script: str = SERVER, tag: str = "latest") -> str:
        """Add a bundle that runs a Python script with APP_VERSION."""
        return self.image(
            repository,
            [archive(folder("app"), file("app/server.py", script.encode()))],
            tag=tag,
            config={
                "Cmd": ["python", "/app/server.py"],
                "Env": [f"APP_VERSION={version}", "PATH=/usr/bin"],
                "WorkingDir": "/app",
                "Labels": BUNDLE,
            },
        )

    def _descriptor(self, repository: str, content: bytes, kind: str) -> dict[str, Any]:
        media_type = f"application/vnd.oci.image.{kind}"
        return {"mediaType": media_type, "digest": self.blob(repository, content), "size": len(content)}


@attrs.frozen
class Shelf(Images):
    """Images that are put directly into a store."""

    store: ImageStore

    def repository(self, name: str) -> None:
        """Add a repository."""
        self.store.create_repository(ImageRepository(name=name, created_at=time.time()))

    def blob(self, repository: str, content: bytes) -> str:
        """Add a blob to a repository."""
        digest = digest_of(content)
        upload = self.store.blobs.start_upload(repository)
        self.store.blobs.get_upload(repository, upload).append(io.BytesIO(content))
        self.store.add_layer(repository, upload, digest)
        return digest

    def manifest(self, repository: str, document: Mapping[str, Any], tag: str | None = None) -> str:
        """Add a manifest to a repository."""
        content = json.dumps(document).encode()
        manifest = RawManifest(content=content, media_type=document["mediaType"], digest=digest_of(content))
        self.store.put_image(repository, manifest, tag)
        return manifest.digest


@attrs.frozen
class Pushed(Images):
    """Images that are pushed by ECR's API."""

    ecr: Any

    def repository(self, name: str) -> None:
        """Add a repository."""
        self.ecr.create_repository(repositoryName=name)

    def blob(self, repository: str, content: bytes) -> str:
        """Upload a blob in one part."""
        digest = digest_of(content)
        upload = self.ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
        part = {"repositoryName": repository, "uploadId": upload}
        self.ecr.upload_layer_part(**part, partFirstByte=0, partLastByte=len(content) - 1, layerPartBlob=content)
        with contextlib.suppress(self.ecr.exceptions.LayerAlreadyExistsException):
            self.ecr.complete_layer_upload(**part, layerDigests=[digest])
        return digest

    def manifest(self, repository: str, document: Mapping[str, Any], tag: str | None = None) -> str:
        """Put a manifest."""
        content = json.dumps(document)
        arguments = {} if tag is None else {"imageTag": tag}
        self.ecr.put_image(
            repositoryName=repository,
            imageManifest=content,
            imageManifestMediaType=document["mediaType"],
            **arguments,
        )
        return digest_of(content.encode())
