"""`python -m benchmarks`: runs every benchmark.

Exits with 1 if a target was missed, else with 3 if something was not measured, else with 0.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from benchmarks.timing import MISSED_TARGET


def main() -> int:
    """Run every `bench_*.py`, and return the exit code."""
    scripts = sorted(Path(__file__).parent.glob("bench_*.py"))
    codes: list[int] = [import_module(f"benchmarks.{script.stem}").main() for script in scripts]
    return MISSED_TARGET if MISSED_TARGET in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
