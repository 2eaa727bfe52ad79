"""What every kind of documents must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from kaizen_tasks.ports.scm import ReleaseFiles


class ReleaseFilesContract:
    """Subclasses provide the fixture `documents`, which hold VERSION with `1.2.2` and nothing else."""

    def test_reads_what_is_there(self, documents: ReleaseFiles) -> None:
        assert documents.read("VERSION") == b"1.2.2\n"
        assert documents.read("CHANGELOG.md") is None

    @pytest.mark.parametrize("content", [b"", b"1.2.3\r\nno end", b"\xff\x00\n"])
    def test_reads_what_was_written(self, documents: ReleaseFiles, content: bytes) -> None:
        documents.write("VERSION", content)
        documents.write("CHANGELOG.md", content)

        assert content == documents.read("VERSION") == documents.read("CHANGELOG.md")
