"""The registry's HTTP API below `/v2/`: the OCI distribution specification 1.1 as ECR implements it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import attrs

from kaizen_tasks.localcloud.iam.policy_document import PolicyRequest, is_permitted
from kaizen_tasks.localcloud.registry.blobs import read_range
from kaizen_tasks.localcloud.registry.manifests import (
    MAX_MANIFEST_BYTES,
    OCI_INDEX,
    SHA256,
    algorithm_of,
    is_digest,
    parse_manifest,
    parse_references,
)
from kaizen_tasks.localcloud.registry.registry_errors import (
    ImageExistsError,
    RegistryError,
    UnknownRepositoryError,
    UploadOffsetError,
)
from kaizen_tasks.localcloud.registry.store import ImageStore
from kaizen_tasks.localcloud.server.auth import LoginStatus, Tokens
from kaizen_tasks.localcloud.server.http_message import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kaizen_tasks.localcloud.registry.blobs import Upload
    from kaizen_tasks.localcloud.registry.repositories import ImageRecord, ImageRepository
    from kaizen_tasks.localcloud.server.http_message import HttpRequest

LAYER_DOWNLOAD_PREFIX = "/_kaizen/layers/"
"""Path of the layer addresses that ECR's GetDownloadUrlForLayer returns."""

_NAME_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY_NAME = rf"(?P<name>{_NAME_COMPONENT}(?:/{_NAME_COMPONENT})*)"
_ROUTES = tuple(
    (methods.split(), re.compile(rf"/v2/{_REPOSITORY_NAME}/{path}"), handler, f"ecr:{action}")
    for methods, path, handler, action in (
        ("GET HEAD", r"blobs/(?P<digest>[^/]+)", "get_blob", "GetDownloadUrlForLayer"),
        ("POST", r"blobs/uploads/?", "begin_upload", "InitiateLayerUpload"),
        ("GET", r"blobs/uploads/(?P<upload>[^/]+)", "show_upload", "UploadLayerPart"),
        ("PATCH", r"blobs/uploads/(?P<upload>[^/]+)", "continue_upload", "UploadLayerPart"),
        ("PUT", r"blobs/uploads/(?P<upload>[^/]+)", "finish_upload", "CompleteLayerUpload"),
        ("DELETE", r"blobs/uploads/(?P<upload>[^/]+)", "cancel_upload", "UploadLayerPart"),
        ("GET HEAD", r"manifests/(?P<reference>[^/]+)", "get_manifest", "BatchGetImage"),
        ("PUT", r"manifests/(?P<reference>[^/]+)", "put_manifest", "PutImage"),
        ("DELETE", r"manifests/(?P<reference>[^/]+)", "delete_manifest", "BatchDeleteImage"),
        ("GET", r"tags/list", "list_tags", "ListImages"),
        ("GET", r"referrers/(?P<digest>[^/]+)", "list_referrers", "ListImageReferrers"),
    )
)
"""Methods, path, name of the handler and the action that a repository policy has to permit to other accounts."""

_TAGS_PER_PAGE = 1000
_REPOSITORIES_PER_PAGE = 100
_LIMIT_DIGITS = 9
_EXPIRED = "Your authorization token has expired. Reauthenticate and try again."


