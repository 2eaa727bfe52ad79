"""Images: in a registry, on this machine, as they are to be built; and what copying one transferred."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen


@frozen(kw_only=True)
class Image:
    """An image in a registry.

    Attributes:
        digest: `sha256:…` of the manifest or index.
        media_type: media type of the manifest or index.
        version: the image's label `org.opencontainers.image.version`, or empty.
        revision: the image's label `org.opencontainers.image.revision`, or empty.
        platform: what the image runs on, such as `linux/amd64`; empty when its configuration does not say.
        is_stand_in: whether the image only answers, see `domain.build.stand_in`.
        exposed_ports: the TCP ports that it exposes, lowest first.
    """

    digest: str
    media_type: str
    version: str = ""
    revision: str = ""
    platform: str = ""
    is_stand_in: bool = False
    exposed_ports: tuple[int, ...] = ()


@frozen(kw_only=True)
class LocalImage:
    """An image on this machine.

    Attributes:
        name: the image's name for the builder: `kaizencoach:v1.2.3`, or a path.
        id: the builder's identifier of the image's content.
    """

    name: str
    id: str


@frozen(kw_only=True)
class BuildSpec:
    """The specification of an image to build.

    Attributes:
        app: the image's name on this machine.
        version: `v1.2.3`, passed as the build argument and written as a label.
        revision: full hash of the release commit.
        created_at: the commit's time.
        source: the repository's public address, or empty.
    """

    app: str
    version: str
    revision: str
    created_at: datetime
    source: str = ""

    @property
    def labels(self) -> dict[str, str]:
        """The OCI labels of the image; https://github.com/opencontainers/image-spec/blob/main/annotations.md."""
        labels = {
            "org.opencontainers.image.version": self.version,
            "org.opencontainers.image.revision": self.revision,
            "org.opencontainers.image.created": self.created_at.isoformat(),
            "org.opencontainers.image.source": self.source,
        }
        return {name: value for name, value in labels.items() if value}


@frozen(kw_only=True)
class CopyStats:
    """What a copy between repositories transferred.

    Attributes:
        digest: digest of the copied manifest.
        blobs_mounted: number of blobs that the registry mounted without a transfer.
        blobs_uploaded: number of blobs that were sent.
        bytes_sent: number of bytes sent, repeated uploads included.
        blobs_present: number of blobs that the target had already.
    """

    digest: str
    blobs_mounted: int = 0
    blobs_uploaded: int = 0
    bytes_sent: int = 0
    blobs_present: int = 0

    def __str__(self) -> str:
        """Return a text such as `3 blobs mounted, 1 uploaded (12,345 bytes), 2 already there`."""
        counts = (
            (self.blobs_mounted, "mounted"),
            (self.blobs_uploaded, f"uploaded ({self.bytes_sent:,} bytes)"),
            (self.blobs_present, "already there"),
        )
        (first, outcome), *others = [(count, outcome) for count, outcome in counts if count] or [(0, "missing")]
        texts = (f"{count} {outcome}" for count, outcome in others)
        return ", ".join((f"{first} {'blob' if first == 1 else 'blobs'} {outcome}", *texts))
