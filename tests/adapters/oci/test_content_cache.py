"""Content of registries that is kept on this machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.oci import content_cache
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


def test_what_was_written_first_goes_when_there_is_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_cache, "MAX_FILES", 2)
    cache = ContentCache(tmp_path)
    for moment, content in enumerate((b"first", b"second", b"third")):
        cache.write(content)
        path = tmp_path / sha256_digest(content).replace(":", "-")
        os.utime(path, (moment, moment))

    cache.write(b"fourth")

    assert [cache.read(sha256_digest(content)) for content in (b"first", b"second", b"third", b"fourth")] == [
        None, None, b"third", b"fourth",
    ]  # fmt: skip
