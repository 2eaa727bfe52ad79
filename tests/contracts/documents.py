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

    def test_lists_the_files_of_a_folder(self, documents: ReleaseFiles) -> None:
        documents.write("changes/two.md", b"")
        documents.write("changes/one.md", b"")

        assert documents.names("changes") == ("one.md", "two.md")
        assert documents.names("") == ("VERSION",)
        assert documents.names("other") == ()

    def test_deletes_what_is_there(self, documents: ReleaseFiles) -> None:
        documents.delete("VERSION")
        documents.delete("VERSION")

        assert documents.read("VERSION") is None
        assert documents.names("") == ()
