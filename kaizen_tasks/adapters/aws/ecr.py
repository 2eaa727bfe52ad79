"""Amazon ECR: its control plane for what it knows best, the distribution API for the bytes."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.ecr_credentials import EcrCredentials
from kaizen_tasks.adapters.aws.session import translated
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.manifest import MEDIA_TYPES, Manifest
from kaizen_tasks.adapters.oci.pusher import Carrier
from kaizen_tasks.adapters.oci.transport import no_repository
from kaizen_tasks.errors import PushFailed, Refused
from kaizen_tasks.ports.images import Registry

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager

    from types_boto3_ecr.type_defs import ImageIdentifierTypeDef

    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.domain.release import Copied, Image
    from kaizen_tasks.errors import KaizenError
    from kaizen_tasks.ports.clock import Clock
    from kaizen_tasks.ports.types import Login

CHECKED_AT_ONCE = 100


class EcrRegistry(Registry):
    """The private repositories of one account in one region. Safe to use from several threads.

    Args:
        aws: whose repositories.
        clock: says when the token is about to expire.
    """

    def __init__(self, aws: Aws, *, clock: Clock) -> None:
        self._aws = aws
        self._credentials = EcrCredentials(aws, clock=clock)
        self._client = OciClient(self._credentials, clock=clock)
        self._carrier = Carrier(self._client, stock=self._held)
        self._lock = Lock()
        self._known: dict[str, Manifest] = {}  # what a digest names never changes
        self._seen: set[tuple[str, str]] = set()
        self._images: dict[str, Image] = {}
        self._turns: dict[str, Lock] = {}

    def image(self, repository: str, reference: str) -> Image | None:
        """Return what a tag or digest names, or None.

        What a digest names never changes, and is the same in every repository, so its labels are read once, however
        many threads ask.
        """
        manifest = self._manifest(repository, reference)
        if manifest is None:
            return None
        with self._lock:
            turn = self._turns.setdefault(manifest.digest, Lock())
        with turn:
            if manifest.digest not in self._images:
                self._images[manifest.digest] = self._client.image(repository, manifest)
            return self._images[manifest.digest]

    def copy(self, *, digest: str, source: str, target: str, tag: str) -> Copied:
        """Bring an image into another repository under a tag, byte for byte.

        With blob mounting enabled in the account no layer is sent.
        https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html
        """
        return self._carrier.copy(digest=digest, source=source, target=target, tag=tag)

    def point(self, *, repository: str, tag: str, digest: str) -> bool:
        """Move a tag onto an image that the repository holds already; return False when it was there before."""
        manifest = self._known.get(digest) or self._manifest(repository, digest)
        if manifest is None:
            raise PushFailed(f"{self.address(repository)} does not hold {digest}")
        ecr = self._aws.ecr()
        with _about(repository, f"point {repository}:{tag} at {digest}", otherwise=PushFailed):
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
                    state="the tag still names what it named",
                    hint=f"exclude {tag} from the repository's tag immutability: inv setup",
                ) from error
        return True

    def address(self, repository: str) -> str:
        """Return the repository's full name: `host/repository`."""
        with _about(repository, f"look for the repository {repository}"):
            answer = self._aws.ecr().describe_repositories(repositoryNames=[repository])
        return answer["repositories"][0]["repositoryUri"]

    def login(self) -> Login:
        """Return credentials for the distribution API, renewed before they expire."""
        return self._credentials.login()

    def _manifest(self, repository: str, reference: str) -> Manifest | None:
        """Return what a tag names now, or what a digest names, which is asked once a run."""
        if (repository, reference) in self._seen:
            return self._known[reference]
        wanted = _identifier(reference)
        with _about(repository, f"read {repository}:{reference}"):
            answer = self._aws.ecr().batch_get_image(
                repositoryName=repository, imageIds=[wanted], acceptedMediaTypes=list(MEDIA_TYPES)
            )
        for failure in answer.get("failures", []):
            if failure["failureCode"] == "ImageNotFound":
                return None
            raise Refused(f"cannot read {repository}:{reference}: {failure['failureReason']}")
        image = answer["images"][0]
        found = Manifest(image["imageManifest"].encode(), image["imageManifestMediaType"])
        if found.digest != image["imageId"]["imageDigest"]:
            raise Refused(f"{repository}:{reference} arrived damaged: {found.digest}")
        self._known[found.digest] = found
        self._seen.add((repository, found.digest))
        return found

    def _held(self, repository: str, digests: Collection[str]) -> frozenset[str]:
        """Return which blobs a repository holds: one question for a hundred, of which ECR takes 1000 a second.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
        """
        wanted, held = list(digests), set[str]()
        for first in range(0, len(wanted), CHECKED_AT_ONCE):
            with _about(repository, f"look for the layers of an image in {repository}"):
                answer = self._aws.ecr().batch_check_layer_availability(
                    repositoryName=repository, layerDigests=wanted[first : first + CHECKED_AT_ONCE]
                )
            layers = answer["layers"]
            held |= {each["layerDigest"] for each in layers if each["layerAvailability"] == "AVAILABLE"}
        return frozenset(held)


def _identifier(reference: str) -> ImageIdentifierTypeDef:
    return {"imageDigest": reference} if reference.startswith("sha256:") else {"imageTag": reference}


def _about(repository: str, doing: str, *, otherwise: type[KaizenError] | None = None) -> AbstractContextManager[None]:
    return translated(doing, otherwise=otherwise, missing=no_repository(repository).hint)
