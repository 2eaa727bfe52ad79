"""The list with which `.ci/run` ends, of which a reader may see the last 6,000 characters alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.failure_list import error_lines, failure_list

OUTPUT = """\
========== ✗ tests: failed, 5 minutes ==========
nox > Running session tests
FAILED tests/test_a.py::test_b - assert 1 == 2
nox > Session tests failed.
========== ✗ types: failed, 20 seconds ==========
nox > Running session types
nox > mypy
kaizen_tasks/a.py:3: error: Missing return statement
\x1b[31mnox > Command mypy  failed with exit code 1\x1b[0m
nox > Session types failed.
========== ✓ demo: success, 8 seconds ==========
nox > Running session demo
One build, five environments
nox > Session demo was successful.
nox > Ran 3 sessions in 5 minutes:
nox > * tests: failed, took 5 minutes
nox > * types: failed, took 20 seconds
nox > * demo: success, took 8 seconds
"""


def failure(test: str, *lines: str, session: str = "tests") -> str:
    return json.dumps({"test": test, "session": session, "lines": lines}) + "\n"


def test_sessions_and_tests_that_failed_are_listed_with_the_end_of_their_errors() -> None:
    failures = failure("tests/test_a.py::test_b", "assert 1 == 2", "tests/test_a.py:7: AssertionError")
    assert failure_list(OUTPUT, failures).splitlines() == [
        "failed sessions: tests, types",
        "tests/test_a.py::test_b (tests)",
        "    assert 1 == 2",
        "    tests/test_a.py:7: AssertionError",
        "types",
        "    nox > mypy",
        "    kaizen_tasks/a.py:3: error: Missing return statement",
        "    nox > Command mypy  failed with exit code 1",
    ]


def test_a_test_that_failed_in_several_sessions_is_listed_once() -> None:
    failures = failure("tests/test_a.py::test_b", "1") + failure("tests/test_a.py::test_b", "2", session="e2e")
    assert failure_list("", failures).splitlines() == ["tests/test_a.py::test_b (tests, e2e)", "    1"]


@pytest.mark.parametrize(("count", "lines"), [(5, 25), (15, 30), (60, 60), (900, 148)])
def test_the_more_has_failed_the_less_is_said_of_each(count: int, lines: int) -> None:
    errors = ["x" * 1000] * 4
    text = failure_list("", "".join(failure(f"tests/test_a.py::test_{number:03}", *errors) for number in range(count)))
    assert len(text) < 5100
    assert len(text.splitlines()) == lines
    assert (text.splitlines()[-1] == "… and 753 more") == (count == 900)


def test_without_a_session_or_test_it_is_the_end_of_the_output() -> None:
    assert failure_list("one\nerror: no space left\n", "").splitlines()[-1] == "    error: no space left"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("    def test():\n>       assert 1 == 2\nE       assert 1 == 2\n\ntests/a.py:3: AssertionError",
         ["assert 1 == 2", "tests/a.py:3: AssertionError"]),
        ("\n".join([*(f"E   line {number}" for number in range(9)), "tests/a.py:3: AssertionError"]),
         ["line 0", "line 7", "line 8", "tests/a.py:3: AssertionError"]),
        ("worker 'gw0' crashed", ["worker 'gw0' crashed"]),
    ],
)  # fmt: skip
def test_the_end_of_an_error_is_its_assertion_and_where_it_is(text: str, lines: list[str]) -> None:
    assert error_lines(text) == lines


@pytest.mark.integration
@pytest.mark.parametrize("workers", [(), ("--numprocesses", "2")])
def test_tests_record_their_failures_once_also_from_workers(tmp_path: Path, workers: tuple[str, ...]) -> None:
    module = tmp_path / "test_scratch.py"
    module.write_text("def test_fine():\n    pass\n\n\ndef test_wrong():\n    assert 'ours' == 'theirs'\n")
    (tmp_path / "test_broken.py").write_text("import nothing_of_this_name\n")
    (tmp_path / "conftest.py").write_text(
        "from tests.conftest import pytest_collectreport, pytest_runtest_logreport  # noqa: F401\n"
    )
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(tmp_path))
    environ = {
        **os.environ,
        "KAIZEN_TEST_FAILURES": str(tmp_path / "failures"),
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    environ = {name: value for name, value in environ.items() if not name.startswith("PYTEST_")}
    options = ("--continue-on-collection-errors", *workers, str(tmp_path))
    subprocess.run((*command, *options), env=environ, cwd=tmp_path, capture_output=True, check=False)
    failures = [json.loads(line) for line in (tmp_path / "failures").read_text().splitlines()]
    assert {each["test"]: each["lines"][-1] for each in failures} == {
        "test_broken.py": "E   ModuleNotFoundError: No module named 'nothing_of_this_name'",
        "test_scratch.py::test_wrong": "test_scratch.py:6: AssertionError",
    }
    assert len(failures) == 2
