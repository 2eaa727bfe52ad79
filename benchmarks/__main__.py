"""`python -m benchmarks`: every measurement, one after the other; 1 when any missed its target."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def main() -> int:
    """Run every `bench_*.py`, whatever the one before it found."""
    scripts = sorted(Path(__file__).parent.glob("bench_*.py"))
    codes: list[int] = [import_module(f"benchmarks.{script.stem}").main() for script in scripts]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
