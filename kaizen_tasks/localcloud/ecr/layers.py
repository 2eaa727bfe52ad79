"""ECR's operations on layers: the way to push and pull without the registry's own protocol."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.ecr.errors import EcrPart, as_ecr_refuses
from kaizen_tasks.localcloud.registry.blobs import UploadOffsetError
from kaizen_tasks.localcloud.registry.manifests import is_digest
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.registry.repositories import Repository
    from kaizen_tasks.localcloud.server.http_message import Document

DOWNLOADS = "/_kaizen/layers/"
_PART_BYTES = 10 << 20
_DOWNLOAD_SECONDS = 3600


class Layers(EcrPart):
    """Upload, look for and download layers."""

    def batch_check_layer_availability(self, request: Document) -> Document:
        """Tell which layers the repository has."""
        repository = self.named(request)
        digests = request["layerDigests"]
        return {
            "layers": [self._availability(repository, digest) for digest in digests if is_digest(digest)],
            "failures": [_invalid(digest) for digest in digests if not is_digest(digest)],
        }

    def get_download_url_for_layer(self, request: Document) -> Document:
        """Return an address that gives the layer for an hour, without a password."""
        repository, digest = self.named(request), request["layerDigest"]
        if not repository.references(digest):
            raise ServiceError(
                "LayersNotFoundException",
                f"No image in the repository with name '{repository.name}' refers to layer '{digest}'",
            )
        token = self.tokens.issue(digest, seconds=_DOWNLOAD_SECONDS)
        url = f"http://{self.registry}{DOWNLOADS}{digest}?token={token}"
        return {"downloadUrl": url, "layerDigest": digest}

    def initiate_layer_upload(self, request: Document) -> Document:
        """Begin to upload a layer."""
        return {"uploadId": self.store.blobs.begin(self.named(request).name), "partSize": _PART_BYTES}

    def upload_layer_part(self, request: Document) -> Document:
        """Receive the next part of a layer."""
        name, identifier, content = self.named(request).name, request["uploadId"], request["layerPartBlob"]
        first, last = request["partFirstByte"], request["partLastByte"]
        with as_ecr_refuses(self.account):
            upload = self.store.blobs.upload(name, identifier)
        if last - first + 1 != len(content):
            raise self._invalid_part(name, identifier, upload.size)
        try:
            upload.append(io.BytesIO(content), offset=first)
        except UploadOffsetError as error:
            raise self._invalid_part(name, identifier, upload.size) from error
        return {
            "registryId": self.account,
            "repositoryName": name,
            "uploadId": identifier,
            "lastByteReceived": last,
        }

    def complete_layer_upload(self, request: Document) -> Document:
        """Keep an uploaded layer that has the digest it should have."""
        repository, identifier = self.named(request), request["uploadId"]
        digest = request["layerDigests"][0]
        with as_ecr_refuses(self.account):
            self._check_upload(repository, identifier, digest)
            self.store.add_layer(repository.name, identifier, digest)
        return {
            "registryId": self.account,
            "repositoryName": repository.name,
            "uploadId": identifier,
            "layerDigest": digest,
        }

    def _check_upload(self, repository: Repository, identifier: str, digest: str) -> None:
        if not self.store.blobs.upload(repository.name, identifier).size:
            raise ServiceError("EmptyUploadException", f"No part of upload '{identifier}' has been received")
        if not is_digest(digest):
            raise ServiceError("InvalidLayerException", f"'{digest}' is not a sha256 digest")
        if digest in repository.layers:
            self.store.blobs.cancel(repository.name, identifier)
            raise ServiceError(
                "LayerAlreadyExistsException",
                f"The layer with digest '{digest}' already exists in the repository '{repository.name}'",
            )

    def _availability(self, repository: Repository, digest: str) -> Document:
        if digest not in repository.layers:
            return {"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}
        size = self.store.blobs.size(digest)
        return {"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": size}

    def _invalid_part(self, name: str, identifier: str, size: int) -> ServiceError:
        return ServiceError(
            "InvalidLayerPartException",
            f"The layer part does not follow the {size} bytes received so far",
            registryId=self.account,
            repositoryName=name,
            uploadId=identifier,
            lastValidByteReceived=size - 1,
        )


def _invalid(digest: str) -> Document:
    return {
        "layerDigest": digest,
        "failureCode": "InvalidLayerDigest",
        "failureReason": "not a sha256 digest",
    }
