"""ECR's operations on layers, by which images are pushed and pulled without the registry's HTTP API."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.ecr.ecr_errors import EcrBase, ecr_errors
from kaizen_tasks.localcloud.registry.distribution_api import LAYER_DOWNLOAD_PREFIX
from kaizen_tasks.localcloud.registry.manifests import is_digest
from kaizen_tasks.localcloud.registry.registry_errors import UploadOffsetError
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.registry.repositories import ImageRepository
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_PART_BYTES = 10 << 20
_DOWNLOAD_SECONDS = 3600


class EcrLayers(EcrBase):
    """Check, upload and download layers."""

    def batch_check_layer_availability(self, request: JsonObject) -> JsonObject:
        """Return which layers the repository has."""
        repository = self.requested_repository(request)
        digests = request["layerDigests"]
        return {
            "layers": [self._availability(repository, digest) for digest in digests if is_digest(digest)],
            "failures": [_layer_failure(digest) for digest in digests if not is_digest(digest)],
        }

    def get_download_url_for_layer(self, request: JsonObject) -> JsonObject:
        """Return a URL that serves the layer for an hour, without a password."""
        repository, digest = self.requested_repository(request), request["layerDigest"]
        if not repository.references(digest):
            raise ServiceError(
                "LayersNotFoundException",
                f"No image in the repository with name '{repository.name}' refers to layer '{digest}'",
            )
        token = self.tokens.issue(digest, seconds=_DOWNLOAD_SECONDS)
        url = f"http://{self.registry}{LAYER_DOWNLOAD_PREFIX}{digest}?token={token}"
        return {"downloadUrl": url, "layerDigest": digest}

    def initiate_layer_upload(self, request: JsonObject) -> JsonObject:
        """Start the upload of a layer."""
        name = self.requested_repository(request).name
        return {"uploadId": self.store.blobs.start_upload(name), "partSize": _PART_BYTES}

    def upload_layer_part(self, request: JsonObject) -> JsonObject:
        """Store the next part of a layer."""
        repository = self.requested_repository(request)
        upload_id, content = request["uploadId"], request["layerPartBlob"]
        first_byte, last_byte = request["partFirstByte"], request["partLastByte"]
        with ecr_errors(self.account):
            upload = self.store.blobs.get_upload(repository.name, upload_id)
        if last_byte - first_byte + 1 != len(content):
            raise self._invalid_part_error(repository, upload_id, upload.size)
        try:
            upload.append(io.BytesIO(content), offset=first_byte)
        except UploadOffsetError as error:
            raise self._invalid_part_error(repository, upload_id, upload.size) from error
        return self.identify(repository) | {"uploadId": upload_id, "lastByteReceived": last_byte}

    def complete_layer_upload(self, request: JsonObject) -> JsonObject:
        """Store an uploaded layer if it has the announced digest."""
        repository, upload_id = self.requested_repository(request), request["uploadId"]
        digest = request["layerDigests"][0]
        with ecr_errors(self.account):
            self._check_upload(repository, upload_id, digest)
            self.store.add_layer(repository.name, upload_id, digest)
        return self.identify(repository) | {"uploadId": upload_id, "layerDigest": digest}

    def _check_upload(self, repository: ImageRepository, upload_id: str, digest: str) -> None:
        if not self.store.blobs.get_upload(repository.name, upload_id).size:
            raise ServiceError("EmptyUploadException", f"No part of upload '{upload_id}' has been received")
        if not is_digest(digest):
            raise ServiceError("InvalidLayerException", f"'{digest}' is not a valid digest")
        if digest in repository.layers:
            self.store.blobs.cancel_upload(repository.name, upload_id)
            raise ServiceError(
                "LayerAlreadyExistsException",
                f"The layer with digest '{digest}' already exists in the repository '{repository.name}'",
            )

    def _availability(self, repository: ImageRepository, digest: str) -> JsonObject:
        if digest not in repository.layers:
            return {"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}
        size = self.store.blobs.size(digest)
        return {"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": size}

    def _invalid_part_error(self, repository: ImageRepository, upload_id: str, size: int) -> ServiceError:
        return ServiceError(
            "InvalidLayerPartException",
            f"The layer part does not follow the {size} bytes received so far",
            **self.identify(repository),
            uploadId=upload_id,
            lastValidByteReceived=size - 1,
        )


def _layer_failure(digest: str) -> JsonObject:
    return {"layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": "not a valid digest"}
