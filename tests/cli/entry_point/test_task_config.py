"""Invoke's configuration files: one that cannot be read, or does not fit, is named."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from invoke.config import Config
from invoke.exceptions import Exit

from kaizen_tasks.cli.entry_point.task_config import TaskConfig

if TYPE_CHECKING:
    from pathlib import Path

DEFAULTS = {"app": "web", "verify": {"matches": 3, "headers": {}}, "notify": []}


def read(folder: Path, config_class: type[Config] = TaskConfig) -> Config:
    """Read the configuration of a folder as Invoke's program does."""
    config = config_class(defaults=DEFAULTS, system_prefix=f"{folder}/none/", user_prefix=f"{folder}/none/.")
    config.set_project_location(str(folder))
    config.load_project()
    return config


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("app: {name: web}", "app should not be a table"),
        ("notify: {slack: x}", "notify should not be a table"),
        ("verify: 5", "verify should be a table"),
        ("verify:", "verify should be a table"),
        ("verify: {headers: x}", "verify.headers should be a table"),
        ("verify: {matches: {a: 1}}", "verify.matches should not be a table"),
        ("just text", "it should be a table"),
        ("- app", "it should be a table"),
        ("app: [", "ParserError: while parsing a flow node"),
    ],
)
def test_yaml_that_does_not_fit(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "invoke.yaml").write_text(f"{content}\n", encoding="utf-8")

    with pytest.raises(Exit) as caught:
        read(tmp_path)

    assert caught.value.code == 2
    assert f"invoke.yaml: {problem}" in str(caught.value.message)
    assert len(str(caught.value.message).splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("invoke.json", '{"app"', "JSONDecodeError: Expecting ':'"),
        ("invoke.py", "import os", "'os' is a module"),
        ("invoke.py", "1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_other_formats_that_cannot_be_read(tmp_path: Path, name: str, content: str, problem: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")

    with pytest.raises(Exit, match="error: ") as caught:
        read(tmp_path)

    assert f"error: {name}: {problem}" in str(caught.value.message)


def test_later_files_that_cannot_be_read(tmp_path: Path) -> None:
    config = read(tmp_path)
    (tmp_path / "further.toml").write_text("app = 'x'", encoding="utf-8")
    config.set_runtime_path(tmp_path / "further.toml")

    with pytest.raises(Exit, match="Config files of type 'toml'"):
        config.load_runtime()


@pytest.mark.parametrize("content", ["", "app: shop", "verify: {matches: 7}", "unknown: {a: 1}", "notify: [{url: x}]"])
def test_files_that_fit_are_merged_as_invoke_merges_them(tmp_path: Path, content: str) -> None:
    (tmp_path / "invoke.yaml").write_text(f"{content}\n", encoding="utf-8")

    assert dict(read(tmp_path)) == dict(read(tmp_path, Config))


@pytest.mark.integration
def test_inv_says_it_too(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("from kaizen_tasks import namespace\n", encoding="utf-8")
    (tmp_path / "kaizen.toml").write_text('app = "web"\n', encoding="utf-8")
    (tmp_path / "invoke.yaml").write_text("changelog: 5\n", encoding="utf-8")

    ran = subprocess.run(
        (sys.executable, "-m", "invoke", "bump"), cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines() == [
        "error: invoke.yaml: changelog should be a table",
        "correct the file, or remove it; then run the same command",
    ]
