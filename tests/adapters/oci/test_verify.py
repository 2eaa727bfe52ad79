"""Verifying content against its digest."""

from __future__ import annotations

import pytest

from kaizen_tasks.adapters.oci.manifest import Descriptor, sha256_digest
from kaizen_tasks.adapters.oci.verify import DigestVerifier
from kaizen_tasks.errors import PushFailed
from tests.support.oci_images import LAYER

BLOB = Descriptor(digest=sha256_digest(b"content"), media_type=LAYER, size=7)


def test_matching_content_passes() -> None:
    assert b"".join(DigestVerifier(BLOB).wrap([b"con", b"tent"])) == b"content"


@pytest.mark.parametrize("content", [b"contend", b"conten", b"content and more"])
def test_other_content_is_refused(content: bytes) -> None:
    with pytest.raises(PushFailed, match="does not match its digest"):
        list(DigestVerifier(BLOB).wrap([content]))


def test_passes_on_no_byte_beyond_the_end() -> None:
    passing = DigestVerifier(BLOB).wrap([b"content", b" and more"])

    assert next(passing) == b"content"
    with pytest.raises(PushFailed):
        next(passing)


@pytest.mark.parametrize("offset", [0, 2, 4])
def test_repeated_bytes_are_hashed_once(offset: int) -> None:
    proof = DigestVerifier(BLOB)
    begun = proof.wrap([b"con", b"t", b"ent"])
    assert next(begun) + next(begun) == b"cont"

    assert b"".join(proof.wrap([b"content"[offset:]], offset=offset)) == b"content"[offset:]
    assert proof.bytes_hashed == 7


def test_refuses_a_damaged_end_after_a_good_beginning() -> None:
    proof = DigestVerifier(BLOB)
    next(proof.wrap([b"cont", b"ent"]))

    with pytest.raises(PushFailed):
        list(proof.wrap([b"end"], offset=4))
