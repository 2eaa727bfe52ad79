"""Files on disk and in memory, and overlays over them."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.host.atomic_write import OverlayFiles, WorkingTree
from kaizen_tasks.errors import Refused
from kaizen_tasks.ports.scm import FileLocation
from tests.contracts.documents import ReleaseFilesContract
from tests.fakes.release_files import FakeReleaseFiles

if TYPE_CHECKING:
    from pathlib import Path


class TestWorkingTree(ReleaseFilesContract):
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        root = tmp_path / "app"
        root.mkdir()
        (root / "VERSION").write_bytes(b"1.2.2\n")
        return root

    @pytest.fixture
    def documents(self, root: Path) -> WorkingTree:
        return WorkingTree(root)

    def test_finds_where_a_file_really_is(self, documents: WorkingTree, root: Path, tmp_path: Path) -> None:
        (root / "docs" / ".git").mkdir(parents=True)
        (root / "link").symlink_to("docs/log.md")
        (root / "out").symlink_to(tmp_path / "log.md")

        assert documents.locate("VERSION") == FileLocation(path="VERSION")
        assert documents.locate("none.md") == FileLocation(path="none.md")
        assert documents.locate("link") == FileLocation(path="docs/log.md")
        assert documents.locate("out") == FileLocation(path=str(tmp_path / "log.md"))
        assert documents.locate("docs/log.md") == FileLocation(path="docs/log.md", repository="docs")

    @pytest.mark.parametrize("mode", [0o600, 0o644, 0o755])
    def test_keeps_the_mode(self, documents: WorkingTree, root: Path, mode: int) -> None:
        (root / "VERSION").chmod(mode)
        documents.write("VERSION", b"1.2.3\n")

        assert mode == (root / "VERSION").stat().st_mode & 0o777

    def test_open_readers_keep_the_old_content(self, documents: WorkingTree, root: Path) -> None:
        with (root / "VERSION").open("rb") as reader:
            documents.write("VERSION", b"1.2.3\n")

            assert reader.read() == b"1.2.2\n"

    def test_failed_write_changes_nothing(
        self, documents: WorkingTree, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(Refused, match="VERSION cannot be written: No space left on device"):
            documents.write("VERSION", b"1.2.3\n")
        assert [path.name for path in root.iterdir()] == ["VERSION"]
        assert documents.read("VERSION") == b"1.2.2\n"

    @pytest.mark.parametrize("survives_power_loss", [True, False])
    def test_waits_for_the_disk_unless_something_else_has_the_content(
        self, *, root: Path, survives_power_loss: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waits: list[int] = []
        monkeypatch.setattr(os, "fsync", waits.append)
        documents = WorkingTree(root, survives_power_loss=survives_power_loss)
        documents.write("VERSION", b"1.2.3\n")

        assert documents.read("VERSION") == b"1.2.3\n"
        assert bool(waits) == survives_power_loss

    def test_temporary_file_of_a_killed_writer_is_removed(self, documents: WorkingTree, root: Path) -> None:
        for name in (".VERSION.0123abcd.tmp", ".VERSION.mine.tmp", ".OTHER.0123abcd.tmp"):
            (root / name).write_bytes(b"half")
        documents.write("VERSION", b"1.2.3\n")

        assert {path.name for path in root.iterdir()} == {"VERSION", ".VERSION.mine.tmp", ".OTHER.0123abcd.tmp"}

    def test_temporary_file_of_a_running_writer_stays(self, documents: WorkingTree, root: Path) -> None:
        with (root / ".VERSION.0123abcd.tmp").open("xb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            documents.write("VERSION", b"1.2.3\n")

        assert (root / ".VERSION.0123abcd.tmp").exists()

    def test_refuses_to_replace_a_link(self, documents: WorkingTree, root: Path) -> None:
        (root / "link").symlink_to("VERSION")

        with pytest.raises(Refused, match="link is a symbolic link"):
            documents.write("link", b"1.2.3\n")
        assert (root / "link").is_symlink()

    def test_refuses_to_replace_a_pipe(self, documents: WorkingTree, root: Path) -> None:
        os.mkfifo(root / "pipe")

        with pytest.raises(Refused, match="pipe is a named pipe: writing would put a file in its place"):
            documents.write("pipe", b"1.2.3\n")
        assert (root / "pipe").is_fifo()

    @pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "a/../../outside", "", "away/file"])
    def test_refuses_to_leave_its_folder(self, documents: WorkingTree, root: Path, name: str) -> None:
        (root / "away").symlink_to(root.parent)
        (root.parent / "file").touch()

        with pytest.raises(Refused):
            documents.read(name)
        with pytest.raises(Refused):
            documents.write(name, b"text")
        assert sorted(path.name for path in root.parent.iterdir()) == ["app", "file"]

    def test_refuses_a_pipe_at_once(self, documents: WorkingTree, root: Path) -> None:
        """Nobody may ever write to it."""
        os.mkfifo(root / "CHANGELOG.md")

        with pytest.raises(Refused, match=r"CHANGELOG.md cannot be read: it is a named pipe, not a file"):
            documents.read("CHANGELOG.md")

    def test_refuses_what_has_no_end(self, documents: WorkingTree, root: Path) -> None:
        (root / "CHANGELOG.md").symlink_to("/dev/zero")
        with (root / "package.json").open("wb") as file:
            file.truncate(10**12)

        with pytest.raises(Refused, match=r"CHANGELOG.md cannot be read: it is a device, not a file"):
            documents.read("CHANGELOG.md")
        with pytest.raises(Refused, match=r"package.json cannot be read: it is larger than 16,384 KiB"):
            documents.read("package.json")

    def test_refuses_a_folder_in_place_of_a_file(self, documents: WorkingTree, root: Path) -> None:
        (root / "docs").mkdir()

        with pytest.raises(Refused, match="docs cannot be read"):
            documents.read("docs")
        with pytest.raises(Refused, match="docs cannot be written"):
            documents.write("docs", b"")
        assert sorted(path.name for path in root.iterdir()) == ["VERSION", "docs"]


class TestFakeDocuments(ReleaseFilesContract):
    @pytest.fixture
    def documents(self) -> FakeReleaseFiles:
        return FakeReleaseFiles({"VERSION": b"1.2.2\n"})


class TestDraft(ReleaseFilesContract):
    @pytest.fixture
    def below(self) -> FakeReleaseFiles:
        return FakeReleaseFiles({"VERSION": b"1.2.2\n"})

    @pytest.fixture
    def documents(self, below: FakeReleaseFiles) -> OverlayFiles:
        return OverlayFiles(below)

    def test_keeps_what_was_written_to_itself(self, documents: OverlayFiles, below: FakeReleaseFiles) -> None:
        documents.write("VERSION", b"1.2.3\n")

        assert below.files == {"VERSION": b"1.2.2\n"}
        assert documents.read("VERSION") == b"1.2.3\n"
