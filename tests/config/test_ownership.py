"""Which files of an app's folder another user could have written."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.config import ownership
from kaizen_tasks.config.ownership import OBEYED_FILE_NAMES, find_exposure

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = 4_294_967_294


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder below another, both this user's alone."""
    monkeypatch.setattr(sys, "path", [str(tmp_path / "bin"), *sys.path])
    folder = tmp_path / "shared" / "app"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def _another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be somebody who owns none of the files."""
    monkeypatch.setattr(ownership, "_trusted_uids", lambda: {NOBODY})


def test_own_files_are_obeyed(folder: Path) -> None:
    (folder / "kaizen.toml").touch()
    (folder / "tasks.py").touch()

    assert find_exposure(folder) is None


@pytest.mark.usefixtures("_another_user")
@pytest.mark.parametrize("name", OBEYED_FILE_NAMES)
def test_files_of_another_user_are_not_obeyed(folder: Path, name: str) -> None:
    """`invoke.py` is run as a configuration."""
    (folder / name).touch()

    exposure = find_exposure(folder)

    assert exposure is not None
    assert (exposure.folder, exposure.path) == (folder, folder)
    assert f"uid {os.getuid()}" in exposure.reason


@pytest.mark.usefixtures("_another_user")
def test_a_folder_without_such_files_is_anybodys(folder: Path) -> None:
    """`kaizen --version` works everywhere."""
    (folder / "README.md").touch()

    assert find_exposure(folder) is None


@pytest.mark.usefixtures("_another_user")
def test_tasks_file_in_another_folder_counts_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks_folder = folder.with_name("tasks_folder")
    tasks_folder.mkdir()
    (tasks_folder / "tasks.py").touch()
    monkeypatch.setattr(sys, "path", [str(tasks_folder), *sys.path])

    exposure = find_exposure(folder)

    assert exposure is not None
    assert exposure.folder == tasks_folder


@pytest.mark.parametrize("exposed", ["kaizen.toml", ".", ".."])
def test_what_every_user_can_change_is_not_obeyed(folder: Path, exposed: str) -> None:
    """The file, its folder, or a folder above, in which the folder could be replaced."""
    (folder / "kaizen.toml").touch()
    (folder / exposed).chmod(0o777)

    exposure = find_exposure(folder)

    assert exposure is not None
    assert exposure.path == (folder / exposed).resolve()
    assert exposure.reason == "can be changed by every user of this machine"


@pytest.mark.parametrize("exposed", [".", ".."])
def test_in_a_folder_with_the_sticky_bit_nobody_replaces_the_files_of_others(folder: Path, exposed: str) -> None:
    """Such as `/tmp`."""
    (folder / "kaizen.toml").touch()
    (folder / exposed).chmod(0o1777)

    assert find_exposure(folder) is None


def test_an_open_target_of_a_link_is_not_obeyed(folder: Path) -> None:
    target = folder.with_name("target.toml")
    target.touch()
    target.chmod(0o666)
    (folder / "kaizen.toml").symlink_to(target)

    assert find_exposure(folder) is not None


@pytest.mark.parametrize(
    ("euid", "sudo_uid", "trusted"),
    [
        (1000, None, {0, 1000}),
        (1000, "1001", {0, 1000}),
        (0, None, {0}),
        (0, "1001", {0, 1001}),
        (0, "²", {0}),
        (0, "-1", {0}),
    ],
)
def test_root_obeys_also_who_typed_sudo(
    monkeypatch: pytest.MonkeyPatch, euid: int, sudo_uid: str | None, trusted: set[int]
) -> None:
    """As git does; only sudo itself can set the variable for root."""
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    monkeypatch.delenv("SUDO_UID", raising=False)
    if sudo_uid is not None:
        monkeypatch.setenv("SUDO_UID", sudo_uid)

    assert ownership._trusted_uids() == trusted
