"""Amazon ECR: tags and manifests through its control plane, layers through the distribution API."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from threading import Lock
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.ecr_credentials import EcrCredentials
from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.adapters.oci.blobs import Stream
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.content_cache import ContentCache
from kaizen_tasks.adapters.oci.manifest import MANIFEST_MEDIA_TYPES, Manifest
from kaizen_tasks.adapters.oci.pusher import ImagePusher
from kaizen_tasks.adapters.oci.sources import RemoteSource, RepositorySource
from kaizen_tasks.adapters.oci.transport import repository_not_found
from kaizen_tasks.domain.image import CopyStats, Image
from kaizen_tasks.errors import KaizenError, PushFailed, Refused
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.images import Login, Registry, StoredManifest

if TYPE_CHECKING:
    from types_boto3_ecr.type_defs import ImageIdentifierTypeDef


MAX_LAYERS_PER_REQUEST = 100


class EcrRegistry(Registry):
    """The private repositories of one account in one region. Safe to use from several threads.

    Args:
        aws: clients of the account.
        clock: tells when the token is about to expire.
        cache: where configurations of images are kept; None to read them each time.
    """

    def __init__(self, aws: Aws, *, clock: Clock, cache: ContentCache | None = None) -> None:
        self._aws = aws
        self._credentials = EcrCredentials(aws, clock=clock)
        self._client = OciClient(self._credentials, clock=clock, network=aws.network, cache=cache)
        self._pusher = ImagePusher(self._client, blob_lookup=self._existing_blobs)
        self._lock = Lock()
        self._manifests: dict[str, Manifest] = {}  # by digest, which never changes its content
        self._present_manifests: set[tuple[str, str]] = set()
        self._images: dict[str, Image] = {}
        self._image_locks: dict[str, Lock] = {}

    def find_image(self, repository: str, reference: str) -> Image | None:
        """Return the image that a tag or digest names, or None; refuse a stand-in image outside of local clouds.

        The labels of a digest are the same in every repository, so each digest's labels are read only once.
        """
        manifest = self._read_manifest(repository, reference)
        if manifest is None:
            return None
        with self._lock:
            image_lock = self._image_locks.setdefault(manifest.digest, Lock())
        with image_lock:
            if manifest.digest not in self._images:
                self._images[manifest.digest] = self._client.describe_image(repository, manifest)
            image = self._images[manifest.digest]
        if image.is_stand_in:
            self._refuse_stand_in(repository, reference)
        return image

    def find_digest(self, repository: str, reference: str) -> str:
        """Return the digest of the image that a tag names; the distribution API answers without the manifest."""
        return self._client.resolve_digest(repository, reference)

    def _refuse_stand_in(self, repository: str, reference: str) -> None:
        """Raise unless the registry is that of a local cloud.

        Raises:
            Refused: the image is not the app, and somebody has put it into a repository that serves users.
        """
        if not self.credentials().is_local:
            raise Refused(
                f"{repository}:{reference} is a stand-in image of a rehearsal, which only answers",
                state="it is not deployed, copied or promoted",
                hint="delete it from the repository, and release the next version",
            )

    def copy(self, *, digest: str, source: str, target: str, tag: str, origin: Registry | None = None) -> CopyStats:
        """Copy an image unchanged into a repository, and tag the copy.

        From a repository of this registry, no layer is transferred when blob mounting is enabled in the account.
        https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html
        """
        if origin is None or origin.credentials().host == self.credentials().host:
            return self._pusher.copy(digest=digest, source=source, target=target, tag=tag)
        return self._pusher.copy_from(RemoteSource(origin, source), digest=digest, target=target, tag=tag)

    def read_manifest(self, repository: str, digest: str) -> StoredManifest:
        """Return a manifest or an index with its original bytes."""
        manifest = RepositorySource(self._client, repository).manifest(digest)
        return StoredManifest(content=manifest.content, media_type=manifest.media_type)

    def open_blob(self, repository: str, digest: str, offset: int = 0) -> Stream:
        """Stream a configuration or a layer from an offset in bytes."""
        return self._client.blobs.open(repository, digest, offset)

    def move_tag(self, *, repository: str, tag: str, digest: str) -> bool:
        """Point a tag at an image of the repository; return False when the tag points at that image already."""
        manifest = self._manifests.get(digest) or self._read_manifest(repository, digest)
        if manifest is None:
            raise PushFailed(f"{self.repository_uri(repository)} does not hold {digest}")
        ecr = self._aws.ecr()
        with repository_errors(repository, f"point {repository}:{tag} at {digest}", change_error=PushFailed):
            try:
                ecr.put_image(
                    repositoryName=repository,
                    imageManifest=manifest.content.decode(),
                    imageManifestMediaType=manifest.media_type,
                    imageTag=tag,
                    imageDigest=digest,
                )
            except ecr.exceptions.ImageAlreadyExistsException:
                return False  # the tag is on this digest already
            except ecr.exceptions.ImageTagAlreadyExistsException as error:
                raise PushFailed(
                    f"{repository}:{tag} cannot be moved: tags of the repository are immutable",
                    state="the tag has not moved",
                    hint=f"exclude {tag} from the repository's tag immutability: inv setup",
                    is_without_effect=True,
                ) from error
        return True

    def repository_uri(self, repository: str) -> str:
        """Return the repository's full name: `host/repository`."""
        with repository_errors(repository, f"read the repository {repository}"):
            response = self._aws.ecr().describe_repositories(repositoryNames=[repository])
        return response["repositories"][0]["repositoryUri"]

    def credentials(self) -> Login:
        """Return credentials for the distribution API that are valid for at least half an hour."""
        return self._credentials.login()

    def _read_manifest(self, repository: str, reference: str) -> Manifest | None:
        """Return the manifest that a tag names now, or that a digest names; None when there is none."""
        if (repository, reference) in self._present_manifests:
            return self._manifests[reference]
        is_digest = reference.startswith("sha256:")
        image_id: ImageIdentifierTypeDef = {"imageDigest": reference} if is_digest else {"imageTag": reference}
        with repository_errors(repository, f"read {repository}:{reference}"):
            response = self._aws.ecr().batch_get_image(
                repositoryName=repository, imageIds=[image_id], acceptedMediaTypes=list(MANIFEST_MEDIA_TYPES)
            )
        for failure in response.get("failures", []):
            if failure["failureCode"] == "ImageNotFound":
                return None
            raise Refused(f"cannot read {repository}:{reference}: {failure['failureReason']}")
        image = response["images"][0]
        manifest = Manifest(image["imageManifest"].encode(), image["imageManifestMediaType"])
        if manifest.digest != image["imageId"]["imageDigest"]:
            raise Refused(f"{repository}:{reference} arrived damaged: {manifest.digest}")
        self._manifests[manifest.digest] = manifest
        self._present_manifests.add((repository, manifest.digest))
        return manifest

    def _existing_blobs(self, repository: str, digests: Collection[str]) -> frozenset[str]:
        """Return the digests whose blobs are in a repository, at 100 per request; ECR allows 1000 requests a second.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
        """
        pending, available = list(digests), set[str]()
        while pending:
            batch, pending = pending[:MAX_LAYERS_PER_REQUEST], pending[MAX_LAYERS_PER_REQUEST:]
            with repository_errors(repository, f"check which layers {repository} holds"):
                response = self._aws.ecr().batch_check_layer_availability(repositoryName=repository, layerDigests=batch)
            layers = response["layers"]
            available |= {layer["layerDigest"] for layer in layers if layer["layerAvailability"] == "AVAILABLE"}
        return frozenset(available)


def repository_errors(
    repository: str, action: str, *, change_error: type[KaizenError] | None = None
) -> AbstractContextManager[None]:
    """Return a context manager that acts as `aws_errors`, with a hint for a repository that does not exist."""
    return aws_errors(action, change_error=change_error, not_found_hint=repository_not_found(repository).hint)
