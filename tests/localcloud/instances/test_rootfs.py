from __future__ import annotations

import os
import shutil
import stat
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.errors import Refused
from kaizen_tasks.localcloud.instances import rootfs
from kaizen_tasks.localcloud.instances.rootfs import read_image, resolve_in_root, unpack
from kaizen_tasks.localcloud.registry.manifests import digest_of
from kaizen_tasks.localcloud.registry.store import ImageStore
from tests.localcloud.layers import Shelf, archive, file, folder, hard_link, link, special

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.localcloud.instances.rootfs import PlatformImage


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(ImageStore(tmp_path / "store"))
    shelf.repository("app")
    return shelf


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "outside" / "root"


def image_of(shelf: Shelf, *archives: bytes) -> PlatformImage:
    return read_image(shelf.store, "app", shelf.image("app", archives))


def tree(root: Path) -> dict[str, str]:
    """Return the content of a folder: of files their content, of links their target, of folders a slash."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        else:
            found[name] = "/" if path.is_dir() else path.read_text()
    return found


def test_layers_are_extracted_over_each_other(shelf: Shelf, root: Path) -> None:
    lower = archive(folder("a"), file("a/kept", b"1"), file("a/changed", b"1"))
    upper = archive(file("a/changed", b"2"), file("./b/made", b"2"))
    unpack(image_of(shelf, lower, upper), root)
    assert tree(root) == {"a": "/", "a/kept": "1", "a/changed": "2", "b": "/", "b/made": "2"}


def test_uncompressed_layers_are_supported(shelf: Shelf, root: Path) -> None:
    digest = shelf.image("app", [archive(file("x", b"plain"))], compress=False)
    unpack(read_image(shelf.store, "app", digest), root)
    assert tree(root) == {"x": "plain"}


def test_whiteout_removes_files_and_folders(shelf: Shelf, root: Path) -> None:
    lower = archive(folder("a"), file("a/x"), folder("b"), file("b/y"), file("c", b"c"))
    upper = archive(file("a/.wh.x"), file(".wh.b"), file(".wh.nothing"))
    unpack(image_of(shelf, lower, upper), root)
    assert tree(root) == {"a": "/", "c": "c"}


def test_opaque_whiteout_keeps_entries_of_its_own_layer_only(shelf: Shelf, root: Path) -> None:
    lower = archive(folder("a"), file("a/old"), folder("a/sub"), file("a/sub/old"))
    upper = archive(file("a/new", b"2"), folder("a/sub"), file("a/sub/new", b"2"), file("a/.wh..wh..opq"))
    unpack(image_of(shelf, lower, upper), root)
    assert tree(root) == {"a": "/", "a/new": "2", "a/sub": "/", "a/sub/new": "2"}


def test_whiteout_keeps_entries_of_its_own_layer(shelf: Shelf, root: Path) -> None:
    unpack(image_of(shelf, archive(file("x", b"old")), archive(file("x", b"new"), file(".wh.x"))), root)
    assert tree(root) == {"x": "new"}


def test_whiteout_removes_a_link_and_not_its_target(shelf: Shelf, root: Path) -> None:
    victim = root.parent / "victim"
    victim.mkdir(parents=True)
    (victim / "kept").touch()
    unpack(image_of(shelf, archive(link("l", str(victim))), archive(file(".wh.l"))), root)
    assert (victim / "kept").exists()
    assert tree(root) == {}


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh..."])
def test_whiteout_of_dots_is_refused(shelf: Shelf, root: Path, name: str) -> None:
    with pytest.raises(Refused, match="whiteout"):
        unpack(image_of(shelf, archive(file(f"a/{name}"))), root)


def test_links_are_kept_and_followed_inside_the_root(shelf: Shelf, root: Path) -> None:
    lower = archive(folder("usr/bin"), link("bin", "usr/bin"), folder("run"), folder("var"), link("var/run", "/run"))
    upper = archive(file("bin/tool", b"t"), file("var/run/pid", b"1"))
    unpack(image_of(shelf, lower, upper), root)
    found = tree(root)
    assert found["bin"] == "-> usr/bin"
    assert found["var/run"] == "-> /run"
    assert found["usr/bin/tool"] == "t"
    assert found["run/pid"] == "1"


def test_later_entries_replace_links_and_folders(shelf: Shelf, root: Path) -> None:
    lower = archive(folder("real"), link("l", "real"), folder("d"), file("d/x"), file("f"))
    upper = archive(folder("l"), file("l/x", b"2"), file("d", b"file"), folder("f"))
    unpack(image_of(shelf, lower, upper), root)
    assert tree(root) == {"real": "/", "l": "/", "l/x": "2", "d": "file", "f": "/"}


def test_hard_link_is_not_affected_by_a_replaced_file(shelf: Shelf, root: Path) -> None:
    lower = archive(file("a", b"1"), hard_link("b", "a"), hard_link("c", "./a"))
    unpack(image_of(shelf, lower, archive(file("a", b"2"))), root)
    assert tree(root) == {"a": "2", "b": "1", "c": "1"}
    assert (root / "b").samefile(root / "c")


@pytest.mark.parametrize(
    "entries",
    [
        [file("../escaped")],
        [file("a/../../escaped")],
        [file("/escaped")],
        [folder("../escaped")],
        [link("../escaped", "x")],
        [file("../.wh.victim")],
        [link("l", "../.."), file("l/escaped")],
        [link("l", "/nowhere/inside"), file("l/escaped")],
        [link("l", "m"), link("m", "l"), file("l/escaped")],
        [folder("d"), link("d/l", ".."), link("m", "d/l/.."), file("m/escaped")],
        [link("l", ".."), file("l/.wh.victim")],
        [link("l", ".."), hard_link("h", "l/victim")],
        [hard_link("h", "../victim")],
        [hard_link("h", "/etc/passwd")],
        [hard_link("h", "missing")],
        [special("null", tarfile.CHRTYPE)],
        [special("disk", tarfile.BLKTYPE)],
        [special("pipe", tarfile.FIFOTYPE)],
    ],
)
@pytest.mark.parametrize("split", [False, True])
def test_layer_that_escapes_its_root_is_refused(
    shelf: Shelf, root: Path, entries: list[tuple[tarfile.TarInfo, bytes]], *, split: bool
) -> None:
    root.parent.mkdir()
    (root.parent / "victim").write_text("untouched")
    archives = [archive(entry) for entry in entries] if split else [archive(*entries)]
    with pytest.raises(Refused):
        unpack(image_of(shelf, *archives), root)
    assert tree(root.parent) == {"victim": "untouched"}


def test_file_replaces_a_link_without_following_it(shelf: Shelf, root: Path) -> None:
    victim = root.parent / "victim"
    victim.parent.mkdir()
    victim.write_text("untouched")
    unpack(image_of(shelf, archive(link("x", str(victim))), archive(file("x", b"new"))), root)
    assert victim.read_text() == "untouched"
    assert tree(root) == {"x": "new"}


def test_permissions_and_times_are_kept_without_set_user_id(shelf: Shelf, root: Path) -> None:
    unpack(image_of(shelf, archive(file("tool", b"", 0o4755), file("locked", b"", 0o000))), root)
    assert stat.S_IMODE((root / "tool").stat().st_mode) == 0o755
    assert stat.S_IMODE((root / "locked").stat().st_mode) == 0o600
    assert (root / "tool").stat().st_mtime == 1_700_000_000


def test_changed_layer_is_refused(shelf: Shelf, root: Path) -> None:
    image = image_of(shelf, archive(file("x", b"1")))
    path = image.layers[0].path
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(Refused, match="damaged"):
        unpack(image, root)
    assert not root.exists()


def test_truncated_layer_is_refused(shelf: Shelf, root: Path) -> None:
    image = image_of(shelf, archive(file("x", os.urandom(50_000))))
    path = image.layers[0].path
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(Refused, match="cannot be unpacked"):
        unpack(image, root)


def test_layer_with_another_diff_id_is_refused(shelf: Shelf, root: Path) -> None:
    digest = shelf.image("app", [archive(file("x"))], diff_ids=[digest_of(b"something else")])
    with pytest.raises(Refused, match="names"):
        unpack(read_image(shelf.store, "app", digest), root)
    assert not root.exists()


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python reads zstd")
def test_zstd_needs_a_newer_python(shelf: Shelf, root: Path) -> None:
    digest = shelf.image("app", [b"\x28\xb5\x2f\xfd rest"], compress=False)
    with pytest.raises(Refused, match="zstd"):
        unpack(read_image(shelf.store, "app", digest), root)


def test_index_is_resolved_to_this_machines_platform_or_amd64(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    amd64 = shelf.image("app", [archive(file("x", b"amd64"))])
    arm64 = shelf.image("app", [archive(file("x", b"arm64"))])
    index = shelf.index("app", {"linux/arm64": arm64, "linux/amd64": amd64})
    chosen = {}
    for machine in ("x86_64", "aarch64", "arm64", "riscv64"):
        monkeypatch.setattr("platform.machine", lambda machine=machine: machine)
        chosen[machine] = read_image(shelf.store, "app", index).digest
    assert chosen == {"x86_64": amd64, "aarch64": arm64, "arm64": arm64, "riscv64": amd64}


def test_index_without_a_usable_platform_is_refused(shelf: Shelf) -> None:
    image = shelf.image("app", [archive(file("x"))])
    with pytest.raises(Refused, match="linux/amd64"):
        read_image(shelf.store, "app", shelf.index("app", {"windows/amd64": image}))


def test_invalid_images_are_refused(shelf: Shelf) -> None:
    with pytest.raises(Refused, match="not a usable image"):
        read_image(shelf.store, "app", digest_of(b"missing"))


def test_configuration_of_an_image_is_read(shelf: Shelf) -> None:
    config = {"Entrypoint": ["run"], "Cmd": ["now"], "Env": ["A=1=2"], "WorkingDir": "/w", "Labels": {"l": "v"}}
    image = read_image(shelf.store, "app", shelf.image("app", [archive(file("x"))], config=config))
    assert (image.entrypoint, image.command) == (("run",), ("now",))
    assert (image.environment, image.working_directory, image.labels) == ({"A": "1=2"}, "/w", {"l": "v"})


def test_paths_are_resolved_as_if_the_root_were_the_file_system(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "bin").symlink_to("/usr/bin")
    (tmp_path / "usr/bin/editor").symlink_to("/etc/alternatives/editor")
    assert resolve_in_root(tmp_path, "/bin/editor") == tmp_path / "etc/alternatives/editor"
    with pytest.raises(Refused, match="out of the image"):
        resolve_in_root(tmp_path, "/usr/../../x")


def check_refused(shelf: Shelf, root: Path, layer: bytes, message: str) -> None:
    """Check that a layer is refused, and nothing of it is left."""
    image = image_of(shelf, layer)
    with pytest.raises(Refused, match=message):
        unpack(image, root)
    assert not root.exists()


def test_layers_that_unpack_to_too_much_are_refused(shelf: Shelf, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "MAX_UNPACKED_BYTES", 30_000)
    two = [archive(file("zeros", bytes(12_000))) for _ in range(2)]
    with pytest.raises(Refused, match="the image unpacks to more than 30,000 bytes"):
        unpack(image_of(shelf, *two), root)  # each of them is small enough
    unpack(image_of(shelf, two[0]), root)


def test_bytes_after_the_end_of_an_archive_count(shelf: Shelf, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "MAX_UNPACKED_BYTES", 30_000)
    check_refused(shelf, root, archive(file("small")) + bytes(30_000), "unpacks to more than 30,000 bytes")


def test_hole_of_a_sparse_file_counts(shelf: Shelf, root: Path) -> None:
    entry = tarfile.TarInfo("sparse")
    entry.pax_headers = {"GNU.sparse.size": str(1 << 60), "GNU.sparse.map": "0,0"}
    check_refused(shelf, root, archive((entry, b"")), "the image unpacks to more than")


def test_too_many_entries_are_refused(shelf: Shelf, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "MAX_ENTRIES", 3)
    unpack(image_of(shelf, archive(*(file(f"{number}") for number in range(3)))), root)
    shutil.rmtree(root)
    layer = archive(*(file("same") for _ in range(4)))
    check_refused(shelf, root, layer, "the image has more than 3 files and folders")


def test_deep_folders_are_refused(shelf: Shelf, root: Path) -> None:
    check_refused(shelf, root, archive(file("d/" * 300 + "x")), "'d/d/d'… is more than 256 folders deep")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_large_extended_header_is_not_read(shelf: Shelf, root: Path, kind: bytes) -> None:
    entry = tarfile.TarInfo("header")
    entry.type, entry.size = kind, 2 << 20
    layer = entry.tobuf(tarfile.USTAR_FORMAT) + bytes(2 << 20) + archive(file("x"))
    check_refused(shelf, root, layer, "a layer has an extended header of 2,097,152 bytes")


def test_large_configuration_is_not_read(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = shelf.image("app", [archive(file("x"))])
    monkeypatch.setattr(rootfs, "MAX_CONFIG_BYTES", 10)
    with pytest.raises(Refused, match="the configuration has more than 10 bytes"):
        read_image(shelf.store, "app", digest)