class DistributionError(RegistryError):
    """An error of the distribution specification.

    Args:
        status: the HTTP status.
        code: such as `BLOB_UNKNOWN`.
        message: the explanation for people.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code  # type: ignore[misc]  # other errors have one status and code a class


@attrs.frozen(kw_only=True)
class DistributionApi:
    """Answers pushes and pulls.

    Args:
        store: the registry's content.
        tokens: validates passwords.
        endpoint: the registry's URL, for authentication challenges.
        find_guest: returns the account that a login belongs to which another registry has issued, or an empty string.
    """

    store: ImageStore
    tokens: Tokens
    endpoint: str
    find_guest: Callable[[str], str] = lambda _authorization: ""

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer a request below `/v2/`, or for the download address of a layer."""
        try:
            response = self._dispatch(request)
        except RegistryError as error:
            response = self._error_response(error)
        return _strip_body(response) if request.method == "HEAD" else response

    def _error_response(self, error: RegistryError) -> HttpResponse:
        challenge = {"WWW-Authenticate": f'Basic realm="{self.endpoint}/",service="ecr.amazonaws.com"'}
        headers = {**_API_VERSION_HEADER, **(challenge if error.status == 401 else {})}
        document = {"errors": [{"code": error.code, "message": str(error)}]}
        return HttpResponse.json_response(error.status, document, headers=headers)

    def _dispatch(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(LAYER_DOWNLOAD_PREFIX):
            return self._download_layer(request)
        guest = self._check_login(request)
        if request.path == "/v2/":
            return HttpResponse.json_response(200, {}, headers=_API_VERSION_HEADER)
        if request.path == "/v2/_catalog" and request.method == "GET" and not guest:
            return self._list_repositories(request)
        return self._route(request, guest)

    def _route(self, request: HttpRequest, guest: str) -> HttpResponse:
        routes = [
            (methods, handler, action, match.groupdict())
            for methods, pattern, handler, action in _ROUTES
            if (match := pattern.fullmatch(request.path))
        ]
        for methods, handler, action, path_parameters in routes:
            if request.method in methods:
                name = path_parameters.pop("name")
                if guest:
                    self._check_policy(name, guest, action)
                repository = self.store.repository(name)
                response: HttpResponse = getattr(self, f"_{handler}")(request, repository, **path_parameters)
                return response
        raise DistributionError(
            405 if routes else 404, "UNSUPPORTED", f"{request.method} {request.path} is not offered"
        )

    def _check_policy(self, name: str, guest: str, action: str) -> None:
        """Refuse another account what the policy of a repository does not permit, also if there is no repository.

        Raises:
            DistributionError: it is refused.
        """
        try:
            policy = self.store.repository(name).policy
        except UnknownRepositoryError:
            policy = ""
        if not is_permitted(policy, PolicyRequest(action=action, account=guest)):
            message = f"User: arn:aws:iam::{guest}:root is not authorized to perform: {action} on resource: {name}"
            raise DistributionError(403, "DENIED", f"{message} because no resource-based policy allows the action")

    def _check_login(self, request: HttpRequest) -> str:
        """Refuse a request without a valid login, as ECR does; return the account of a guest, or an empty string.

        Raises:
            DistributionError: no login was sent, which is answered with a challenge, or an expired or invalid one.
        """
        authorization = request.header("Authorization")
        match self.tokens.check_login(authorization):
            case LoginStatus.MISSING:
                raise DistributionError(401, "UNAUTHORIZED", "Not Authorized")
            case LoginStatus.EXPIRED:
                raise DistributionError(403, "DENIED", _EXPIRED)
            case LoginStatus.INVALID:
                if guest := self.find_guest(authorization):
                    return guest
                raise DistributionError(400, "DENIED", "Your authorization token is invalid.")
            case LoginStatus.VALID:
                return ""

    def _list_repositories(self, request: HttpRequest) -> HttpResponse:
        names = [repository.name for repository in self.store.repositories()]
        page, link = _paginate(request, names, default_limit=_REPOSITORIES_PER_PAGE)
        return HttpResponse.json_response(200, {"repositories": page}, headers=link)

    def _download_layer(self, request: HttpRequest) -> HttpResponse:
        digest = request.path.removeprefix(LAYER_DOWNLOAD_PREFIX)
        if not is_digest(digest) or not self.tokens.is_valid(digest, request.query.get("token", "")):
            raise DistributionError(403, "DENIED", "the address has expired or was not issued here")
        return self._blob_response(request, digest)

    def _get_blob(self, request: HttpRequest, repository: ImageRepository, digest: str) -> HttpResponse:
        if digest not in repository.layers:
            raise DistributionError(404, "BLOB_UNKNOWN", f"no blob {digest} in {repository.name}")
        return self._blob_response(request, digest)

    def _blob_response(self, request: HttpRequest, digest: str) -> HttpResponse:
        path = self.store.blobs.path(digest)
        if not path.exists():
            raise DistributionError(404, "BLOB_UNKNOWN", f"no blob {digest}")
        size = self.store.blobs.size(digest)
        start, end = _parse_range(request.header("Range"), size)
        partial = {"Content-Range": f"bytes {start}-{end}/{size}"} if request.header("Range") else {}
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(end - start + 1),
            "Accept-Ranges": "bytes",
            "Docker-Content-Digest": digest,
            **partial,
        }
        body = b"" if request.method == "HEAD" else read_range(path, start, end - start + 1)
        return HttpResponse(status=206 if partial else 200, headers=headers, body=body)

    def _begin_upload(self, request: HttpRequest, repository: ImageRepository) -> HttpResponse:
        mount, source = request.query.get("mount", ""), request.query.get("from", "")
        if is_digest(mount) and self.store.mount_blob(repository.name, mount, source=source):
            return _created_response(f"/v2/{repository.name}/blobs/{mount}", mount)
        upload_id = self.store.blobs.start_upload(repository.name)
        if "digest" in request.query:
            return self._finish_upload(request, repository, upload_id)
        return self._upload_progress(repository, upload_id)

    def _show_upload(self, _request: HttpRequest, repository: ImageRepository, upload: str) -> HttpResponse:
        return self._upload_progress(repository, upload, status=204)

    def _continue_upload(self, request: HttpRequest, repository: ImageRepository, upload: str) -> HttpResponse:
        session = self.store.blobs.get_upload(repository.name, upload)
        try:
            session.append(request.body, offset=_range_start(request.header("Content-Range")))
        except UploadOffsetError:
            return self._upload_progress(repository, upload, status=416)
        return self._upload_progress(repository, upload)

    def _finish_upload(self, request: HttpRequest, repository: ImageRepository, upload: str) -> HttpResponse:
        digest = request.query.get("digest", "")
        if not is_digest(digest):
            raise DistributionError(400, "DIGEST_INVALID", f"'{digest}' is not a sha256 or sha512 digest")
        session = self.store.blobs.get_upload(repository.name, upload)
        session.append(request.body, offset=_range_start(request.header("Content-Range")))
        self.store.add_layer(repository.name, upload, digest)
        return _created_response(f"/v2/{repository.name}/blobs/{digest}", digest)

    def _cancel_upload(self, _request: HttpRequest, repository: ImageRepository, upload: str) -> HttpResponse:
        self.store.blobs.cancel_upload(repository.name, upload)
        return HttpResponse(status=204)

    def _upload_progress(self, repository: ImageRepository, upload_id: str, *, status: int = 202) -> HttpResponse:
        upload: Upload = self.store.blobs.get_upload(repository.name, upload_id)
        headers = {
            "Location": f"/v2/{repository.name}/blobs/uploads/{upload_id}",
            "Range": f"0-{max(upload.size - 1, 0)}",
            "Docker-Upload-UUID": upload_id,
        }
        return HttpResponse(status=status, headers=headers)

    def _get_manifest(self, _request: HttpRequest, repository: ImageRepository, reference: str) -> HttpResponse:
        digest = _require_digest(repository, reference)
        manifest = self.store.manifest(repository.name, digest)
        headers = {"Content-Type": manifest.media_type, "Docker-Content-Digest": digest}
        return HttpResponse(status=200, headers=headers, body=manifest.content)

    def _put_manifest(self, request: HttpRequest, repository: ImageRepository, reference: str) -> HttpResponse:
        tag = None if ":" in reference else reference
        if tag is None and not is_digest(reference):
            raise DistributionError(400, "DIGEST_INVALID", f"'{reference}' is not a sha256 or sha512 digest")
        algorithm = SHA256 if tag else algorithm_of(reference)
        manifest = parse_manifest(_read_manifest(request), request.header("Content-Type"), algorithm)
        if tag is None and reference != manifest.digest:
            raise DistributionError(400, "DIGEST_INVALID", f"the manifest's digest is {manifest.digest}")
        with suppress(ImageExistsError):  # unlike PutImage, a repeated push succeeds
            self.store.put_image(repository.name, manifest, tag)
        subject = parse_references(manifest).subject
        return _created_response(
            f"/v2/{repository.name}/manifests/{manifest.digest}",
            manifest.digest,
            **({"OCI-Subject": subject} if subject else {}),
        )

    def _delete_manifest(self, _request: HttpRequest, repository: ImageRepository, reference: str) -> HttpResponse:
        digest = _require_digest(repository, reference)
        if reference == digest:
            self.store.delete_image(repository.name, digest)
        else:
            self.store.untag(repository.name, reference)
        return HttpResponse(status=202)

    def _list_tags(self, request: HttpRequest, repository: ImageRepository) -> HttpResponse:
        page, link = _paginate(request, sorted(repository.tags), default_limit=_TAGS_PER_PAGE)
        return HttpResponse.json_response(200, {"name": repository.name, "tags": page}, headers=link)

    def _list_referrers(self, request: HttpRequest, repository: ImageRepository, digest: str) -> HttpResponse:
        artifact_type = request.query.get("artifactType")
        images = [image for image in repository.images.values() if image.subject == digest]
        entries = [
            self._referrer(repository, image) for image in images if artifact_type in (None, image.artifact_type)
        ]
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
        filter_headers = {"OCI-Filters-Applied": "artifactType"} if artifact_type else {}
        return HttpResponse.json_response(200, document, media_type=OCI_INDEX, headers=filter_headers)

    def _referrer(self, repository: ImageRepository, image: ImageRecord) -> Mapping[str, object]:
        content = self.store.manifest(repository.name, image.digest).content
        annotations = json.loads(content).get("annotations")
        return {
            "mediaType": image.media_type,
            "digest": image.digest,
            "size": len(content),
            "artifactType": image.artifact_type,
            **({"annotations": annotations} if annotations else {}),
        }


