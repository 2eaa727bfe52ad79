"""Content is held against what its name says."""

from __future__ import annotations

import pytest

from kaizen_tasks.adapters.oci.manifest import Descriptor, sha256
from kaizen_tasks.adapters.oci.verify import Proof
from kaizen_tasks.errors import PushFailed
from tests.oci_samples import LAYER

BLOB = Descriptor(digest=sha256(b"content"), media_type=LAYER, size=7)


def test_passes_content_on_that_is_what_its_name_says() -> None:
    assert b"".join(Proof(BLOB).follow([b"con", b"tent"])) == b"content"


@pytest.mark.parametrize("content", [b"contend", b"conten", b"content and more"])
def test_refuses_content_that_is_not_what_its_name_says(content: bytes) -> None:
    with pytest.raises(PushFailed, match="does not hold what its name says"):
        list(Proof(BLOB).follow([content]))


def test_passes_on_no_byte_beyond_the_end() -> None:
    passing = Proof(BLOB).follow([b"content", b" and more"])

    assert next(passing) == b"content"
    with pytest.raises(PushFailed):
        next(passing)


@pytest.mark.parametrize("offset", [0, 2, 4])
def test_counts_what_is_sent_again_once(offset: int) -> None:
    proof = Proof(BLOB)
    begun = proof.follow([b"con", b"t", b"ent"])
    assert next(begun) + next(begun) == b"cont"

    assert b"".join(proof.follow([b"content"[offset:]], offset=offset)) == b"content"[offset:]
    assert proof.seen == 7


def test_refuses_a_damaged_end_after_a_good_beginning() -> None:
    proof = Proof(BLOB)
    next(proof.follow([b"cont", b"ent"]))

    with pytest.raises(PushFailed):
        list(proof.follow([b"end"], offset=4))
