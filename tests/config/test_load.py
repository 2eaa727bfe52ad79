"""Finding and reading the configuration file, before anything is checked."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.config import load
from kaizen_tasks.config.tables import RawConfig

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = set(RawConfig._fields)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty folder, as a program that is installed elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "bin"), *sys.path])
    return tmp_path


def write(folder: Path, text: str, name: str = "kaizen.toml") -> Path:
    """Write a configuration file, and the folder for it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_the_file_is_found_from_a_subfolder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As git does."""
    write(folder, 'app = "web"\n')
    inside = folder / "src" / "pages"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)

    config_file = load.find_config_file()

    assert (config_file.root, config_file.table) == (folder, {"app": "web"})


def test_the_nearest_configuration_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app may lie inside another's repository."""
    write(folder, 'app = "outer"\n')
    monkeypatch.chdir(write(folder / "inner", 'app = "inner"\n'))

    assert load.find_config_file().table == {"app": "inner"}


def test_the_folder_of_tasks_py_comes_before_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`inv --search-root` puts it first on the path of imports."""
    write(folder, 'app = "here"\n')
    monkeypatch.setattr(sys, "path", [str(write(folder / "there", 'app = "there"\n')), *sys.path])

    assert load.find_config_file().table == {"app": "there"}


def test_an_empty_first_import_path_means_the_working_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python puts an empty string there in an interactive session."""
    write(folder, 'app = "here"\n')
    monkeypatch.setattr(sys, "path", ["", *sys.path])

    assert load.find_config_file().table == {"app": "here"}


def test_a_missing_file_is_reported_with_the_searched_folder(folder: Path) -> None:
    """It raises nothing: `inv --list` works anywhere."""
    config_file = load.find_config_file()

    assert config_file.table == {}
    assert config_file.error == f"kaizen.toml: not found in {folder} or above"
    assert "kaizen init" in config_file.hint


def test_kaizen_toml_comes_before_pyproject(tmp_path: Path) -> None:
    """Both may be there."""
    write(tmp_path, '[tool.kaizen]\napp = "project"\n', "pyproject.toml")
    write(tmp_path, 'app = "own"\n')

    config_file = load.read_config_file(tmp_path)

    assert config_file is not None
    assert (config_file.name, config_file.table) == ("kaizen.toml", {"app": "own"})


@pytest.mark.parametrize(
    "text",
    ["", '[project]\nname = "web"\n', "tool = 3\n", "[tool.ruff]\nline-length = 120\n", '[tool]\nx = "kaizen"\n'],
)
def test_a_pyproject_without_our_table_is_no_configuration(tmp_path: Path, text: str) -> None:
    """Every Python project has a `pyproject.toml`."""
    write(tmp_path, text, "pyproject.toml")

    assert load.read_config_file(tmp_path) is None


@pytest.mark.parametrize(
    ("file", "content", "name", "fault"),
    [
        ("kaizen.toml", b"app = \n", "kaizen.toml", "kaizen.toml: Invalid value (at line 1, column 7)"),
        ("kaizen.toml", b"[a.b]\n[a.b]\n", "kaizen.toml", "kaizen.toml: Cannot declare a.b twice (at line 2"),
        ("kaizen.toml", b"[a]\n[a]\n", "kaizen.toml", "kaizen.toml: Cannot declare a twice (at line 2"),
        ("kaizen.toml", b'app = "\xff"\n', "kaizen.toml", "kaizen.toml: 'utf-8' codec can't decode byte 0xff"),
        ("pyproject.toml", b"[tool\n", "pyproject.toml [tool.kaizen]", "pyproject.toml: Expected ']'"),
        ("pyproject.toml", b"tool.kaizen = 3\n", "pyproject.toml [tool.kaizen]", "should be a table"),
        ("pyproject.toml", b"tool.kaizen = []\n", "pyproject.toml [tool.kaizen]", "should be a table"),
    ],
)
def test_an_unreadable_file_is_an_empty_configuration_with_an_error(
    tmp_path: Path, file: str, content: bytes, name: str, fault: str
) -> None:
    """A task reports it; `inv --list` is not stopped by it."""
    (tmp_path / file).write_bytes(content)

    config_file = load.read_config_file(tmp_path)

    assert config_file is not None
    assert (config_file.name, config_file.table) == (name, {})
    assert fault in config_file.error
    assert config_file.hint


