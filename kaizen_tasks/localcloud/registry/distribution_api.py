"""The registry on `/v2/`: the OCI distribution specification 1.1 as ECR offers it."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import attrs

from kaizen_tasks.localcloud.ecr.layers import DOWNLOADS
from kaizen_tasks.localcloud.registry.blobs import (
    DigestMismatchError,
    UnknownUploadError,
    UploadOffsetError,
    read_range,
)
from kaizen_tasks.localcloud.registry.manifests import (
    LARGEST,
    OCI_INDEX,
    ManifestError,
    UnsupportedManifestError,
    is_digest,
    manifest_from,
    references,
)
from kaizen_tasks.localcloud.registry.store import (
    ImageExistsError,
    ImageStore,
    InvalidTagError,
    MissingChildrenError,
    MissingLayersError,
    TagProtectedError,
    UnknownRepositoryError,
)
from kaizen_tasks.localcloud.server.auth import Tokens
from kaizen_tasks.localcloud.server.http_message import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.localcloud.registry.blobs import Upload
    from kaizen_tasks.localcloud.registry.repositories import Image, Repository
    from kaizen_tasks.localcloud.server.http_message import Call

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = rf"(?P<name>{_PART}(?:/{_PART})*)"
_ROUTES = tuple(
    (methods.split(), re.compile(rf"/v2/{_NAME}/{path}"), handler)
    for methods, path, handler in (
        ("GET HEAD", r"blobs/(?P<digest>[^/]+)", "get_blob"),
        ("POST", r"blobs/uploads/?", "begin_upload"),
        ("GET", r"blobs/uploads/(?P<upload>[^/]+)", "show_upload"),
        ("PATCH", r"blobs/uploads/(?P<upload>[^/]+)", "continue_upload"),
        ("PUT", r"blobs/uploads/(?P<upload>[^/]+)", "finish_upload"),
        ("DELETE", r"blobs/uploads/(?P<upload>[^/]+)", "cancel_upload"),
        ("GET HEAD", r"manifests/(?P<reference>[^/]+)", "get_manifest"),
        ("PUT", r"manifests/(?P<reference>[^/]+)", "put_manifest"),
        ("DELETE", r"manifests/(?P<reference>[^/]+)", "delete_manifest"),
        ("GET", r"tags/list", "list_tags"),
        ("GET", r"referrers/(?P<digest>[^/]+)", "list_referrers"),
    )
)
_REFUSALS: dict[type[Exception], tuple[int, str]] = {
    UnknownRepositoryError: (404, "NAME_UNKNOWN"),
    UnknownUploadError: (404, "BLOB_UPLOAD_UNKNOWN"),
    DigestMismatchError: (400, "DIGEST_INVALID"),
    UploadOffsetError: (416, "BLOB_UPLOAD_INVALID"),
    InvalidTagError: (400, "TAG_INVALID"),
    TagProtectedError: (400, "TAG_INVALID"),
    MissingLayersError: (400, "MANIFEST_BLOB_UNKNOWN"),
    MissingChildrenError: (400, "MANIFEST_BLOB_UNKNOWN"),
    UnsupportedManifestError: (405, "UNSUPPORTED"),
    ManifestError: (400, "MANIFEST_INVALID"),
}
_TAGS_PER_PAGE = 1000


class RegistryError(Exception):
    """A refusal of the distribution specification.

    Args:
        status: the HTTP status.
        code: for example `BLOB_UNKNOWN`.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@attrs.frozen(kw_only=True)
