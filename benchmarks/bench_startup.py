"""How much `inv --list` costs with our tasks, against a `tasks.py` with one empty task."""

from __future__ import annotations

import sys
import sysconfig
import tempfile
from pathlib import Path

from benchmarks.timing import Contestant, medians

TARGET = 1.15
ROUNDS = 15
BARE = 'from invoke import task\n\n\n@task\ndef nothing(c):\n    """Do nothing."""\n'
COACH = Path(__file__).parents[1] / "examples" / "coach"


def main() -> int:
    """Print the ratio; fail when it misses the target."""
    inv = str(Path(sysconfig.get_path("scripts")) / "inv")
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder)
        (bare / "tasks.py").write_text(BARE, encoding="utf-8")
        contestants = (
            Contestant(name="bare", argv=(inv, "--list"), folder=bare),
            Contestant(name="ours", argv=(inv, "--list"), folder=COACH),
        )
        taken = medians(contestants, rounds=ROUNDS, environ={"PYTHONDONTWRITEBYTECODE": ""})
    ratio = taken["ours"] / taken["bare"]
    shown = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in taken.items())
    print(f"inv --list: {ratio:.2f} times a bare one (target {TARGET}; {shown}; median of {ROUNDS})")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
