"""ECR's operations on images."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.ecr.ecr_errors import EcrBase, ecr_errors, paginate, validation_error
from kaizen_tasks.localcloud.registry.manifests import is_digest, parse_manifest
from kaizen_tasks.localcloud.registry.registry_errors import ImageReferencedError
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.registry.repositories import ImageRepository
    from kaizen_tasks.localcloud.server.http_message import JsonObject

    ImageId = dict[str, str]


class EcrImages(EcrBase):
    """Describe, get, put and delete images."""

    def describe_images(self, request: JsonObject) -> JsonObject:
        """Describe the named images, or one page of all."""
        repository = self.requested_repository(request)
        if image_ids := request.get("imageIds"):
            if "nextToken" in request or "maxResults" in request:
                raise validation_error("imageIds", "must not be given together with nextToken or maxResults")
            requested_digests = dict.fromkeys(self.require_digest(repository, image_id) for image_id in image_ids)
            return {"imageDetails": [self._image_detail(repository, digest) for digest in requested_digests]}
        page_digests, token = paginate(
            repository.sorted_digests,
            request,
            key=str,
            is_included=lambda digest: _matches_filter(repository, digest, request),
        )
        return {"imageDetails": [self._image_detail(repository, digest) for digest in page_digests], "nextToken": token}

    def list_images(self, request: JsonObject) -> JsonObject:
        """Return one page of image identifiers, one for every tag."""
        repository = self.requested_repository(request)
        page_names, token = paginate(
            repository.image_names,
            request,
            key=str,
            is_included=lambda name: _matches_filter(repository, name.partition(" ")[0], request),
        )
        return {"imageIds": [_image_id(name) for name in page_names], "nextToken": token}

    def batch_get_image(self, request: JsonObject) -> JsonObject:
        """Return manifests, and failures for missing ones."""
        repository, accepted_types = self.requested_repository(request), request.get("acceptedMediaTypes")
        images, failures = [], []
        for image_id in request["imageIds"]:
            result = _check_media_type(repository, _find_digest(repository, image_id), accepted_types)
            if isinstance(result, ImageFailure):
                failures.append(result.for_image(image_id))
            else:
                images.append(self._image_document(repository, result, image_id.get("imageTag")))
        return {"images": images, "failures": failures}

    def put_image(self, request: JsonObject) -> JsonObject:
        """Store a manifest whose layers exist, and point a tag at it."""
        repository, tag = self.requested_repository(request), request.get("imageTag")
        with ecr_errors(self.account):
            content = request["imageManifest"].encode()
            manifest = parse_manifest(content, request.get("imageManifestMediaType", ""))
            _check_digest(request.get("imageDigest"), manifest.digest)
            self.store.put_image(repository.name, manifest, tag)
        return {"image": self._image_document(self.get_repository(repository.name), manifest.digest, tag)}

    def batch_delete_image(self, request: JsonObject) -> JsonObject:
        """Delete images by digest, and tags by name; an image is deleted with its last tag."""
        name = self.requested_repository(request).name
        deleted_ids: list[ImageId] = []
        failures = []
        for image_id in request["imageIds"]:
            repository = self.get_repository(name)
            result = self._delete(repository, _find_digest(repository, image_id), image_id)
            if isinstance(result, ImageFailure):
                failures.append(result.for_image(image_id))
            else:
                deleted_ids += result
        return {"imageIds": deleted_ids, "failures": failures}

    def list_image_referrers(self, request: JsonObject) -> JsonObject:
        """Return one page of the images whose subject is an image."""
        repository, subject = self.requested_repository(request), request["subjectId"]["imageDigest"]
        artifact_types = request.get("filter", {}).get("artifactTypes")
        digests = [
            digest
            for digest, image in sorted(repository.images.items())
            if image.subject == subject and (not artifact_types or image.artifact_type in artifact_types)
        ]
        page_digests, token = paginate(digests, request, key=str)
        return {"referrers": [self._referrer(repository, digest) for digest in page_digests], "nextToken": token}

    def _referrer(self, repository: ImageRepository, digest: str) -> JsonObject:
        image = repository.images[digest]
        with ecr_errors(self.account):
            manifest = self.store.manifest(repository.name, digest)
        return {
            "digest": digest,
            "mediaType": image.media_type,
            "artifactType": image.artifact_type or None,
            "size": len(manifest.content),
            "annotations": json.loads(manifest.content).get("annotations"),
            "artifactStatus": "ACTIVE",
        }

    def _delete(
        self, repository: ImageRepository, digest: str | ImageFailure, image_id: ImageId
    ) -> list[ImageId] | ImageFailure:
        if isinstance(digest, ImageFailure):
            return digest
        if not _deletes_image(repository, digest, image_id):
            self.store.untag(repository.name, image_id["imageTag"])
            return [{"imageDigest": digest, "imageTag": image_id["imageTag"]}]
        try:
            self.store.delete_image(repository.name, digest)
        except ImageReferencedError as error:
            return ImageFailure("ImageReferencedByManifestList", str(error))
        return _image_ids(repository, digest)

    def require_digest(self, repository: ImageRepository, image_id: ImageId) -> str:
        """Return the digest of an image.

        Raises:
            ServiceError: it does not exist.
        """
        result = _find_digest(repository, image_id)
        if isinstance(result, ImageFailure):
            tag, digest = image_id.get("imageTag", "null"), image_id.get("imageDigest", "null")
            raise ServiceError(
                "ImageNotFoundException",
                f"The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within "
                f"the repository with name '{repository.name}' in the registry with id '{self.account}'",
            )
        return result

    def _image_detail(self, repository: ImageRepository, digest: str) -> JsonObject:
        image = repository.images[digest]
        return self.identify(repository) | {
            "imageDigest": digest,
            "imageTags": repository.tags_of(digest) or None,
            "imageSizeInBytes": image.size,
            "imagePushedAt": image.pushed_at,
            **({} if image.scanned_at is None else _scan_summary(image.scanned_at)),
            "imageManifestMediaType": image.media_type,
            "artifactMediaType": image.artifact_type or None,
            "subjectManifestDigest": image.subject or None,
            "imageStatus": "ACTIVE",
        }

    def _image_document(self, repository: ImageRepository, digest: str, tag: str | None) -> JsonObject:
        with ecr_errors(self.account):
            manifest = self.store.manifest(repository.name, digest)
        return self.identify(repository) | {
            "imageId": {"imageDigest": digest, "imageTag": tag},
            "imageManifest": manifest.content.decode(),
            "imageManifestMediaType": manifest.media_type,
        }


@attrs.frozen
class ImageFailure:
    """ECR's failure for an image identifier."""

    code: str
    reason: str

    def for_image(self, image_id: ImageId) -> JsonObject:
        """Return the failure as a member of the response."""
        return {"imageId": image_id, "failureCode": self.code, "failureReason": self.reason}


