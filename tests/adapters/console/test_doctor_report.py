"""The list that `doctor` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.console.doctor_report import print_findings
from kaizen_tasks.domain.doctor import Subject

if TYPE_CHECKING:
    import pytest

LONG = "a released version can be replaced, " * 5


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
