"""The package as others see it: what it exports, what it imports, and what it says of itself."""

from __future__ import annotations

import importlib
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


def test_knows_nothing_else() -> None:
    """A typo in an import is told as Python tells it."""
    with pytest.raises(AttributeError, match="namespaces"):
        _ = kaizen_tasks.namespaces
    with pytest.raises(ImportError, match="cannot import name 'namespaces'"):
        exec("from kaizen_tasks import namespaces")


def test_the_namespace_is_made_anew_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It depends on where the user stands."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "kaizen.toml").write_text('app = "one"\n')
    first = kaizen_tasks.namespace
    (tmp_path / "kaizen.toml").write_text('app = "two"\n')

    assert first.configuration()["app"] == "one"
    assert kaizen_tasks.namespace.configuration()["app"] == "two"


def test_every_step_that_is_public_can_be_imported() -> None:
    """An app's own flows are made of them."""
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


def test_what_is_called_heavy_is_installed(tmp_path: Path) -> None:
    """Else the test above could not fail."""
    assert loaded(f"import {', '.join(HEAVY)}", HEAVY, tmp_path) == str(list(HEAVY))


def test_kaizen_says_its_version(tmp_path: Path) -> None:
    """In a folder without any configuration too."""
    said = kaizen("--version", cwd=tmp_path)

    assert (said.returncode, said.stdout.lower().split()) == (0, ["kaizen", version("kaizen-tasks")])


def test_the_module_is_the_same_program(tmp_path: Path) -> None:
    """For whoever has no folder of programs on the path."""
    (tmp_path / "kaizen.toml").write_text('app = "web"\n')

    assert python("-m", "kaizen_tasks", "--list", cwd=tmp_path).stdout == kaizen("--list", cwd=tmp_path).stdout != ""


def test_lists_its_tasks_where_there_is_no_configuration(tmp_path: Path) -> None:
    """Running one of them tells what is missing."""
    listed, run = kaizen("--list", cwd=tmp_path), kaizen("bump", cwd=tmp_path)

    assert listed.returncode == 0
    assert "bump" in listed.stdout
    assert (run.returncode, run.stdout) == (2, "")
    assert f"not found in {tmp_path} or above" in run.stderr


def test_the_projects_own_invoke_configuration_is_read(tmp_path: Path) -> None:
    """`kaizen` reads the `invoke.yaml` beside `kaizen.toml`, as `inv` would."""
    (tmp_path / "kaizen.toml").write_text('app = "web"\n[release]\ntag = "v{version}"\n')
    (tmp_path / "invoke.yaml").write_text("release:\n  tag: nonsense\n")
    (tmp_path / "VERSION").write_text("0.1.0\n")

    said = kaizen("bump", cwd=tmp_path)

    assert (said.returncode, said.stderr.splitlines()[0]) == (
        2,
        "kaizen.toml: release.tag: 'nonsense' does not contain {version}",
    )


@pytest.mark.parametrize("line", ["run = 3", 'tasks = ["x"]', "timeouts = 5"])
def test_keys_that_are_invokes_own_are_told_like_any_other(tmp_path: Path, line: str) -> None:
    """Three lines at most, and no traceback."""
    (tmp_path / "kaizen.toml").write_text(f'app = "web"\n{line}\n')

    said = kaizen("bump", cwd=tmp_path)

    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith(f"kaizen.toml: {line.partition(' ')[0]}: unknown key")


def test_says_what_to_install_when_the_local_cloud_is_not(tmp_path: Path) -> None:
    """The extra `[local]` is optional: without it everything else works."""
    (tmp_path / "kaizen.toml").write_text('app = "web"\n')
    without = "import sys; sys.modules['moto'] = None; sys.argv[1:] = ['local.up', '--state', 'cloud']"

    said = python("-c", f"{without}; from kaizen_tasks.program import main; main()", cwd=tmp_path)

    assert said.returncode == 3
    assert said.stderr.splitlines() == [
        "the local cloud needs moto, which is not installed",
        "nothing has been started",
        "pip install 'kaizen-tasks[local]'",
    ]