_API_VERSION_HEADER = {"Docker-Distribution-Api-Version": "registry/2.0"}


def _paginate(request: HttpRequest, names: Sequence[str], *, default_limit: int) -> tuple[list[str], dict[str, str]]:
    """Return one page of sorted names, and the `Link` header if there are more.

    Raises:
        DistributionError: the requested number is none.
    """
    last_name, limit_text = request.query.get("last", ""), request.query.get("n", str(default_limit))
    if not (limit_text.isascii() and limit_text.isdigit() and len(limit_text) <= _LIMIT_DIGITS):
        raise DistributionError(400, "PAGINATION_NUMBER_INVALID", f"'{limit_text}' is not a number")
    limit = int(limit_text)
    remaining = [name for name in names if name > last_name]
    page = remaining[:limit]
    if not page or len(page) == len(remaining):
        return page, {}
    query = urlencode({"n": limit, "last": page[-1]})
    return page, {"Link": f'<{request.path}?{query}>; rel="next"'}


def _strip_body(response: HttpResponse) -> HttpResponse:
    if not isinstance(response.body, bytes):
        return response
    length = response.headers.get("Content-Length", str(len(response.body)))
    return attrs.evolve(response, headers={**response.headers, "Content-Length": length}, body=b"")


def _created_response(location: str, digest: str, **headers: str) -> HttpResponse:
    return HttpResponse(status=201, headers={"Location": location, "Docker-Content-Digest": digest, **headers})


