"""Start-up time of our tasks, compared with Invoke alone."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.timing import Contestant, compare, inv_path, median_seconds, report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.timing import Result

LIST_TARGET = 1.1
HELP_TARGET = 1.2
ROUNDS = 15
EMPTY_TASKS = 'from invoke import task\n\n\n@task\ndef nothing(c):\n    """Do nothing."""\n'
COACH = Path(__file__).parents[1] / "examples" / "coach"


def main() -> int:
    """Print the ratios; fail if a target was missed."""
    return report(_results())


def _results() -> Iterator[Result]:
    program = inv_path()
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder)
        (bare / "tasks.py").write_text(EMPTY_TASKS, encoding="utf-8")
        seconds = median_seconds(
            (
                Contestant(name="bare", argv=(program, "--list"), folders=(bare,)),
                Contestant(name="ours", argv=(program, "--list"), folders=(COACH,)),
                Contestant(name="--version", argv=(program, "--version"), folders=(bare,)),
                Contestant(name="bump --help", argv=(program, "bump", "--help"), folders=(COACH,)),
            ),
            rounds=ROUNDS,
            environ={"PYTHONDONTWRITEBYTECODE": ""},
        )
    yield compare(
        "inv --list, times that of a tasks.py with one empty task",
        {name: seconds[name] for name in ("ours", "bare")},
        of="ours", to=["bare"], target=LIST_TARGET, rounds=ROUNDS,
    )  # fmt: skip
    yield compare(
        "inv bump --help, times invoke --version",
        {name: seconds[name] for name in ("bump --help", "--version")},
        of="bump --help", to=["--version"], target=HELP_TARGET, rounds=ROUNDS,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
