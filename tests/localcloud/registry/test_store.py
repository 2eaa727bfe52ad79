"""The registry's store, without HTTP."""

from __future__ import annotations

import io
import json
import threading
from typing import TYPE_CHECKING

import attrs
import pytest

from kaizen_tasks.localcloud.atomic_write import write_atomically
from kaizen_tasks.localcloud.registry.manifests import MAX_INDEX_DEPTH, OCI_INDEX, OCI_MANIFEST, parse_manifest
from kaizen_tasks.localcloud.registry.registry_errors import (
    ImageExistsError,
    ManifestError,
    TagProtectedError,
    UnknownRepositoryError,
    UnknownUploadError,
)
from kaizen_tasks.localcloud.registry.repositories import ImageRepository
from kaizen_tasks.localcloud.registry.store import (
    BLOB_MOUNTING,
    ImageStore,
)
from tests.localcloud.samples import CONFIG, digest_of, image
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    store = ImageStore(tmp_path)
    store.create_repository(ImageRepository(name="team/app", created_at=1.5))
    return store


def upload(store: ImageStore, *blobs: bytes, name: str = "team/app") -> None:
    for blob in blobs:
        identifier = store.blobs.start_upload(name)
        store.blobs.get_upload(name, identifier).append(io.BytesIO(blob))
        store.add_layer(name, identifier, digest_of(blob))


def push(store: ImageStore, tag: str, *layers: bytes, name: str = "team/app") -> str:
    upload(store, CONFIG, *layers, name=name)
    manifest = parse_manifest(image(*layers))
    store.put_image(name, manifest, tag)
    return manifest.digest


def test_content_survives_a_restart(store: ImageStore, tmp_path: Path) -> None:
    digest = push(store, "v1", b"layer")
    store.update_repository(
        "team/app", lambda now: attrs.evolve(now, labels={"a": "b"}, exclusions=("x",), lifecycle="{}")
    )
    store.put_setting(BLOB_MOUNTING, "ENABLED")
    again = ImageStore(tmp_path)
    assert again.repositories() == store.repositories()
    assert again.resolve("team/app", "v1") == digest
    assert again.manifest("team/app", digest).content == image(b"layer")
    assert again.get_setting(BLOB_MOUNTING) == "ENABLED"


def test_tags_and_digests_are_resolved(store: ImageStore) -> None:
    digest = push(store, "v1", b"layer")
    assert store.resolve("team/app", "v1") == store.resolve("team/app", digest) == digest
    assert store.resolve("team/app", "v2") is None
    assert store.resolve("nowhere", "v1") is None
    with pytest.raises(UnknownRepositoryError):
        store.manifest("nowhere", digest)


def test_listeners_are_called_for_moved_tags_only(store: ImageStore) -> None:
    heard: list[tuple[str, str, str]] = []
    store.on_tag_moved(lambda *moved: heard.append(moved))
    first, second = push(store, "latest", b"one"), push(store, "latest", b"two")
    with pytest.raises(ImageExistsError):
        push(store, "latest", b"two")
    assert heard == [("team/app", "latest", first), ("team/app", "latest", second)]


def test_listeners_run_without_the_stores_lock(store: ImageStore) -> None:
    seen: list[str | None] = []

    def listener(repository: str, tag: str, _digest: str) -> None:
        thread = threading.Thread(
            target=lambda: seen.append(store.update_repository(repository, lambda now: now).tags.get(tag))
        )
        thread.start()
        thread.join(timeout=HANG_SECONDS)

    store.on_tag_moved(listener)
    digest = push(store, "v1", b"layer")
    assert seen == [digest]


@pytest.mark.parametrize(
    ("mutability", "filters", "tag", "protected"),
    [
        ("MUTABLE", (), "v1", False),
        ("IMMUTABLE", (), "latest", True),
        ("IMMUTABLE_WITH_EXCLUSION", ("latest",), "latest", False),
        ("IMMUTABLE_WITH_EXCLUSION", ("latest",), "latest2", True),
        ("IMMUTABLE_WITH_EXCLUSION", ("dev-*", "*.x"), "v1.x", False),
        ("IMMUTABLE_WITH_EXCLUSION", ("v1.*",), "v12", True),
        ("MUTABLE_WITH_EXCLUSION", ("v*",), "v1", True),
        ("MUTABLE_WITH_EXCLUSION", ("v*",), "latest", False),
    ],
)
def test_mutability_and_exclusions_protect_tags(
    store: ImageStore, mutability: str, filters: tuple[str, ...], tag: str, protected: bool
) -> None:
    push(store, tag, b"one")
    store.update_repository("team/app", lambda now: attrs.evolve(now, mutability=mutability, exclusions=filters))
    if protected:
        with pytest.raises(TagProtectedError):
            push(store, tag, b"two")
    else:
        push(store, tag, b"two")
    kept = image(b"one") if protected else image(b"two")
    assert store.resolve("team/app", tag) == digest_of(kept)


