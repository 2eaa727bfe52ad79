import pytest

from benchmarks.results import Kind, NotMeasured, Number, Row, count, ratio
from benchmarks.table import markdown, print_table

ROWS: list[Row] = [
    ratio(
        "inv cut", "time", Kind.PEER,
        ours=Number("inv cut", 0.3, "s"), against=[Number("a", 0.4, "s"), Number("b", 0.5, "s")], goal=0.7,
        note="median of 3",
    ),
    count("inv cut", "git processes", 20, goal=20, beside=[Number("a", 14)]),
    NotMeasured("promotion", "needs skopeo"),
]  # fmt: skip


def test_a_page_has_a_line_for_each_result() -> None:
    lines = markdown(ROWS, machine="2 cores", busy=False).splitlines()
    assert lines[2:] == [
        "`nox -s bench -- --markdown FILE` writes this page. 2 cores.",
        "",
        "| work | measure | floors and peers | goal | measured |  |",
        "| --- | --- | --- | --- | --- | --- |",
        "| inv cut | time | inv cut 300 ms, a 400 ms, b 500 ms; median of 3 | 0.70 (peer) | 0.75 | MISSED |",
        "| inv cut | git processes | a 14 | 20 (count) | 20 | ok |",
        "| promotion | needs skopeo |  |  |  | not measured |",
    ]


def test_the_head_says_that_the_machine_was_busy() -> None:
    assert "beside one busy loop" in markdown(ROWS, machine="2 cores", busy=True)


def test_a_log_has_the_whole_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(ROWS, machine="2 cores", busy=False)
    output = capsys.readouterr().out
    assert output.startswith("2 cores.\n")
    assert [
        word for word in ("MISSED", "ok", "not measured", "needs skopeo", "0.70 (peer)") if word not in output
    ] == []
