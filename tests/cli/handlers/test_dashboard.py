"""Where `dashboard` writes, and what it refuses to replace."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from kaizen_tasks import wiring
from kaizen_tasks.adapters.page.render import is_dashboard
from kaizen_tasks.cli import commands
from tests.fakes.tools import FakeTools
from tests.flows.release.test_release import release

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeTools:
    """The tools of an app whose release staging serves; commands are typed in an empty folder."""
    tools = FakeTools()
    release(tools)
    monkeypatch.setattr(wiring, "toolbox", lambda _config, **_: tools)
    monkeypatch.chdir(tmp_path)
    return tools


def run(**flags: object) -> None:
    """Run the task."""
    body: Any = commands.dashboard.body
    body(Context(), **flags)


def refusal(**flags: object) -> tuple[int, list[str]]:
    """Return the exit code of a task that fails, and the lines of its error."""
    with pytest.raises(Exit) as left:
        run(**flags)
    return left.value.code, (left.value.message or "").splitlines()


def test_page_is_written_and_replaces_an_earlier_one(tools: FakeTools, tmp_path: Path) -> None:
    path = tmp_path / "dashboard.html"
    run(out="dashboard.html")
    first = path.read_bytes()
    tools.clock.sleep(3600)

    run(out="dashboard.html")

    assert is_dashboard(first)
    assert is_dashboard(path.read_bytes())
    assert path.read_bytes() != first
    assert tools.reporter.lines[-1] == "wrote dashboard.html"
    assert [each.name for each in tmp_path.iterdir()] == ["dashboard.html"]


def test_empty_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "page.html").touch()

    run(out="page.html")

    assert is_dashboard((tmp_path / "page.html").read_bytes())


def test_dry_run_writes_nothing(tools: FakeTools, tmp_path: Path) -> None:
    tools.dry = True

    run(out="dashboard.html")

    assert tools.reporter.lines[-1] == "would write dashboard.html"
    assert list(tmp_path.iterdir()) == []


def test_device_gets_the_page_and_stays_what_it_is(tools: FakeTools, tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to(os.devnull)  # which a failure of this test leaves as it is, also for root

    run(out="null")

    assert tools.reporter.lines[-1] == "wrote null"
    assert (tmp_path / "null").is_char_device()


def test_page_on_stdout(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    run(out="-")

    assert is_dashboard(capfdbinary.readouterr().out)


def test_document_has_what_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    run(json=True, since="7d")

    document = json.loads(capsys.readouterr().out)
    assert document["since"].startswith("2026-11-13T12:00:0")
    assert [stage["name"] for stage in document["stages"]] == ["staging", "prod", "beta"]
    assert document["stages"][1]["next"]["release"] == "v0.2.0"
    assert document["environments"]["staging"]["serving"]["version"] == "v0.2.0"
    assert [bar["outcome"] for bar in document["timeline"]["staging"]["deployments"]] == ["verified"]
    assert document["metrics"]["staging"]["deployments"]["count"] == 1
    assert [(each["version"], len(each["stages"])) for each in document["releases"]] == [("v0.2.0", 1)]


def test_environments_limit_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    run(json=True, env=["prod", "mark"])

    document = json.loads(capsys.readouterr().out)
    assert list(document["environments"]) == list(document["timeline"]) == ["prod", "mark"]
    assert [stage["environments"] for stage in document["stages"]] == [["prod"], ["mark"]]


@pytest.mark.parametrize(
    ("flags", "code", "message", "hint"),
    [
        (
            {},
            2,
            "dashboard needs --out or --serve, for a page, or --json, for the data",
            "inv dashboard --out dashboard.html",
        ),
        (
            {"out": "-", "json": True},
            2,
            "--out - and --json both write to stdout",
            "inv dashboard --out dashboard.html",
        ),
        ({"out": "a b/x.html"}, 2, "--out a b/x.html: there is no folder a b", "mkdir -p 'a b'"),
        ({"out": "."}, 2, "--out .: that is a folder", "name a file in it: --out index.html"),
        (
            {"out": "app.py"},
            3,
            "--out app.py: that is no dashboard",
            "name another file: inv dashboard --out dashboard.html",
        ),
        (
            {"out": "link.html"},
            3,
            "link.html is a symbolic link: writing would replace the link, not its target",
            "make link.html a plain file, or configure the path of its target",
        ),
    ],
)
def test_wrong_targets_are_refused(tmp_path: Path, flags: dict[str, Any], code: int, message: str, hint: str) -> None:
    (tmp_path / "app.py").write_text("print()")
    (tmp_path / "link.html").symlink_to("nowhere.html")

    exit_code, lines = refusal(**flags)

    assert (exit_code, lines[0], lines[-1]) == (code, f"error: {message}", hint)
    assert (tmp_path / "app.py").read_text() == "print()"
