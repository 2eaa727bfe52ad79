"""What a terminal shows below the spinner of a step."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from kaizen_tasks.adapters.console.spinners import Spinners


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=40, force_terminal=True, color_system=None)


def rendered(spinners: Spinners, console: Console) -> list[str]:
    """Return the lines below the first spinner."""
    with console.capture() as capture:
        console.print(spinners.get_renderable())
    return [line.rstrip() for line in capture.get().splitlines()][1:]


def test_shows_the_last_lines_and_the_last_state(console: Console) -> None:
    spinners = Spinners(console, time.monotonic)
    task = spinners.add_task("build coach", label="build")

    for number in range(9):
        spinners.add_line(task, f"Step {number}/9 : RUN make", replaces=False)
        spinners.add_line(task, "", replaces=False)
        spinners.add_line(task, f"{number} MB of 9 MB", replaces=True)

    assert rendered(spinners, console) == [
        *(f"    Step {number}/9 : RUN make" for number in range(5, 9)),
        "    8 MB of 9 MB",
    ]


def test_cuts_long_lines_at_the_edge(console: Console) -> None:
    spinners = Spinners(console, time.monotonic)
    task = spinners.add_task("build coach", label="build")

    spinners.add_line(task, "x" * 100, replaces=False)

    assert rendered(spinners, console) == [f"    {'x' * 35}…"]


def test_a_step_keeps_its_own_lines(console: Console) -> None:
    spinners = Spinners(console, time.monotonic)
    first, second = (spinners.add_task("copy", label=f"copy {name}") for name in "ab")

    spinners.add_line(second, "1 MB of 2 MB", replaces=True)
    spinners.remove_task(first)

    assert rendered(spinners, console) == ["    1 MB of 2 MB"]
