"""`python -m benchmarks`: runs the benchmarks, and prints one table.

Exits with 1 if a goal was missed or a benchmark failed, else with 3 if something was not measured, else with 0.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.machine import describe_machine
from benchmarks.results import Verdict
from benchmarks.suite import busy_loop, measured_rows
from benchmarks.table import markdown, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
EXIT_CODES = {Verdict.MISSED: 1, Verdict.FAILED: 1, Verdict.NOT_MEASURED: 3}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run benchmarks, and return the exit code."""
    parser = argparse.ArgumentParser(prog="nox -s bench --", description="Measures ratios and counts in one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all of them by default: {', '.join(NAMES)}")
    parser.add_argument("--busy", action="store_true", help="beside a busy loop; goals against floors need not hold")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table to a page")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    machine = describe_machine()
    with busy_loop() if options.busy else nullcontext():
        rows = [row for name in options.names or NAMES for row in measured_rows(f"benchmarks.bench_{name}")]
    print_table(rows, machine=machine, busy=options.busy)
    if options.markdown:
        options.markdown.write_text(markdown(rows, machine=machine, busy=options.busy), encoding="utf-8")
    return exit_code({row.verdict(busy=options.busy) for row in rows})


def exit_code(verdicts: set[Verdict]) -> int:
    """Return the code of the worst verdict."""
    return next((code for verdict, code in EXIT_CODES.items() if verdict in verdicts), 0)


if __name__ == "__main__":
    sys.exit(main())