class Registry:
    """Push and pull.

    Args:
        store: what the registry keeps.
        tokens: tells genuine passwords.
        endpoint: where it is, for the challenge.
    """

    store: ImageStore
    tokens: Tokens
    endpoint: str

    def answer(self, call: Call) -> Reply:
        """Answer a call below `/v2/`, or one for a layer's download address."""
        try:
            reply = self._dispatch(call)
        except RegistryError as error:
            reply = _refuse(error.status, error.code, str(error))
        except tuple(_REFUSALS) as error:
            status, code = next(how for kind, how in _REFUSALS.items() if isinstance(error, kind))
            reply = _refuse(status, code, str(error))
        return _without_body(reply) if call.method == "HEAD" else reply

    def _dispatch(self, call: Call) -> Reply:
        if call.path.startswith(DOWNLOADS):
            return self._download(call)
        if not self.tokens.admits(call.header("Authorization")):
            return self._challenge()
        if call.path == "/v2/":
            return Reply.document(200, {}, headers=_VERSION)
        return self._route(call)

    def _route(self, call: Call) -> Reply:
        found = [
            (methods, handler, match.groupdict())
            for methods, pattern, handler in _ROUTES
            if (match := pattern.fullmatch(call.path))
        ]
        for methods, handler, parts in found:
            if call.method in methods:
                repository = self.store.repository(parts.pop("name"))
                reply: Reply = getattr(self, f"_{handler}")(call, repository, **parts)
                return reply
        raise RegistryError(405 if found else 404, "UNSUPPORTED", f"{call.method} {call.path} is not offered")

    def _challenge(self) -> Reply:
        realm = f'Basic realm="{self.endpoint}/",service="ecr.amazonaws.com"'
        return _refuse(401, "UNAUTHORIZED", "Not Authorized", headers={**_VERSION, "WWW-Authenticate": realm})

    def _download(self, call: Call) -> Reply:
        digest = call.path.removeprefix(DOWNLOADS)
        if not is_digest(digest) or not self.tokens.opens(digest, call.query.get("token", "")):
            raise RegistryError(403, "DENIED", "the address has expired or was not issued here")
        return self._blob(call, digest)

    def _get_blob(self, call: Call, repository: Repository, digest: str) -> Reply:
        if digest not in repository.layers:
            raise RegistryError(404, "BLOB_UNKNOWN", f"no blob {digest} in {repository.name}")
        return self._blob(call, digest)

    def _blob(self, call: Call, digest: str) -> Reply:
        path = self.store.blob_path(digest)
        if not path.exists():
            raise RegistryError(404, "BLOB_UNKNOWN", f"no blob {digest}")
        size = self.store.blobs.size(digest)
        start, end = _range(call.header("Range"), size)
        partial = {"Content-Range": f"bytes {start}-{end}/{size}"} if call.header("Range") else {}
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(end - start + 1),
            "Accept-Ranges": "bytes",
            "Docker-Content-Digest": digest,
            **partial,
        }
        body = b"" if call.method == "HEAD" else read_range(path, start, end - start + 1)
        return Reply(status=206 if partial else 200, headers=headers, body=body)

    def _begin_upload(self, call: Call, repository: Repository) -> Reply:
        mount, source = call.query.get("mount", ""), call.query.get("from", "")
        if is_digest(mount) and self.store.mount(repository.name, mount, source=source):
            return _created(f"/v2/{repository.name}/blobs/{mount}", mount)
        identifier = self.store.blobs.begin(repository.name)
        if "digest" in call.query:
            return self._finish_upload(call, repository, identifier)
        return self._progress(repository, identifier)

    def _show_upload(self, _call: Call, repository: Repository, upload: str) -> Reply:
        return self._progress(repository, upload, status=204)

    def _continue_upload(self, call: Call, repository: Repository, upload: str) -> Reply:
        session = self.store.blobs.upload(repository.name, upload)
        try:
            session.append(call.body, offset=_offset(call.header("Content-Range")))
        except UploadOffsetError:
            return self._progress(repository, upload, status=416)
        return self._progress(repository, upload)

    def _finish_upload(self, call: Call, repository: Repository, upload: str) -> Reply:
        digest = call.query.get("digest", "")
        if not is_digest(digest):
            raise RegistryError(400, "DIGEST_INVALID", f"'{digest}' is not a sha256 digest")
        session = self.store.blobs.upload(repository.name, upload)
        session.append(call.body, offset=_offset(call.header("Content-Range")))
        self.store.add_layer(repository.name, upload, digest)
        return _created(f"/v2/{repository.name}/blobs/{digest}", digest)

    def _cancel_upload(self, _call: Call, repository: Repository, upload: str) -> Reply:
        self.store.blobs.cancel(repository.name, upload)
        return Reply(status=204)

    def _progress(self, repository: Repository, identifier: str, *, status: int = 202) -> Reply:
        upload: Upload = self.store.blobs.upload(repository.name, identifier)
        headers = {
            "Location": f"/v2/{repository.name}/blobs/uploads/{identifier}",
            "Range": f"0-{max(upload.size - 1, 0)}",
            "Docker-Upload-UUID": identifier,
        }
        return Reply(status=status, headers=headers)

    def _get_manifest(self, _call: Call, repository: Repository, reference: str) -> Reply:
        digest = _known(repository, reference)
        manifest = self.store.manifest(repository.name, digest)
        headers = {"Content-Type": manifest.media_type, "Docker-Content-Digest": digest}
        return Reply(status=200, headers=headers, body=manifest.content)

    def _put_manifest(self, call: Call, repository: Repository, reference: str) -> Reply:
        manifest = manifest_from(_manifest_bytes(call), call.header("Content-Type"))
        tag = None if ":" in reference else reference
        if tag is None and reference != manifest.digest:
            raise RegistryError(400, "DIGEST_INVALID", f"the manifest's digest is {manifest.digest}")
        with suppress(ImageExistsError):  # to push what is there already is no error here
            self.store.put(repository.name, manifest, tag)
        subject = references(manifest).subject
        return _created(
            f"/v2/{repository.name}/manifests/{manifest.digest}",
            manifest.digest,
            **({"OCI-Subject": subject} if subject else {}),
        )

    def _delete_manifest(self, _call: Call, repository: Repository, reference: str) -> Reply:
        digest = _known(repository, reference)
        if reference == digest:
            self.store.delete_image(repository.name, digest)
        else:
            self.store.untag(repository.name, reference)
        return Reply(status=202)

    def _list_tags(self, call: Call, repository: Repository) -> Reply:
        last, text = call.query.get("last", ""), call.query.get("n", str(_TAGS_PER_PAGE))
        if not (text.isascii() and text.isdigit()):
            raise RegistryError(400, "PAGINATION_NUMBER_INVALID", f"'{text}' is not a number")
        rest, count = [tag for tag in sorted(repository.tags) if tag > last], int(text)
        chosen = rest[:count]
        reply = Reply.document(200, {"name": repository.name, "tags": chosen})
        if not chosen or len(rest) == len(chosen):
            return reply
        more = f"</v2/{repository.name}/tags/list?{urlencode({'n': count, 'last': chosen[-1]})}>"
        return attrs.evolve(reply, headers={**reply.headers, "Link": f'{more}; rel="next"'})

    def _list_referrers(self, call: Call, repository: Repository, digest: str) -> Reply:
        wanted = call.query.get("artifactType")
        images = [image for image in repository.images.values() if image.subject == digest]
        entries = [self._referrer(repository, image) for image in images if wanted in (None, image.artifact_type)]
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
        filtered = {"OCI-Filters-Applied": "artifactType"} if wanted else {}
        return Reply.document(200, document, kind=OCI_INDEX, headers=filtered)

    def _referrer(self, repository: Repository, image: Image) -> Mapping[str, object]:
        content = self.store.manifest(repository.name, image.digest).content
        annotations = json.loads(content).get("annotations")
        return {
            "mediaType": image.media_type,
            "digest": image.digest,
            "size": len(content),
            "artifactType": image.artifact_type,
            **({"annotations": annotations} if annotations else {}),
        }


