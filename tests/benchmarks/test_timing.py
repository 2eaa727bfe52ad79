import os
import sys
from pathlib import Path

import pytest

from benchmarks.results import Kind, Number
from benchmarks.timing import Contestant, Cost, compare, measure, measure_calls, run, summary


def test_a_summary_has_the_median_time_the_least_processor_time_and_the_highest_memory() -> None:
    costs = [Cost(seconds=seconds, cpu_seconds=seconds / 2, megabytes=seconds * 10) for seconds in (3.0, 1.0, 2.0)]
    assert summary(costs) == Cost(seconds=2.0, cpu_seconds=0.5, megabytes=30.0)


def test_a_comparison_names_one_peer_or_the_fastest_of_several() -> None:
    costs = {
        name: Cost(seconds=seconds, cpu_seconds=0, megabytes=0) for name, seconds in (("a", 1), ("b", 2), ("c", 4))
    }
    one = compare("work", costs, of="a", to=["b"], kind=Kind.FLOOR, goal=1, rounds=3)
    several = compare("work", costs, of="a", to=["c", "b"], kind=Kind.PEER, goal=1, rounds=3)
    assert (one.measure, one.measured, one.note) == ("time, times b", 0.5, "median of 3")
    assert (several.measure, several.measured) == ("time, times the fastest peer", 0.5)
    assert [*several.beside] == [Number("a", 1, "s"), Number("c", 4, "s"), Number("b", 2, "s")]


def test_calls_are_made_alternately() -> None:
    calls: list[str] = []
    seconds = measure_calls({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=2)
    assert calls == ["a", "b", "a", "b"]
    assert [*seconds] == ["a", "b"]


@pytest.mark.integration
def test_contestants_run_alternately_each_in_the_folder_of_its_round(tmp_path: Path) -> None:
    log = tmp_path / "log"
    folders = (tmp_path / "0", tmp_path / "1")
    for folder in folders:
        folder.mkdir()
    contestants = [
        Contestant(name=name, argv=("sh", "-c", f'echo "{name} ${{PWD##*/}}" >> "$LOG"'), folders=folders)
        for name in ("a", "b")
    ]
    costs = measure(contestants, rounds=1, environ={"LOG": str(log)})
    assert log.read_text().splitlines() == ["a 0", "b 0", "a 1", "b 1"]
    assert [*costs] == ["a", "b"]


@pytest.mark.integration
def test_a_failed_command_is_an_error_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"exited with 7\nwhy"):
        run(("sh", "-c", "echo why; exit 7"), tmp_path, os.environ)


@pytest.mark.integration
def test_the_cost_of_a_command_includes_its_processes(tmp_path: Path) -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'x = bytearray(200_000_000)'])"
    output, cost = run((sys.executable, "-c", script), tmp_path, os.environ)
    assert output == ""
    assert cost.megabytes > 200