def _scan_summary(scanned_at: float) -> JsonObject:
    times = {"imageScanCompletedAt": scanned_at, "vulnerabilitySourceUpdatedAt": scanned_at}
    return {
        "imageScanStatus": {"status": "COMPLETE", "description": "The scan was completed successfully."},
        "imageScanFindingsSummary": {**times, "findingSeverityCounts": {}},
    }


def _find_digest(repository: ImageRepository, image_id: ImageId) -> str | ImageFailure:
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    if digest is None and tag is None:
        return ImageFailure("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null")
    if digest is not None and not is_digest(digest):
        return ImageFailure("InvalidImageDigest", "Invalid request parameters: image digest is not a valid digest")
    resolved_digest = repository.resolve(digest or str(tag))
    if resolved_digest is None:
        return ImageFailure("ImageNotFound", "Requested image not found")
    if digest and tag and repository.tags.get(tag) != digest:
        return ImageFailure("ImageTagDoesNotMatchDigest", "Requested tag does not point at the requested digest")
    return resolved_digest


def _check_media_type(
    repository: ImageRepository, result: str | ImageFailure, accepted_types: list[str] | None
) -> str | ImageFailure:
    if isinstance(result, ImageFailure) or not accepted_types or repository.images[result].media_type in accepted_types:
        return result
    return ImageFailure("ImageNotFound", "Requested image is of a media type that is not accepted")


def _deletes_image(repository: ImageRepository, digest: str, image_id: ImageId) -> bool:
    return "imageTag" not in image_id or repository.tags_of(digest) == [image_id["imageTag"]]


def _image_ids(repository: ImageRepository, digest: str) -> list[ImageId]:
    tags = repository.tags_of(digest)
    return [{"imageDigest": digest, "imageTag": tag} for tag in tags] or [{"imageDigest": digest}]


def _image_id(name: str) -> ImageId:
    digest, _, tag = name.partition(" ")
    return {"imageDigest": digest, "imageTag": tag} if tag else {"imageDigest": digest}


def _matches_filter(repository: ImageRepository, digest: str, request: JsonObject) -> bool:
    image_filter = request.get("filter", {})
    if image_filter.get("imageStatus", "ACTIVE") not in ("ACTIVE", "ANY"):
        return False
    status = image_filter.get("tagStatus", "ANY")
    is_tagged = bool(repository.tags_of(digest))
    return bool(status == "ANY" or (status == "TAGGED") == is_tagged)


def _check_digest(expected: str | None, actual: str) -> None:
    if expected not in (None, actual):
        raise ServiceError(
            "ImageDigestDoesNotMatchException",
            f"The provided image digest '{expected}' does not match the digest '{actual}' of the manifest",
        )
