"""What the local cloud does on a full disk: it stores nothing by halves, and goes on when there is room again."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from typing import TYPE_CHECKING, Any, Self

import pytest

from kaizen_tasks.localcloud.apprunner.services import AppRunnerService, ServiceStore
from kaizen_tasks.localcloud.apprunner.shared_resources import AUTO_SCALING, SharedResourceStore
from kaizen_tasks.localcloud.logs.files import LogStore
from kaizen_tasks.localcloud.moto.journal import Journal, JournalRequest
from kaizen_tasks.localcloud.registry import blobs
from kaizen_tasks.localcloud.registry.repositories import ImageRepository
from kaizen_tasks.localcloud.registry.store import BLOB_MOUNTING, ImageStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
SERVICE = AppRunnerService(
    name="app", id="1", arn="arn", port=1, created=0, updated=0, resting="RUNNING", configuration={}, tags={}
)


class FullDisk:
    """A disk on which the next bytes have room, and no others."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def fill(self, room: int = 0) -> None:
        """Leave room for some bytes only."""
        free, write, fdopen = [room], os.write, os.fdopen

        def write_partly(descriptor: int, content: bytes) -> int:
            if not free[0]:
                raise FULL
            length = write(descriptor, content[: free[0]])
            free[0] -= length
            return length

        def open_full(descriptor: int, *arguments: Any) -> Any:
            return _FullFile(fdopen(descriptor, *arguments))

        self._monkeypatch.setattr(os, "write", write_partly)
        self._monkeypatch.setattr(os, "fdopen", open_full)

    def clear(self) -> None:
        """Make room again."""
        self._monkeypatch.undo()


class _FullFile:
    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, _content: bytes) -> int:
        raise FULL


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    return FullDisk(monkeypatch)


def check_refused(disk: FullDisk, change: Callable[[], object], *, named: Path | None = None) -> None:
    """Check that a change is refused on a full disk, and the file named."""
    disk.fill(room=3)
    with pytest.raises(OSError, match="No space left") as caught:
        change()
    assert named is None or caught.value.filename == str(named)
    disk.clear()


def test_images_and_settings_stay_as_they_were(tmp_path: Path, disk: FullDisk) -> None:
    store = ImageStore(tmp_path)
    store.create_repository(ImageRepository(name="app", created_at=1.5))
    check_refused(disk, lambda: store.create_repository(ImageRepository(name="other", created_at=2)))
    check_refused(disk, lambda: store.untag("app", "v1"))
    check_refused(disk, lambda: store.put_setting(BLOB_MOUNTING, "ENABLED"), named=tmp_path / "settings.json")
    for seen in (store, ImageStore(tmp_path)):
        assert seen.repositories() == [ImageRepository(name="app", created_at=1.5)]
        assert seen.get_setting(BLOB_MOUNTING) == "DISABLED"
    store.put_setting(BLOB_MOUNTING, "ENABLED")
    assert ImageStore(tmp_path).get_setting(BLOB_MOUNTING) == "ENABLED"


def test_services_stay_as_they_were(tmp_path: Path, disk: FullDisk) -> None:
    services = ServiceStore(tmp_path)
    check_refused(disk, lambda: services.put(SERVICE), named=tmp_path / "1.json")
    assert services.all() == ServiceStore(tmp_path).all() == ()
    services.put(SERVICE)
    assert services.all() == ServiceStore(tmp_path).all() == (SERVICE,)


def test_shared_resources_stay_as_they_were(tmp_path: Path, disk: FullDisk) -> None:
    resources = SharedResourceStore(tmp_path / "shared.json", "arn:aws:apprunner:eu-west-1:123456789012")
    before = resources.all(AUTO_SCALING)
    check_refused(disk, lambda: resources.create(AUTO_SCALING, "large", {}, {}))
    assert resources.all(AUTO_SCALING) == before


def test_journal_has_no_part_of_a_request(tmp_path: Path, disk: FullDisk) -> None:
    journal = Journal(tmp_path / "journal")
    request = JournalRequest(service="dynamodb", region="r", target="t", kind="k", content=b"c", seed=1, at=1)
    journal.append(request)
    check_refused(disk, lambda: journal.append(request), named=tmp_path / "journal")
    assert journal.length == 1
    journal.append(request)
    assert Journal(tmp_path / "journal").read() == [request, request]


def test_events_of_a_service_are_lost_whole_and_fail_nothing(tmp_path: Path, disk: FullDisk) -> None:
    logs = LogStore(tmp_path)
    logs.append_event("app/1", "one")
    disk.fill(room=3)
    logs.append_event("app/1", "two")
    disk.clear()
    logs.append_event("app/1", "three")
    streams = logs.streams("/aws/apprunner/app/1/service")
    assert streams is not None
    assert [event.message for event in streams[0].events] == ["[AppRunner] one", "[AppRunner] three"]


def test_upload_continues_after_the_last_complete_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = blobs.BlobStore(tmp_path)
    content = os.urandom(5000)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    upload_id = store.start_upload("app")
    upload = store.get_upload("app", upload_id)
    upload.append(io.BytesIO(content[:1000]))

    def write_a_part(file: io.FileIO, part: bytes) -> None:
        file.write(part[:500])
        raise FULL

    monkeypatch.setattr(blobs, "_write_all", write_a_part)
    with pytest.raises(OSError, match="No space left"):
        upload.append(io.BytesIO(content[1000:]))
    monkeypatch.undo()
    assert upload.size == 1000
    upload.append(io.BytesIO(content[1000:1200]), offset=1000)
    upload.append(io.BytesIO(content[1200:]), offset=1200)
    store.finish_upload("app", upload_id, digest)
    assert store.path(digest).read_bytes() == content
