"""Content of registries that is kept on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.oci.content_cache import ContentCache
from kaizen_tasks.adapters.oci.manifest import sha256_digest

if TYPE_CHECKING:
    from pathlib import Path


def test_content_is_found_by_its_digest(tmp_path: Path) -> None:
    ContentCache(tmp_path / "new" / "folder").write(b"content")

    assert ContentCache(tmp_path / "new" / "folder").read(sha256_digest(b"content")) == b"content"
    assert ContentCache(tmp_path / "new" / "folder").read(sha256_digest(b"other")) is None
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == [
        sha256_digest(b"content").replace(":", "-")
    ]


@pytest.mark.parametrize("digest", ["", "sha256:", "sha256:../../secret", "sha512:" + "a" * 128, "sha256:" + "A" * 64])
def test_what_is_no_digest_names_no_file(tmp_path: Path, digest: str) -> None:
    (tmp_path / "secret").write_bytes(b"secret")

    assert ContentCache(tmp_path / "a" / "b").read(digest) is None


def test_failed_write_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / sha256_digest(b"content").replace(":", "-")).mkdir()

    ContentCache(tmp_path).write(b"content")

    assert len([*tmp_path.iterdir()]) == 1
