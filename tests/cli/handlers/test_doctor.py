"""`inv doctor`, as it is typed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support import cli_app

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.local_cloud import Cloud

pytestmark = pytest.mark.integration


def test_doctor_checks_only_the_release_side_of_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Warnings do not fail: there is no remote, and the list says so."""
    cli_app.make(tmp_path, cli_app.ALONE, {}, monkeypatch)

    said = cli_app.kaizen("doctor", capsys=capsys)

    assert said.code == 0
    assert "warning  remote" in said.out
    assert "→ git remote add origin URL" in said.out
    assert said.out.splitlines()[-1] == "1 warning, 3 ok"
    assert said.err == ""


def test_doctor_exits_with_3_on_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cloud: Cloud
) -> None:
    """Table, repositories and services of a new app are missing; all of that is listed at once."""
    cli_app.make(tmp_path, cli_app.TEAM.replace('"web"', '"unknown"'), cloud.environ, monkeypatch)

    said = cli_app.kaizen("doctor", "--json", capsys=capsys)

    document = json.loads(said.out)
    problems = {(each["environment"], each["check"]) for each in document["findings"] if each["verdict"] == "problem"}
    assert said.code == 3
    assert problems == {
        (None, "ledger"),
        *((name, check) for name in ("staging", "prod") for check in ("repository", "service")),
    }
    assert document["problems"] == len(problems)
    assert document["app"] == "unknown"
    assert all(each["fix"] for each in document["findings"] if each["verdict"] in {"problem", "warning"})
    assert said.err.splitlines()[0] == "error: 5 problems keep a release from working"


def test_doctor_reports_a_wrong_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cloud: Cloud
) -> None:
    """Nothing is read from it: unsigned requests, which show that its hosts answer, belong to no service."""
    cli_app.make(tmp_path, cli_app.TEAM.replace("123456789012", "999999999999"), cloud.environ, monkeypatch)
    before = len(cloud.requests)

    said = cli_app.kaizen("doctor", capsys=capsys)

    assert said.code == 3
    assert "999999999999 is configured" in " ".join(said.out.split())
    assert {each["service"] for each in cloud.requests[before:]} == {"sts", ""}
