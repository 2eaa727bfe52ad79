"""The names by which services refer to images: `host/repository:tag` or `host/repository@digest`."""

from __future__ import annotations

import attrs


@attrs.frozen
class ImageIdentifier:
    """An image of a registry.

    Attributes:
        host: the registry; empty if the identifier has none.
        repository: the repository in it.
        reference: a tag or a digest; the tag `latest` if the identifier has neither.
    """

    host: str
    repository: str
    reference: str

    @classmethod
    def parse(cls, text: str) -> ImageIdentifier:
        """Split an identifier."""
        host, slash, path = text.partition("/")
        if not slash or not ({".", ":"} & {*host}):  # as docker tells a registry from the first part of a path
            host, path = "", text
        if "@" in path:
            name, _, digest = path.partition("@")
            return cls(host, name.partition(":")[0], digest)
        repository, _, tag = path.partition(":")
        return cls(host, repository, tag or "latest")
