"""The list that `doctor` prints."""

from __future__ import annotations

import pytest

from kaizen_tasks.adapters.console.doctor_report import print_findings
from kaizen_tasks.domain.doctor import Subject

LONG = "a released version can be replaced, " * 5


@pytest.fixture(autouse=True)
def _log_without_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.mark.parametrize(("columns", "width"), [("", 80), ("60", 60), ("120", 120)])
def test_findings_in_a_log_are_as_wide_as_columns_says(
    columns: str, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)

    print_findings([Subject("images").problem(LONG, "fix it")])

    assert width - 12 < max(map(len, capsys.readouterr().out.splitlines())) <= width


def test_each_finding_has_its_fix_below_and_passed_checks_share_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    staging = [Subject(check, "staging") for check in ("repository", "images", "service")]
    print_findings(
        [
            Subject("git").ok("on main"),
            Subject("clock").warning("is 3s ahead", "set it"),
            staging[0].ok("there"),
            staging[1].problem(LONG, "fix it"),
            staging[2].ok("there [really]"),
        ]
    )

    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[:4] == [
        "  ok       git            on main",
        "  warning  clock          is 3s ahead",
        "                          → set it",
        "staging",
    ]
    assert lines[4].startswith("  problem  images         a released")
    assert lines[-2:] == ["  ok                      repository, service", "1 problem, 1 warning, 3 ok"]
    assert max(map(len, lines)) <= 80


def test_brackets_in_messages_are_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_findings([Subject("app", "[bold]x").warning("says [red]no[/red]", "ask [/]")])

    out = capsys.readouterr().out
    assert "[bold]x" in out
    assert "says [red]no[/red]" in out


def test_a_fix_of_several_findings_is_printed_once_with_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    print_findings(
        [Subject("app", name).problem(f"{name} does not answer", "start the app") for name in ("staging", "prod")]
    )

    out = capsys.readouterr().out
    assert out.count("start the app") == 1
    assert "→ staging, prod: start the app\n2 problems\n" in out


def test_long_name_of_a_check_stays_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_findings([Subject("git").ok("on main"), Subject("version argument").ok("Dockerfile takes VERSION")])

    assert capsys.readouterr().out.splitlines() == [
        "  ok       git               on main",
        "  ok       version argument  Dockerfile takes VERSION",
        "2 ok",
    ]