@pytest.mark.parametrize("content", [b'\xef\xbb\xbfapp = "web"\n', b'app = "web"\r\n'])
def test_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path, content: bytes) -> None:
    """A byte order mark is no part of the first key."""
    (tmp_path / "kaizen.toml").write_bytes(content)

    config_file = load.read_config_file(tmp_path)

    assert config_file is not None
    assert (config_file.table, config_file.error) == ({"app": "web"}, "")


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("name", ["kaizen.toml", "pyproject.toml"])
@pytest.mark.parametrize(
    ("make", "error"),
    [
        (make_fifo, "cannot be read: it is a named pipe, not a file"),
        (make_link_to_device, "cannot be read: it is a device, not a file"),
        (make_link_to_itself, "cannot be read: Too many levels of symbolic links"),
        (Path.mkdir, "cannot be read: it is a folder, not a file"),
    ],
)
def test_what_is_no_file_is_reported_at_once(
    tmp_path: Path, name: str, make: Callable[[Path], None], error: str
) -> None:
    """A pipe without a writer would hang every command, `--list` among them."""
    make(tmp_path / name)

    config_file = load.read_config_file(tmp_path)

    assert config_file is not None
    assert (config_file.error, config_file.table) == (f"{name} {error}", {})


def test_an_endless_file_is_reported(tmp_path: Path) -> None:
    with (tmp_path / "kaizen.toml").open("wb") as file:
        file.truncate(10**12)

    config_file = load.read_config_file(tmp_path)

    assert config_file is not None
    assert config_file.error == "kaizen.toml cannot be read: it is larger than 1,024 KiB"


def test_every_key_has_a_default() -> None:
    """Invoke's layers can override only what is there."""
    assert load.with_defaults({}).keys() == KEYS


def test_a_table_of_the_file_is_merged_with_its_defaults() -> None:
    """A table is merged, anything else replaced."""
    merged = load.with_defaults({"release": {"branches": ["next"]}, "pipeline": ["staging"]})

    assert merged["release"] == {**load.with_defaults({})["release"], "branches": ["next"]}
    assert merged["pipeline"] == ["staging"]


def test_changed_defaults_do_not_leak_into_the_next_call() -> None:
    """Invoke changes what it is given."""
    load.with_defaults({})["aws"]["region"] = "changed"

    assert load.with_defaults({})["aws"]["region"] == ""


def test_every_environment_has_every_key_for_invoke_to_override() -> None:
    """`INVOKE_ENVIRONMENTS_STAGING_URL` finds a key although the file does not say it."""
    merged = load.with_defaults({"environments": {"staging": {"url": "https://x"}, "prod": {}}})

    unset: dict[str, object] = {
        **dict.fromkeys(("platform", "repository", "service", "cluster", "container", "follow", "secret"), ""),
        **dict.fromkeys(("account", "region", "role", "external_id", "profile", "task"), ""),
        **{key: [] for key in ("formerly", "subnets", "security_groups")},
        **dict.fromkeys(("protected", "public_ip"), None),
        "min_age": None,
    }
    assert merged["environments"]["staging"] == {**unset, "url": "https://x"}
    assert merged["environments"]["prod"] == {**unset, "url": ""}


@pytest.mark.parametrize("raw", [{"environments": 3}, {"environments": {"staging": 3}}, {"aws": "eu-west-1"}])
def test_a_value_of_the_wrong_type_is_kept_for_validation(raw: load.TomlTable) -> None:
    """Nothing is dropped in silence."""
    merged = load.with_defaults(raw)

    assert {key: merged[key] for key in raw} == raw


@pytest.mark.parametrize("key", ["run", "tasks", "timeouts", "pipline"])
def test_unknown_keys_do_not_reach_invoke(key: str) -> None:
    """Some are Invoke's own, and it trips over a value of another type before validation can report it."""
    assert load.with_defaults({key: 3}).keys() == KEYS
