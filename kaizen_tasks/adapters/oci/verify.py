"""Verifies the digest of a blob while it is streamed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from kaizen_tasks.adapters.oci.manifest import Descriptor
from kaizen_tasks.errors import PushFailed


class DigestVerifier:
    """Hashes a stream, each byte once even if a part is streamed again, and compares it with a blob's descriptor."""

    def __init__(self, blob: Descriptor) -> None:
        self._blob = blob
        self._hash = hashlib.sha256()
        self.bytes_hashed = 0

    def wrap(self, chunks: Iterable[bytes], *, offset: int = 0) -> Iterator[bytes]:
        """Yield chunks unchanged, and compare size and digest at the end.

        Args:
            chunks: the blob from an offset to its end.
            offset: in bytes, at most `bytes_hashed`.

        Raises:
            PushFailed: size or digest differ.
        """
        position = offset
        for chunk in chunks:
            new_bytes = chunk[max(self.bytes_hashed - position, 0) :]
            self._hash.update(new_bytes)
            self.bytes_hashed += len(new_bytes)
            position += len(chunk)
            if position > self._blob.size:
                raise self._mismatch_error()
            yield chunk
        if (position, f"sha256:{self._hash.hexdigest()}") != (self._blob.size, self._blob.digest):
            raise self._mismatch_error()

    def _mismatch_error(self) -> PushFailed:
        detail = f"it is sha256:{self._hash.hexdigest()} after {self.bytes_hashed:,} bytes"
        return PushFailed(f"{self._blob.digest} does not match its digest: {detail}")
