"""Folders of users who may have no home, or one that they cannot write to."""

from __future__ import annotations

import errno
import os
import pwd
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

from kaizen_tasks.adapters.host import user_folders
from kaizen_tasks.adapters.host.user_folders import cache_folder, home_folder, state_folder
from kaizen_tasks.errors import Refused


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder, besides that for temporary files, that this user knows."""
    for name in ("temp", "work", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    return tmp_path / "home"


@pytest.fixture
def temporary(home: Path) -> Path:
    return home.with_name("temp") / f"kaizen-{os.geteuid()}"


@pytest.fixture
def _no_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in `docker run --user 12345`."""

    def unknown(_: object) -> NoReturn:
        raise KeyError

    monkeypatch.chdir(home.with_name("work"))
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def close(monkeypatch: pytest.MonkeyPatch, closed: Path, code: int = errno.EACCES) -> None:
    """Let a folder take no other one; root ignores permissions."""
    mkdir = os.mkdir

    def refuse(path: Path, mode: int = 0o777) -> None:
        if Path(path).parent == closed:
            raise OSError(code, os.strerror(code), str(path))
        mkdir(path, mode)

    monkeypatch.setattr(os, "mkdir", refuse)


def test_folders_are_below_the_home(home: Path) -> None:
    assert cache_folder() == home / ".cache" / "kaizen"
    assert state_folder() == home / ".local" / "state" / "kaizen"
    assert (home / ".cache" / "kaizen").stat().st_mode & 0o777 == 0o700


def test_variables_come_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "c"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "s"))

    assert (cache_folder(), state_folder()) == (home / "c" / "kaizen", home / "s" / "kaizen")


@pytest.mark.parametrize("value", ["", "relative"])
def test_relative_variables_are_ignored(home: Path, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As their specification says."""
    monkeypatch.setenv("XDG_CACHE_HOME", value)

    assert cache_folder() == home / ".cache" / "kaizen"


@pytest.mark.usefixtures("_no_home")
def test_without_a_home_folders_are_temporary_and_private(temporary: Path) -> None:
    assert home_folder() is None
    assert cache_folder() == state_folder() == temporary
    assert temporary.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOENT, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EIO])
def test_closed_home_is_replaced(home: Path, temporary: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the system says: `/proc` has no entry of that name, and `/sys` does not permit one."""
    close(monkeypatch, home, code)

    assert cache_folder() == state_folder() == temporary


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOENT, errno.EPERM])
def test_closed_cache_of_the_variable_is_replaced(
    home: Path, temporary: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    close(monkeypatch, home, code)

    assert cache_folder() == temporary


@pytest.mark.parametrize(
    ("code", "cause"), [(errno.ENOENT, "No such file or directory"), (errno.EACCES, "Permission denied")]
)
def test_closed_state_folder_of_the_variable_is_refused(
    home: Path, code: int, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cloud would be looked for in vain in another folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    close(monkeypatch, home, code)

    with pytest.raises(Refused) as refused:
        state_folder()
    assert refused.value.message == f"XDG_STATE_HOME: {home}/kaizen: {cause}"
    assert refused.value.hint == "unset XDG_STATE_HOME, or set it to a folder that you can write to"


@pytest.mark.usefixtures("_no_home")
def test_file_in_place_of_the_temporary_folder_is_refused(temporary: Path) -> None:
    temporary.touch()

    with pytest.raises(Refused, match="File exists") as refused:
        cache_folder()
    assert refused.value.hint == "set XDG_CACHE_HOME to a folder that you can write to"


def test_closed_cache_is_replaced(home: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one that `sudo` has made."""
    (home / ".cache").mkdir()
    close(monkeypatch, home / ".cache")

    assert cache_folder() == temporary


@pytest.mark.parametrize("mode", [0o777, 0o757])
def test_folder_that_others_may_write_to_is_replaced(home: Path, temporary: Path, mode: int) -> None:
    """Images are pushed from there."""
    (home / ".cache" / "kaizen").mkdir(parents=True)
    (home / ".cache" / "kaizen").chmod(mode)

    assert cache_folder() == temporary


def test_file_in_place_of_the_home_is_replaced(home: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").touch()
    monkeypatch.setenv("HOME", str(home / "file"))

    assert cache_folder() == temporary


@pytest.mark.usefixtures("_no_home")
@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_temporary_folder_that_others_can_read_is_refused(temporary: Path, mode: int) -> None:
    """Others may create it first."""
    temporary.mkdir()
    temporary.chmod(mode)

    with pytest.raises(Refused, match="accessible to other users") as refused:
        cache_folder()
    assert refused.value.hint == "set XDG_CACHE_HOME to a folder that you can write to"


@pytest.mark.usefixtures("_no_home")
def test_temporary_link_is_refused(temporary: Path) -> None:
    temporary.with_name("elsewhere").mkdir(mode=0o700)
    temporary.symlink_to(temporary.with_name("elsewhere"))

    with pytest.raises(Refused, match="accessible to other users"):
        cache_folder()


@pytest.mark.usefixtures("_no_home")
def test_working_directory_is_no_place_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(Path.cwd()))

    with pytest.raises(Refused, match="no folder for temporary files"):
        user_folders.state_folder()
