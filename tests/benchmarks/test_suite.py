from collections.abc import Iterator

import pytest

from benchmarks.__main__ import exit_code
from benchmarks.results import NotMeasured, Row, Verdict, count
from benchmarks.suite import measured_rows

ROW = count("work", "calls", 9, goal=9)


def results() -> Iterator[Row]:
    """Stand for a benchmark that fails after its first result."""
    yield ROW
    raise RuntimeError("the peer did not do the job")


@pytest.mark.integration
def test_rows_of_a_benchmark_that_fails_are_kept_and_its_failure_is_a_row(capfd: pytest.CaptureFixture[str]) -> None:
    rows = list(measured_rows("tests.benchmarks.test_suite"))
    failure = NotMeasured("tests.benchmarks.test_suite", "exited with 1; its error is above", failed=True)
    assert rows == [ROW, failure]
    assert "the peer did not do the job" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (set(), 0),
        ({Verdict.OK, Verdict.MISSED_WHILE_BUSY}, 0),
        ({Verdict.OK, Verdict.NOT_MEASURED}, 3),
        ({Verdict.NOT_MEASURED, Verdict.MISSED}, 1),
        ({Verdict.NOT_MEASURED, Verdict.FAILED}, 1),
    ],
)
def test_the_worst_verdict_is_the_exit_code(verdicts: set[Verdict], code: int) -> None:
    assert exit_code(verdicts) == code