def test_immutable_tag_is_created_by_one_of_many_threads(store: ImageStore) -> None:
    store.update_repository("team/app", lambda now: attrs.evolve(now, mutability="IMMUTABLE"))
    layers = [bytes([number]) for number in range(8)]
    upload(store, CONFIG, *layers)
    won: list[bytes] = []
    start = threading.Barrier(len(layers))

    def race(layer: bytes) -> None:
        start.wait()
        try:
            store.put_image("team/app", parse_manifest(image(layer)), "v1")
        except TagProtectedError:
            return
        won.append(layer)

    threads = [threading.Thread(target=race, args=(layer,)) for layer in layers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [digest_of(image(layer)) for layer in won] == [store.resolve("team/app", "v1")]


def test_concurrent_writes_are_all_kept(store: ImageStore, tmp_path: Path) -> None:
    threads = [threading.Thread(target=push, args=(store, f"v{number}", bytes([number]))) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(ImageStore(tmp_path).repository("team/app").tags) == {f"v{number}" for number in range(8)}


def test_similar_and_long_names_have_files_of_their_own(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    names = ["a/b", "a.b", "a" * 256, "a" * 255 + "b"]
    for name in names:
        store.create_repository(ImageRepository(name=name, created_at=0))
    assert [found.name for found in ImageStore(tmp_path).repositories()] == sorted(names)


def test_deleted_repository_leaves_no_files(store: ImageStore, tmp_path: Path) -> None:
    push(store, "v1", b"layer")
    store.delete_repository("team/app")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_unfinished_uploads_are_deleted_at_the_next_start(store: ImageStore, tmp_path: Path) -> None:
    identifier = store.blobs.start_upload("team/app")
    again = ImageStore(tmp_path)
    assert list((tmp_path / "uploads").iterdir()) == []
    with pytest.raises(UnknownUploadError):
        again.blobs.get_upload("team/app", identifier)


@pytest.mark.parametrize("digest", ["", "sha256:..", "sha256:" + "A" * 64, "../../etc/passwd"])
def test_path_of_an_invalid_digest_is_refused(store: ImageStore, digest: str) -> None:
    with pytest.raises(ValueError, match="is not a digest"):
        store.blobs.path(digest)


def test_size_of_an_index_is_that_of_its_largest_child(store: ImageStore) -> None:
    push(store, "small", b"s")
    push(store, "large", b"l" * 100)
    manifests = [{"mediaType": "x", "digest": digest_of(image(layer)), "size": 1} for layer in (b"s", b"l" * 100)]
    document = {"schemaVersion": 2, "manifests": manifests}
    index = parse_manifest(json.dumps(document).encode())
    store.put_image("team/app", index, "both")
    assert store.repository("team/app").images[index.digest].size == len(CONFIG) + 100


def test_failed_write_leaves_only_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")  # type: ignore[arg-type]  # the mistake is the test
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"old", [path])


def test_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    write_atomically(tmp_path / "secret", b"x")
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


def push_index(store: ImageStore, *children: str) -> str:
    descriptors = [{"mediaType": OCI_MANIFEST, "digest": child, "size": 1} for child in children]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": descriptors}
    manifest = parse_manifest(json.dumps(document).encode())
    store.put_image("team/app", manifest)
    return manifest.digest


def test_indexes_within_one_another_are_limited(store: ImageStore) -> None:
    digest = push(store, "v1", b"layer")
    for _ in range(MAX_INDEX_DEPTH):
        digest = push_index(store, digest)
    with pytest.raises(ManifestError, match="More than 4 indexes contain one another"):
        push_index(store, digest)


def test_image_lists_of_large_repositories_read_each_tag_once(store: ImageStore) -> None:
    push(store, "v1", b"layer")
    repository = store.repository("team/app")
    tags = CountingTags({f"v{number}": f"sha256:{number:064}" for number in range(100)})
    large = attrs.evolve(repository, tags=tags)
    assert [large.tags_of(digest) for digest in tags.values()] == [[tag] for tag in tags]
    assert tags.walks <= 3


class CountingTags(dict[str, str]):
    """Tags that count how often they are iterated over."""

    walks = 0

    def __iter__(self) -> Iterator[str]:
        self.walks += 1
        return super().__iter__()


def test_latest_is_the_last_of_the_tags_of_an_image(store: ImageStore) -> None:
    digest = push(store, "latest", b"layer")
    for tag in ("v2", "v1"):
        store.put_image("team/app", store.manifest("team/app", digest), tag)
    assert store.repository("team/app").tags_of(digest) == ["v1", "v2", "latest"]
    store.untag("team/app", "v1")
    assert store.repository("team/app").tags_of(digest) == ["v2", "latest"]
