from datetime import UTC, datetime
from pathlib import Path

import pytest

from docs.generating.normalising import Normaliser

TODAY = datetime(2027, 5, 4, 23, 59, tzinfo=UTC)


@pytest.fixture
def normaliser() -> Normaliser:
    return Normaliser(home=Path("/tmp/here"), today=TODAY)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("  done  tag  v1.0.0 is here (12s)", "  done  tag  v1.0.0 is here (0.5s)"),
        ("verified in staging 7m 16s ago by sam@a.b-c", "verified in staging 2.0s ago by sam@laptop"),
        ("  failed  fast-forward  after 3m 2s", "  failed  fast-forward  after 1.0s"),
        ("cut [Unreleased] into [1.0.0] - 2027-05-04", "cut [Unreleased] into [1.0.0] - 2026-01-31"),
        ('"at": "2027-05-05T00:00:01+00:00"', '"at": "2026-01-31T09:00:00.000000+00:00"'),
        ("state in /tmp/here/cloud (pid 77)", "state in ~/cloud (pid 4321)"),
        ("  begin  deploy\n  …  deploy  IN_PROGRESS\n  done  deploy", "  begin  deploy\n  done  deploy"),
    ],
)
def test_replaces_what_differs_from_run_to_run(normaliser: Normaliser, said: str, shown: str) -> None:
    assert shown == normaliser.text(said)


@pytest.mark.parametrize(
    "said",
    ["not proven within 1.0s", "## [0.1.0] - 2026-08-03", "account 123456789012", "v0.2.0 is below 10.20.30"],
)
def test_leaves_what_every_run_says(normaliser: Normaliser, said: str) -> None:
    assert said == normaliser.text(said)


def test_shows_the_same_hash_for_the_same_hash_however_short(normaliser: Normaliser) -> None:
    full = "0123456789abcdef0123456789abcdef01234567"
    long, short = normaliser.text(full), normaliser.text(f"from {full[:10]}")
    assert full != long
    assert f"from {long[:10]}" == short


def test_shows_different_hashes_as_different(normaliser: Normaliser) -> None:
    first, second = normaliser.text("a" * 12 + " " + "b" * 12).split()
    assert first != second


def test_numbers_ports_as_they_appear(normaliser: Normaliser) -> None:
    said = normaliser.text("http://127.0.0.1:51000 http://127.0.0.1:33333 http://127.0.0.1:51000")
    assert said == "http://127.0.0.1:40001 http://127.0.0.1:40002 http://127.0.0.1:40001"


def test_lays_out_a_table_for_the_names_that_it_shows(normaliser: Normaliser) -> None:
    def table(actor: str) -> str:
        width = len(actor)
        rows = ("by".ljust(width) + "   reason ", actor + "   late   ")
        return f"\n when    {rows[0]}\n {'─' * (width + 17)} \n today   {rows[1]}\n\n"

    short, long = normaliser.text(table("sam@vm")), normaliser.text(table("sam@build-17.example.net"))
    assert short == long
    assert " today   sam@laptop   late" in short