def _require_digest(repository: ImageRepository, reference: str) -> str:
    digest = repository.resolve(reference)
    if digest is None:
        raise DistributionError(404, "MANIFEST_UNKNOWN", f"no manifest {reference} in {repository.name}")
    return digest


def _read_manifest(request: HttpRequest) -> bytes:
    content = bytearray()
    while chunk := request.body.read(1 << 16):
        content += chunk
        if len(content) > MAX_MANIFEST_BYTES:
            raise DistributionError(413, "SIZE_INVALID", f"a manifest has at most {MAX_MANIFEST_BYTES} bytes")
    return bytes(content)


def _range_start(content_range: str) -> int | None:
    """Return the first byte of an upload's part (distribution specification, "Pushing a blob in chunks")."""
    match = re.fullmatch(r"(?:bytes[ =])?(\d+)-\d+(?:/.*)?", content_range)
    return int(match[1]) if match else None


def _parse_range(header: str, size: int) -> tuple[int, int]:
    """Return the first and the last byte of a `Range` header (RFC 9110, section 14.2)."""
    if not header:
        return 0, size - 1
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header)
    if match is None or not (match[1] or match[2]):
        raise DistributionError(416, "RANGE_INVALID", f"the range '{header}' is not understood")
    start = int(match[1]) if match[1] else max(size - int(match[2]), 0)
    end = min(int(match[2]), size - 1) if match[1] and match[2] else size - 1
    if start > end:
        raise DistributionError(416, "RANGE_INVALID", f"there are {size} bytes")
    return start, end
