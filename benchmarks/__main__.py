"""`python -m benchmarks`: runs every benchmark.

Exits with 1 if a target was missed, else with 3 if something was not measured, else with 0.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.timing import MISSED_TARGET


def main() -> int:
    """Run every `bench_*.py`, and return the exit code."""
    scripts = sorted(Path(__file__).parent.glob("bench_*.py"))
    codes = [_run(script.stem) for script in scripts]
    return MISSED_TARGET if MISSED_TARGET in codes else max(codes)


def _run(name: str) -> int:
    """Run a benchmark in a process of its own, since the peak memory of one would be that of all after it."""
    return subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
