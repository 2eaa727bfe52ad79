"""The package as others see it: what it exports, what it imports, and what it says of itself."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from invoke.collection import Collection

import kaizen_tasks
from kaizen_tasks.cli.flow import flow
from kaizen_tasks.flows import steps
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.integration

HEAVY = ("attr", "attrs", "boto3", "botocore", "cattrs", "git", "moto", "rich", "semver", "urllib3")


def python(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run this Python in a folder; the package is found wherever that is."""
    return subprocess.run(
        [sys.executable, *words], cwd=cwd, capture_output=True, encoding="utf-8", check=False, timeout=HANG_SECONDS
    )


def kaizen(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Type `kaizen …`, as it is installed."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("kaizen")), *words],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=HANG_SECONDS,
    )


def loaded(statement: str, names: Sequence[str], cwd: Path) -> str:
    """Return which of these modules a statement loads."""
    said = python("-c", f"import sys\n{statement}\nprint([n for n in {list(names)!r} if n in sys.modules])", cwd=cwd)
    assert said.returncode == 0, said.stderr
    return said.stdout.strip()


def test_exports_namespace_flow_and_version() -> None:
    assert set(kaizen_tasks.__all__) == {"namespace", "flow", "__version__"}
    assert isinstance(kaizen_tasks.namespace, Collection)
    assert kaizen_tasks.flow is flow
    assert kaizen_tasks.__version__ == version("kaizen-tasks")


def test_flow_can_still_be_imported_from_its_old_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "kaizen_tasks.tasks.flow", raising=False)

    with pytest.warns(DeprecationWarning, match="from kaizen_tasks import flow") as warned:
        old_module = importlib.import_module("kaizen_tasks.tasks.flow")

    assert old_module.flow is flow
    assert len(warned) == 1


def test_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="namespaces"):
        _ = kaizen_tasks.namespaces
    with pytest.raises(ImportError, match="cannot import name 'namespaces'"):
        exec("from kaizen_tasks import namespaces")


def test_namespace_is_built_at_each_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "kaizen.toml").write_text('app = "one"\n')
    first = kaizen_tasks.namespace
    (tmp_path / "kaizen.toml").write_text('app = "two"\n')

    assert first.configuration()["app"] == "one"
    assert kaizen_tasks.namespace.configuration()["app"] == "two"


def test_every_public_step_can_be_imported() -> None:
    assert len(set(steps.__all__)) == len(steps.__all__) > 10
    assert [name for name in steps.__all__ if not hasattr(getattr(steps, name), "decide")] == []
    assert [name for name in steps.__all__ if not hasattr(getattr(steps, name), "act")] == []


@pytest.mark.parametrize(
    "statement",
    ["import kaizen_tasks.cli.namespace", "from kaizen_tasks import flow, namespace"],
)
def test_nothing_heavy_is_imported_before_a_task_runs(tmp_path: Path, statement: str) -> None:
    """`inv --list` and shell completion stay quick."""
    assert loaded(statement, HEAVY, tmp_path) == "[]"


def test_heavy_modules_are_installed(tmp_path: Path) -> None:
    """Else the test above could not fail."""
    assert loaded(f"import {', '.join(HEAVY)}", HEAVY, tmp_path) == str(list(HEAVY))


def test_kaizen_prints_its_version_without_a_configuration(tmp_path: Path) -> None:
    said = kaizen("--version", cwd=tmp_path)

    assert (said.returncode, said.stdout.lower().split()) == (0, ["kaizen", version("kaizen-tasks")])


def test_python_dash_m_is_the_same_program(tmp_path: Path) -> None:
    (tmp_path / "kaizen.toml").write_text('app = "web"\n')

    assert python("-m", "kaizen_tasks", "--list", cwd=tmp_path).stdout == kaizen("--list", cwd=tmp_path).stdout != ""


def test_tasks_are_listed_without_a_configuration(tmp_path: Path) -> None:
    """Running one of them says what is missing."""
    listed, run = kaizen("--list", cwd=tmp_path), kaizen("bump", cwd=tmp_path)

    assert listed.returncode == 0
    assert "bump" in listed.stdout
    assert (run.returncode, run.stdout) == (2, "")
    assert f"not found in {tmp_path} or above" in run.stderr


def test_kaizen_reads_the_invoke_yaml_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "kaizen.toml").write_text('app = "web"\n[release]\ntag = "v{version}"\n')
    (tmp_path / "invoke.yaml").write_text("release:\n  tag: nonsense\n")
    (tmp_path / "VERSION").write_text("0.1.0\n")

    said = kaizen("bump", cwd=tmp_path)

    assert (said.returncode, said.stderr.splitlines()[0]) == (
        2,
        "error: invoke.yaml or another configuration of Invoke: release.tag: 'nonsense' does not contain {version}",
    )


@pytest.mark.parametrize("line", ["run = 3", 'tasks = ["x"]', "timeouts = 5"])
def test_keys_of_invoke_are_unknown_keys_like_any_other(tmp_path: Path, line: str) -> None:
    (tmp_path / "kaizen.toml").write_text(f'app = "web"\n{line}\n')

    said = kaizen("bump", cwd=tmp_path)

    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith(f"error: kaizen.toml: {line.partition(' ')[0]}: unknown key")


def test_missing_local_extra_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "kaizen.toml").write_text('app = "web"\n')
    without = "import sys; sys.modules['moto'] = None; sys.argv[1:] = ['local.up', '--state', 'cloud']"

    said = python("-c", f"{without}; from kaizen_tasks.program import main; main()", cwd=tmp_path)

    assert said.returncode == 3
    problem, state, hint = said.stderr.splitlines()
    assert problem == "error: the local cloud needs the extra [local] of kaizen-tasks, which is not installed"
    assert state == "nothing has been started"
    assert re.fullmatch(r"pip install 'moto.+' 'py-partiql-parser.+'", hint)
