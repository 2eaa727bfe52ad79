"""Programs whose output is a terminal."""

from __future__ import annotations

import os
import sys

import pytest

from kaizen_tasks.adapters.host.process import run
from kaizen_tasks.adapters.host.pseudo_terminal import as_lines
from kaizen_tasks.ports.secrets import Secret

pytestmark = pytest.mark.integration

PROGRAM = """
import os, sys
out, err = sys.stdout.isatty(), sys.stderr.isatty()
print(f"{out} {err} {os.get_terminal_size(1 if out else 2).columns}")
print("1 MB\\x1b[1A\\x1b[2K\\r2 MB of secret-value", end="", flush=True)
sys.stderr.write("sorry\\n")
"""


@pytest.mark.parametrize(("terminal", "first"), [("stdout", "True False 200"), ("stderr", "False True 200")])
def test_only_the_chosen_output_is_a_terminal(terminal: str, first: str) -> None:
    lines: list[str] = []

    result = run(
        (sys.executable, "-c", PROGRAM), terminal=terminal, stream=lines.append, secrets=[Secret("secret-value")]
    )

    assert (result.ok, "sorry" in result.err) == (True, True)
    assert first in lines
    if terminal == "stdout":
        assert [line for line in lines if "MB" in line] == ["1 MB", "2 MB of [redacted]"]


def test_without_pseudo_terminals_outputs_are_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> tuple[int, int]:
        raise OSError("out of pty devices")

    monkeypatch.setattr(os, "openpty", fail)

    assert run((sys.executable, "-c", "import sys; print(sys.stdout.isatty())"), terminal="stdout").out == "False\n"


def test_exit_code_of_a_program_on_a_terminal_is_its_own() -> None:
    assert run((sys.executable, "-c", "raise SystemExit(3)"), terminal="stdout").code == 3


def test_text_that_the_cursor_is_moved_to_is_a_line() -> None:
    assert as_lines(b"a\x1b[1A\x1b[2Kb\rc\n") == b"a\n\nb\nc\n"
