"""Where the configuration is found, and what it says before anybody has checked it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.config import load

if TYPE_CHECKING:
    from pathlib import Path

KEYS = {
    "app",
    "pipeline",
    "smoke",
    "docs_checklist",
    "aws",
    "build",
    "release",
    "tag",
    "defaults",
    "environments",
    "groups",
    "deploy",
    "verify",
    "evidence",
    "rollout",
    "runtime",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder, as a program that was installed elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "bin"), *sys.path])
    return tmp_path


def write(folder: Path, text: str, name: str = "kaizen.toml") -> Path:
    """Write a configuration file, and the folder for it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_finds_the_app_from_a_folder_inside_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As git does."""
    write(folder, 'app = "web"\n')
    inside = folder / "src" / "pages"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)

    found = load.find_config_file()

    assert (found.root, found.table) == (folder, {"app": "web"})


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


def test_a_path_of_imports_that_begins_with_nothing_means_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python puts an empty string there in an interactive session."""
    write(folder, 'app = "here"\n')
    monkeypatch.setattr(sys, "path", ["", *sys.path])

    assert load.find_config_file().table == {"app": "here"}


def test_says_where_it_has_looked(folder: Path) -> None:
    """There is no configuration here, which is a fault and not an error yet: `inv --list` works anywhere."""
    found = load.find_config_file()

    assert found.table == {}
    assert found.error == f"kaizen.toml: there is none in {folder} or above"
    assert "kaizen init" in found.hint


def test_a_file_of_its_own_comes_before_pyproject(tmp_path: Path) -> None:
    """Both may be there."""
    write(tmp_path, '[tool.kaizen]\napp = "project"\n', "pyproject.toml")
    write(tmp_path, 'app = "own"\n')

    found = load.read_config_file(tmp_path)

    assert found is not None
    assert (found.name, found.table) == ("kaizen.toml", {"app": "own"})


@pytest.mark.parametrize(
    "text",
    ["", '[project]\nname = "web"\n', "tool = 3\n", "[tool.ruff]\nline-length = 120\n", '[tool]\nx = "kaizen"\n'],
)
def test_a_project_that_says_nothing_of_us_is_not_a_configuration(tmp_path: Path, text: str) -> None:
    """Every Python project has a `pyproject.toml`."""
    write(tmp_path, text, "pyproject.toml")

    assert load.read_config_file(tmp_path) is None


@pytest.mark.parametrize(
    ("file", "content", "name", "fault"),
    [
        ("kaizen.toml", b"app = \n", "kaizen.toml", "kaizen.toml: Invalid value (at line 1, column 7)"),
        ("kaizen.toml", b'app = "\xff"\n', "kaizen.toml", "kaizen.toml: 'utf-8' codec can't decode byte 0xff"),
        ("pyproject.toml", b"[tool\n", "pyproject.toml [tool.kaizen]", "pyproject.toml: Expected ']'"),
        ("pyproject.toml", b"tool.kaizen = 3\n", "pyproject.toml [tool.kaizen]", "should be a table"),
        ("pyproject.toml", b"tool.kaizen = []\n", "pyproject.toml [tool.kaizen]", "should be a table"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_fault_of_a_configuration_without_content(
    tmp_path: Path, file: str, content: bytes, name: str, fault: str
) -> None:
    """The reader tells it when a task runs; `inv --list` is not stopped by it."""
    (tmp_path / file).write_bytes(content)

    found = load.read_config_file(tmp_path)

    assert found is not None
    assert (found.name, found.table) == (name, {})
    assert fault in found.error
    assert found.hint


@pytest.mark.parametrize("content", [b'\xef\xbb\xbfapp = "web"\n', b'app = "web"\r\n'])
def test_reads_what_editors_on_windows_write(tmp_path: Path, content: bytes) -> None:
    """A byte order mark is no part of the first key."""
    (tmp_path / "kaizen.toml").write_bytes(content)

    found = load.read_config_file(tmp_path)

    assert found is not None
    assert (found.table, found.error) == ({"app": "web"}, "")


def test_a_folder_named_like_the_file_is_not_one(tmp_path: Path) -> None:
    """Then the search goes on."""
    (tmp_path / "kaizen.toml").mkdir()

    assert load.read_config_file(tmp_path) is None


def test_every_key_has_a_default() -> None:
    """Invoke's layers can override only what is there."""
    assert load.with_defaults({}).keys() == KEYS


def test_what_is_said_lies_over_the_defaults_key_by_key() -> None:
    """A table is merged, anything else replaced."""
    merged = load.with_defaults({"release": {"branches": ["next"]}, "pipeline": ["staging"]})

    assert merged["release"] == {**load.with_defaults({})["release"], "branches": ["next"]}
    assert merged["pipeline"] == ["staging"]


def test_the_defaults_are_new_each_time() -> None:
    """Invoke changes what it is given."""
    load.with_defaults({})["aws"]["region"] = "changed"

    assert load.with_defaults({})["aws"]["region"] == ""


def test_every_environment_gets_the_keys_that_may_be_overridden() -> None:
    """`INVOKE_ENVIRONMENTS_STAGING_URL` finds a key although the file does not say it."""
    merged = load.with_defaults({"environments": {"staging": {"url": "https://x"}, "prod": {}}})

    inherited = dict.fromkeys(("platform", "repository", "service", "secret", "min_age"), "")
    assert merged["environments"]["staging"] == {**inherited, "url": "https://x"}
    assert merged["environments"]["prod"]["url"] == ""


@pytest.mark.parametrize("raw", [{"environments": 3}, {"environments": {"staging": 3}}, {"aws": "eu-west-1"}])
def test_what_has_the_wrong_type_stays_for_the_reader_to_tell(raw: load.TomlTable) -> None:
    """Nothing is dropped in silence."""
    merged = load.with_defaults(raw)

    assert {key: merged[key] for key in raw} == raw


@pytest.mark.parametrize("key", ["run", "tasks", "timeouts", "pipline"])
def test_unknown_keys_do_not_reach_invoke(key: str) -> None:
    """Some are Invoke's own, and it trips over a value of another type before the reader can tell."""
    assert load.with_defaults({key: 3}).keys() == KEYS
