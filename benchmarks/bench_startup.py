"""Start-up time of our tasks, compared with Invoke alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.results import Kind
from benchmarks.timing import Contestant, compare, inv_path, measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.results import Result

LIST_GOAL = 1.1
HELP_GOAL = 1.2
ROUNDS = 15
EMPTY_TASKS = 'from invoke import task\n\n\n@task\ndef nothing(c):\n    """Do nothing."""\n'
COACH = Path(__file__).parents[1] / "examples" / "coach"


def results() -> Iterator[Result]:
    """Measure the list of tasks, and the help of one."""
    program = inv_path()
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder)
        (bare / "tasks.py").write_text(EMPTY_TASKS, encoding="utf-8")
        costs = measure(
            (
                Contestant(name="a tasks.py with one empty task", argv=(program, "--list"), folders=(bare,)),
                Contestant(name="inv --list", argv=(program, "--list"), folders=(COACH,)),
                Contestant(name="invoke --version", argv=(program, "--version"), folders=(bare,)),
                Contestant(name="inv bump --help", argv=(program, "bump", "--help"), folders=(COACH,)),
            ),
            rounds=ROUNDS,
            environ={"PYTHONDONTWRITEBYTECODE": ""},
        )
    for ours, floor, goal in (
        ("inv --list", "a tasks.py with one empty task", LIST_GOAL),
        ("inv bump --help", "invoke --version", HELP_GOAL),
    ):
        yield compare(ours, costs, of=ours, to=[floor], kind=Kind.PEER, goal=goal, rounds=ROUNDS)
