import pytest

from benchmarks.results import Kind, NotMeasured, Number, Result, Verdict, count, ratio


def test_a_ratio_divides_by_the_lowest_and_keeps_every_number() -> None:
    ours, fast, slow = Number("ours", 0.3, "s"), Number("fast", 0.4, "s"), Number("slow", 2.0, "s")
    result = ratio("work", "time", Kind.PEER, ours=ours, against=[slow, fast], goal=0.8)
    assert result.measured == pytest.approx(0.75)
    assert [*result.beside] == [ours, slow, fast]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Number("git", 0.1234, "s"), "git 123 ms"),
        (Number("skopeo", 2.34, "s"), "skopeo 2.3 s"),
        (Number("boto3", 105), "boto3 105"),
        (Number("page", 12_345.6, "kB"), "page 12,346 kB"),
        (Number("rollout", 71.44, "MB"), "rollout 71.4 MB"),
    ],
)
def test_a_number_is_shown_with_its_unit(number: Number, text: str) -> None:
    assert str(number) == text


@pytest.mark.parametrize(
    ("kind", "busy", "verdict"),
    [
        (Kind.PEER, False, Verdict.MISSED),
        (Kind.PEER, True, Verdict.MISSED),
        (Kind.FLOOR, False, Verdict.MISSED),
        (Kind.FLOOR, True, Verdict.MISSED_WHILE_BUSY),
        (Kind.COUNT, False, Verdict.MISSED),
        (Kind.COUNT, True, Verdict.MISSED),
    ],
)
def test_goals_against_floors_need_not_hold_on_a_busy_machine(kind: Kind, busy: bool, verdict: Verdict) -> None:
    result = Result(work="work", measure="measure", kind=kind, measured=1.01, goal=1.0)
    assert result.verdict(busy=busy) is verdict


def test_the_goal_itself_is_met() -> None:
    assert count("inv cut", "git processes", 20, goal=20).verdict(busy=False) is Verdict.OK


def test_a_failed_benchmark_is_not_one_that_cannot_run_here() -> None:
    assert NotMeasured("work", "needs skopeo").verdict(busy=True) is Verdict.NOT_MEASURED
    assert NotMeasured("work", "exited with 1", failed=True).verdict(busy=True) is Verdict.FAILED
