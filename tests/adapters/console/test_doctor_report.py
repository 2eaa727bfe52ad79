"""What `doctor` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.console.doctor_report import print_findings
from kaizen_tasks.domain.check import Subject

if TYPE_CHECKING:
    import pytest

LONG = "a released version can be replaced, " * 5


def test_prints_each_finding_with_its_fix_below(capsys: pytest.CaptureFixture[str]) -> None:
    """What is well in an environment is one line; nothing is wider than a terminal."""
    staging = [Subject(check, "staging") for check in ("repository", "images", "service")]
    print_findings(
        [
            Subject("git").ok("on main"),
            Subject("clock").warning("is 3s ahead", "set it"),
            staging[0].ok("there"),
            staging[1].problem(LONG, "mend it"),
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


def test_takes_no_text_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """An environment, or what a server says, may contain brackets."""
    print_findings([Subject("app", "[bold]x").warning("says [red]no[/red]", "ask [/]")])

    out = capsys.readouterr().out
    assert "[bold]x" in out
    assert "says [red]no[/red]" in out
