"""Verifies the digest of a blob while the blob is streamed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from kaizen_tasks.adapters.oci.manifest import Descriptor
from kaizen_tasks.errors import PushFailed


class DigestVerifier:
    """Compares a streamed blob with its descriptor; bytes that are streamed again are hashed only once."""

    def __init__(self, blob: Descriptor) -> None:
        self._blob = blob
        self._hash = hashlib.sha256()
        self.bytes_hashed = 0

    def wrap(self, chunks: Iterable[bytes], *, offset: int = 0) -> Iterator[bytes]:
        """Yield the chunks unchanged; after the last one, compare the blob's size and digest with the descriptor.

        Args:
            chunks: the blob's content from `offset` to its end.
            offset: an offset in bytes, at most `bytes_hashed`.

        Raises:
            PushFailed: the size or the digest differs.
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
