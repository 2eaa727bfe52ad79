"""ECR's operations on images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.ecr.errors import EcrPart, as_ecr_refuses, page, refusal
from kaizen_tasks.localcloud.registry.manifests import is_digest, manifest_from
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.registry.repositories import Repository
    from kaizen_tasks.localcloud.server.http_message import Document

    ImageId = dict[str, str]


class Images(EcrPart):
    """Describe, get, put and delete images."""

    def describe_images(self, request: Document) -> Document:
        """Describe images: the named ones, or all in pages."""
        repository = self.named(request)
        if ids := request.get("imageIds"):
            if "nextToken" in request or "maxResults" in request:
                raise refusal("imageIds", "must not be given together with nextToken or maxResults")
            wanted = dict.fromkeys(self._required(repository, image_id) for image_id in ids)
            return {"imageDetails": [self._detail(repository, digest) for digest in wanted]}
        digests = [digest for digest in sorted(repository.images) if _selected(repository, digest, request)]
        chosen, token = page(digests, request, key=str)
        return {"imageDetails": [self._detail(repository, digest) for digest in chosen], "nextToken": token}

    def list_images(self, request: Document) -> Document:
        """List image identifiers, one for every tag, in pages."""
        repository = self.named(request)
        digests = [digest for digest in sorted(repository.images) if _selected(repository, digest, request)]
        ids = [image_id for digest in digests for image_id in _ids(repository, digest)]
        chosen, token = page(ids, request, key=lambda image_id: " ".join(image_id.values()))
        return {"imageIds": chosen, "nextToken": token}

    def batch_get_image(self, request: Document) -> Document:
        """Return manifests; what cannot be had is reported, not raised."""
        repository, accepted = self.named(request), request.get("acceptedMediaTypes")
        images, failures = [], []
        for image_id in request["imageIds"]:
            found = _acceptable(repository, _look_up(repository, image_id), accepted)
            if isinstance(found, Failure):
                failures.append(found.about(image_id))
            else:
                images.append(self._image(repository, found, image_id.get("imageTag")))
        return {"images": images, "failures": failures}

    def put_image(self, request: Document) -> Document:
        """Keep a manifest whose layers are there, and point a tag at it."""
        repository, tag = self.named(request), request.get("imageTag")
        with as_ecr_refuses(self.account):
            content = request["imageManifest"].encode()
            manifest = manifest_from(content, request.get("imageManifestMediaType", ""))
            _check_digest(request.get("imageDigest"), manifest.digest)
            self.store.put(repository.name, manifest, tag)
        return {"image": self._image(self.find(repository.name), manifest.digest, tag)}

    def batch_delete_image(self, request: Document) -> Document:
        """Delete images by digest; a tag by its name, and the image with its last tag."""
        name = self.named(request).name
        gone: list[ImageId] = []
        failures = []
        for image_id in request["imageIds"]:
            repository = self.find(name)
            found = _deletable(repository, _look_up(repository, image_id), image_id)
            if isinstance(found, Failure):
                failures.append(found.about(image_id))
            else:
                gone += self._delete(repository, found, image_id)
        return {"imageIds": gone, "failures": failures}

    def _delete(self, repository: Repository, digest: str, image_id: ImageId) -> list[ImageId]:
        if not _deletes_image(repository, digest, image_id):
            self.store.untag(repository.name, image_id["imageTag"])
            return [{"imageDigest": digest, "imageTag": image_id["imageTag"]}]
        self.store.delete_image(repository.name, digest)
        return _ids(repository, digest)

    def _required(self, repository: Repository, image_id: ImageId) -> str:
        found = _look_up(repository, image_id)
        if isinstance(found, Failure):
            tag, named = image_id.get("imageTag", "null"), image_id.get("imageDigest", "null")
            raise ServiceError(
                "ImageNotFoundException",
                f"The image with imageId {{imageDigest:'{named}', imageTag:'{tag}'}} does not exist within "
                f"the repository with name '{repository.name}' in the registry with id '{self.account}'",
            )
        return found

    def _detail(self, repository: Repository, digest: str) -> Document:
        image = repository.images[digest]
        return {
            "registryId": self.account,
            "repositoryName": repository.name,
            "imageDigest": digest,
            "imageTags": repository.tags_of(digest) or None,
            "imageSizeInBytes": image.size,
            "imagePushedAt": image.pushed_at,
            "imageManifestMediaType": image.media_type,
            "artifactMediaType": image.artifact_type or None,
            "subjectManifestDigest": image.subject or None,
            "imageStatus": "ACTIVE",
        }

    def _image(self, repository: Repository, digest: str, tag: str | None) -> Document:
        manifest = self.store.manifest(repository.name, digest)
        return {
            "registryId": self.account,
            "repositoryName": repository.name,
            "imageId": {"imageDigest": digest, "imageTag": tag},
            "imageManifest": manifest.content.decode(),
            "imageManifestMediaType": manifest.media_type,
        }


@attrs.frozen
class Failure:
    """Why an identifier means no image, in ECR's words."""

    code: str
    reason: str

    def about(self, image_id: ImageId) -> Document:
        """Return what the answer says of the identifier."""
        return {"imageId": image_id, "failureCode": self.code, "failureReason": self.reason}


def _look_up(repository: Repository, image_id: ImageId) -> str | Failure:
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    if digest is None and tag is None:
        return Failure("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null")
    if digest is not None and not is_digest(digest):
        return Failure("InvalidImageDigest", "Invalid request parameters: image digest is not a sha256 digest")
    found = repository.resolve(digest or str(tag))
    if found is None:
        return Failure("ImageNotFound", "Requested image not found")
    if digest and tag and repository.tags.get(tag) != digest:
        return Failure("ImageTagDoesNotMatchDigest", "Requested tag does not point at the requested digest")
    return found


def _acceptable(repository: Repository, found: str | Failure, accepted: list[str] | None) -> str | Failure:
    if isinstance(found, Failure) or not accepted or repository.images[found].media_type in accepted:
        return found
    return Failure("ImageNotFound", "Requested image is of a media type that is not accepted")


def _deletable(repository: Repository, found: str | Failure, image_id: ImageId) -> str | Failure:
    if isinstance(found, Failure) or not _deletes_image(repository, found, image_id):
        return found
    index = repository.parent_of(found)
    reason = f"Requested image referenced by manifest list: [{index}]"
    return Failure("ImageReferencedByManifestList", reason) if index else found


def _deletes_image(repository: Repository, digest: str, image_id: ImageId) -> bool:
    return "imageTag" not in image_id or repository.tags_of(digest) == [image_id["imageTag"]]


def _ids(repository: Repository, digest: str) -> list[ImageId]:
    tags = repository.tags_of(digest)
    return [{"imageDigest": digest, "imageTag": tag} for tag in tags] or [{"imageDigest": digest}]


def _selected(repository: Repository, digest: str, request: Document) -> bool:
    wanted = request.get("filter", {})
    if wanted.get("imageStatus", "ACTIVE") not in ("ACTIVE", "ANY"):
        return False
    status = wanted.get("tagStatus", "ANY")
    tagged = digest in repository.tags.values()
    return bool(status == "ANY" or (status == "TAGGED") == tagged)


def _check_digest(stated: str | None, actual: str) -> None:
    if stated not in (None, actual):
        raise ServiceError(
            "ImageDigestDoesNotMatchException",
            f"The provided image digest '{stated}' does not match the digest '{actual}' of the manifest",
        )