_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


def _refuse(status: int, code: str, message: str, *, headers: Mapping[str, str] = _VERSION) -> Reply:
    return Reply.document(status, {"errors": [{"code": code, "message": message}]}, headers=headers)


def _without_body(reply: Reply) -> Reply:
    if not isinstance(reply.body, bytes):
        return reply
    length = reply.headers.get("Content-Length", str(len(reply.body)))
    return attrs.evolve(reply, headers={**reply.headers, "Content-Length": length}, body=b"")


def _created(location: str, digest: str, **headers: str) -> Reply:
    return Reply(status=201, headers={"Location": location, "Docker-Content-Digest": digest, **headers})


def _known(repository: Repository, reference: str) -> str:
    digest = repository.resolve(reference)
    if digest is None:
        raise RegistryError(404, "MANIFEST_UNKNOWN", f"no manifest {reference} in {repository.name}")
    return digest


def _manifest_bytes(call: Call) -> bytes:
    content = bytearray()
    while part := call.body.read(1 << 16):
        content += part
        if len(content) > LARGEST:
            raise RegistryError(413, "SIZE_INVALID", f"a manifest has at most {LARGEST} bytes")
    return bytes(content)


def _offset(content_range: str) -> int | None:
    """Return where an upload's part begins (distribution specification, "Pushing a blob in chunks")."""
    match = re.fullmatch(r"(?:bytes[ =])?(\d+)-\d+(?:/.*)?", content_range)
    return int(match[1]) if match else None


def _range(header: str, size: int) -> tuple[int, int]:
    """Return the first and the last byte that a `Range` asks for (RFC 9110, section 14.2)."""
    if not header:
        return 0, size - 1
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header)
    if match is None or not (match[1] or match[2]):
        raise RegistryError(416, "RANGE_INVALID", f"the range '{header}' is not understood")
    start = int(match[1]) if match[1] else max(size - int(match[2]), 0)
    end = min(int(match[2]), size - 1) if match[1] and match[2] else size - 1
    if start > end:
        raise RegistryError(416, "RANGE_INVALID", f"there are {size} bytes")
    return start, end
