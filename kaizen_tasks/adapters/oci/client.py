"""A client of the OCI distribution API, which `docker push` and `docker pull` use.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.adapters.oci.blobs import BlobClient
from kaizen_tasks.adapters.oci.manifest import (
    CONFIG_MEDIA_TYPES,
    MANIFEST_MEDIA_TYPES,
    MAX_INDEX_DEPTH,
    MAX_MANIFEST_BYTES,
    Descriptor,
    Manifest,
)
from kaizen_tasks.adapters.oci.transport import RegistryCredentials, Transport
from kaizen_tasks.adapters.oci.verify import DigestVerifier
from kaizen_tasks.domain.build.stand_in import KIND_LABEL, STAND_IN
from kaizen_tasks.domain.image import Image
from kaizen_tasks.errors import PushFailed, Refused
from kaizen_tasks.ports.clock import Clock

if TYPE_CHECKING:
    from kaizen_tasks.adapters.oci.content_cache import ContentCache

DIGEST_HEADER = "Docker-Content-Digest"
MAX_CONFIG_BYTES = 8 << 20
MAX_KEPT_BYTES = 1 << 20  # of what is kept on this machine
VERSION_LABEL = "org.opencontainers.image.version"
REVISION_LABEL = "org.opencontainers.image.revision"


class OciClient:
    """A client for one registry. Safe to use from several threads.

    Args:
        credentials: for the registry.
        clock: for the pauses between attempts and the rate of uploads.
        network: proxies, and trusted certificates; without it, those of the environment.
        cache: where configurations of images are kept; None to read them each time.

    Attributes:
        blobs: client for configurations and layers.
        clock: the argument.
    """

    def __init__(
        self,
        credentials: RegistryCredentials,
        *,
        clock: Clock,
        network: NetworkSettings | None = None,
        cache: ContentCache | None = None,
    ) -> None:
        self.clock = clock
        self._transport = Transport(credentials, clock=clock, network=network or NetworkSettings())
        self._manifests: dict[tuple[str, str], Manifest] = {}  # by digest, which never changes its content
        self._cache = cache
        self.blobs = BlobClient(self._transport)

    def repository_uri(self, repository: str) -> str:
        """Return the full name of a repository: `host/repository`."""
        return f"{self._transport.host}/{repository}"

    def resolve_digest(self, repository: str, reference: str) -> str:
        """Return the digest of the manifest that a tag or digest names; an empty string when there is none."""
        response = self._transport.send("HEAD", _manifest_path(repository, reference), headers=_ACCEPT_HEADERS)
        response.drain()
        if response.status == 404:
            return ""
        self._transport.expect(response, 200, action=f"read {repository}:{reference}", repository=repository)
        if digest := response.headers.get(DIGEST_HEADER):
            return digest
        manifest = self.manifest(repository, reference)
        return manifest.digest if manifest else ""

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """Return the manifest that a tag names now, or that a digest names; None when there is none.

        Raises:
            Refused: the manifest's content has another digest than the registry announced.
        """
        if (repository, reference) in self._manifests:
            return self._manifests[repository, reference]
        response = self._transport.send("GET", _manifest_path(repository, reference), headers=_ACCEPT_HEADERS)
        if response.status == 404:
            response.drain()
            return None
        self._transport.expect(response, 200, action=f"read {repository}:{reference}", repository=repository)
        content = self._transport.body(response, limit=MAX_MANIFEST_BYTES)
        manifest = Manifest(content, response.headers.get("Content-Type", "").partition(";")[0])
        expected_digest = reference if reference.startswith("sha256:") else response.headers.get(DIGEST_HEADER)
        if expected_digest and manifest.digest != expected_digest:
            raise Refused(f"{self.repository_uri(repository)} sent {manifest.digest} when asked for {expected_digest}")
        self._manifests[repository, manifest.digest] = manifest
        return manifest

    def put_manifest(self, repository: str, reference: str, manifest: Manifest) -> None:
        """Write the original bytes of a manifest or an index.

        Args:
            repository: the target repository, which must have the manifest's blobs.
            reference: a tag or the manifest's digest.
            manifest: what to write.

        Raises:
            PushFailed: the registry rejected the manifest or stored other bytes, or the tag is immutable.
        """
        path, headers = _manifest_path(repository, reference), {"Content-Type": manifest.media_type}
        response = self._transport.send("PUT", path, headers=headers, body=manifest.content)
        action = f"put {repository}:{reference}"
        self._transport.expect(response, 201, action=action, repository=repository, is_write=True).drain()
        stored_digest = response.headers.get(DIGEST_HEADER, manifest.digest)
        if stored_digest != manifest.digest:
            uri = self.repository_uri(repository)
            raise PushFailed(f"{uri}:{reference} became {stored_digest}, not {manifest.digest}")
        self._manifests[repository, manifest.digest] = manifest

    def describe_image(self, repository: str, manifest: Manifest) -> Image:
        """Return the image of a manifest, with labels and platform; an index has those of its main child."""
        configuration = self._read_configuration(repository, manifest)
        labels = _member(_member(configuration, "config"), "Labels")
        platform = [str(configuration.get(key) or "") for key in ("os", "architecture")]
        return Image(
            digest=manifest.digest,
            media_type=manifest.media_type,
            version=str(labels.get(VERSION_LABEL) or ""),
            revision=str(labels.get(REVISION_LABEL) or ""),
            platform="/".join(platform) if all(platform) else "",
            is_stand_in=labels.get(KIND_LABEL) == STAND_IN,
        )

    def _read_configuration(self, repository: str, manifest: Manifest) -> Mapping[str, Any]:
        """Return the configuration of an image: labels, platform; empty for what is no image."""
        for _ in range(MAX_INDEX_DEPTH):
            if manifest.main_child is None:
                break
            child = self._read_child(repository, manifest.main_child)
            if child is None:
                return {}
            manifest = child
        if manifest.config is None or manifest.config.media_type not in CONFIG_MEDIA_TYPES:
            return {}
        return self._parse_configuration(repository, manifest.config)

    def _read_child(self, repository: str, child: Descriptor) -> Manifest | None:
        """Return a manifest of an index; None if the registry lacks it."""
        content = self._cache.read(child.digest) if self._cache else None
        if content is not None:
            return Manifest(content, child.media_type)
        manifest = self.manifest(repository, child.digest)
        if manifest is not None:
            self._keep(manifest.content)
        return manifest

    def _keep(self, content: bytes) -> None:
        if self._cache is not None and len(content) <= MAX_KEPT_BYTES:
            self._cache.write(content)

    def _parse_configuration(self, repository: str, config: Descriptor) -> Mapping[str, Any]:
        content = self._cache.read(config.digest) if self._cache else None
        if content is None:
            content = self._read_blob(repository, config)
            self._keep(content)
        try:
            document = json.loads(content)
        except (ValueError, RecursionError) as error:
            name = f"{self.repository_uri(repository)}@{config.digest}"
            raise Refused(f"the configuration {name} is not JSON: {error}") from error
        return document if isinstance(document, dict) else {}

    def _read_blob(self, repository: str, config: Descriptor) -> bytes:
        if config.size > MAX_CONFIG_BYTES:
            name = f"{self.repository_uri(repository)}@{config.digest}"
            raise Refused(f"the configuration {name} has {config.size:,} bytes; at most {MAX_CONFIG_BYTES:,} are read")
        return b"".join(DigestVerifier(config).wrap(self.blobs.open(repository, config.digest)))


def _member(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a member that is an object; an empty one for a member that is missing or something else."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _tcp_ports(exposed_ports: Iterable[str]) -> tuple[int, ...]:
    """Return the ports of `8080/tcp` and the like: https://github.com/opencontainers/image-spec/blob/main/config.md."""
    pairs = (text.partition("/") for text in exposed_ports)
    return tuple(sorted(int(port) for port, _, protocol in pairs if port.isdecimal() and protocol in {"", "tcp"}))


def _manifest_path(repository: str, reference: str) -> str:
    return f"/v2/{repository}/manifests/{reference}"


_ACCEPT_HEADERS = {"Accept": ", ".join(MANIFEST_MEDIA_TYPES)}
