"""What the registry refuses, with the status and code of the OCI distribution specification for each."""

from __future__ import annotations

from typing import ClassVar


class RegistryError(Exception):
    """A refused request, which has changed nothing."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "UNSUPPORTED"


class UnknownRepositoryError(RegistryError):
    """The repository does not exist."""

    status, code = 404, "NAME_UNKNOWN"


class RepositoryExistsError(RegistryError):
    """A repository of this name exists already."""


class UnknownUploadError(RegistryError):
    """The repository has no upload session with this identifier."""

    status, code = 404, "BLOB_UPLOAD_UNKNOWN"


class UploadOffsetError(RegistryError):
    """A part of an upload does not start where the previous one ended."""

    status, code = 416, "BLOB_UPLOAD_INVALID"


class DigestMismatchError(RegistryError):
    """The uploaded bytes have another digest than announced."""

    code = "DIGEST_INVALID"


class InvalidTagError(RegistryError):
    """The text is not a valid tag."""

    code = "TAG_INVALID"


class TagProtectedError(RegistryError):
    """The tag points at another image and is immutable."""

    code = "TAG_INVALID"


class ImageExistsError(RegistryError):
    """The image exists, and its tag points at it."""


class MissingLayersError(RegistryError):
    """The repository lacks blobs that a manifest refers to."""

    code = "MANIFEST_BLOB_UNKNOWN"


class MissingChildrenError(RegistryError):
    """The repository lacks manifests that an index lists."""

    code = "MANIFEST_BLOB_UNKNOWN"


class ImageReferencedError(RegistryError):
    """The image is listed by an index of the repository, and cannot be deleted before it."""


class UnknownImageError(RegistryError):
    """The repository has no such manifest."""

    status, code = 404, "MANIFEST_UNKNOWN"


class ManifestError(RegistryError):
    """The bytes are not a valid manifest."""

    code = "MANIFEST_INVALID"


class UnsupportedManifestError(ManifestError):
    """The manifest is of an unsupported type, such as Docker schema 1."""

    status, code = 405, "UNSUPPORTED"
