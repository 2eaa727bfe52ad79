from datetime import UTC, datetime
from pathlib import Path

import pytest

from docs.generating.normaliser import Normaliser

TODAY = datetime(2027, 5, 4, 23, 59, tzinfo=UTC)


@pytest.fixture
def normaliser() -> Normaliser:
    return Normaliser(home=Path("/tmp/here"), today=TODAY)


@pytest.mark.parametrize(
    ("printed", "normalised"),
    [
        ("  done  tag  v1.0.0 is here (12s)", "  done  tag  v1.0.0 is here (0.5s)"),
        ("verified in staging 7m 16s ago by sam@a.b-c", "verified in staging 2.0s ago by sam@laptop"),
        ("  failed  fast-forward  after 3m 2s", "  failed  fast-forward  after 1.0s"),
        ("cut [Unreleased] into [1.0.0] - 2027-05-04", "cut [Unreleased] into [1.0.0] - 2026-01-31"),
        ('"at": "2027-05-05T00:00:01+00:00"', '"at": "2026-01-31T09:00:00.000000+00:00"'),
        ("coach: 2027-02-03 07:12 to 2027-05-04 07:12 UTC", "coach: 2025-11-02 09:00 to 2026-01-31 09:00 UTC"),
        ("since 2027-05-04 07:12 (a, b); 2027-05-04 07:13 (c)", "since 2026-01-31 09:00 (a, b, c)"),
        ('"since": "2027-02-03T07:12:52.672861+00:00"', '"since": "2025-11-02T09:00:00.000000+00:00"'),
        ('"begin": "2027-05-03",', '"begin": "2026-01-26",'),
        ("state in /tmp/here/cloud (pid 77)", "state in ~/cloud (pid 4321)"),
        ("  begin  deploy\n  …  deploy  IN_PROGRESS\n  done  deploy", "  begin  deploy\n  done  deploy"),
        ('"AWS_ACCESS_KEY_ID": "LOCALABCDEFGHIJKLMNO"', '"AWS_ACCESS_KEY_ID": "LOCAL0123456789ABCDE"'),
        (
            f'"AWS_SECRET_ACCESS_KEY": "{"aB-_" * 10}"',
            '"AWS_SECRET_ACCESS_KEY": "random-for-each-local-cloud-and-secret-0"',
        ),
    ],
)
def test_values_that_differ_from_run_to_run_are_replaced(normaliser: Normaliser, printed: str, normalised: str) -> None:
    assert normalised == normaliser.text(printed)


@pytest.mark.parametrize(
    "printed",
    ["not proven within 1.0s", "## [0.1.0] - 2026-08-03", "account 123456789012", "v0.2.0 is below 10.20.30"],
)
def test_values_that_every_run_prints_are_kept(normaliser: Normaliser, printed: str) -> None:
    assert printed == normaliser.text(printed)


def test_a_hash_and_its_abbreviation_stay_equal(normaliser: Normaliser) -> None:
    full = "0123456789abcdef0123456789abcdef01234567"
    long, short = normaliser.text(full), normaliser.text(f"from {full[:10]}")
    assert full != long
    assert f"from {long[:10]}" == short


def test_different_hashes_stay_different(normaliser: Normaliser) -> None:
    first, second = normaliser.text("a" * 12 + " " + "b" * 12).split()
    assert first != second


def test_hashes_and_durations_of_tables_are_replaced_and_reasons_below_rows_stay(normaliser: Normaliser) -> None:
    printed = """\
when (UTC)        release  commit   took  by
────────────────────────────────────────────
2027-05-04 12:00  v0.2.0   1234567  3.2s  sam@a.b
    the app answers v0.0.1, and not the release that was deployed
!   mark          v0.2.0   abcdef0        sam@a.b"""

    table = normaliser.text(printed).splitlines()

    assert table[2].split() == ["2026-01-31", "09:00", "v0.2.0", table[2].split()[3], "1.0s", "sam@laptop"]
    assert "1234567" not in table[2]
    assert table[3] == "    the app answers v0.0.1, and not the release that was deployed"
    assert "abcdef0" not in table[4]


def test_values_of_other_widths_move_no_column(normaliser: Normaliser) -> None:
    printed = """\
   environment  changed  line
─────────────────────────────
✓  mark         1m ago   0.x
✓  shane        12s ago  1.x"""

    assert [line.split() for line in normaliser.text(printed).splitlines()[2:]] == [
        ["✓", "mark", "2.0s", "ago", "0.x"],
        ["✓", "shane", "2.0s", "ago", "1.x"],
    ]


def test_ports_are_numbered_in_the_order_of_appearance(normaliser: Normaliser) -> None:
    normalised = normaliser.text("http://127.0.0.1:51000 http://127.0.0.1:33333 http://127.0.0.1:51000")
    assert normalised == "http://127.0.0.1:40001 http://127.0.0.1:40002 http://127.0.0.1:40001"


def test_table_columns_are_as_wide_as_their_normalised_cells(normaliser: Normaliser) -> None:
    def table(actor: str) -> str:
        width = len(actor)
        rows = ("by".ljust(width) + "   reason ", actor + "   late   ")
        return f"\n when    {rows[0]}\n {'─' * (width + 17)} \n today   {rows[1]}\n\n"

    short, long = normaliser.text(table("sam@vm")), normaliser.text(table("sam@build-17.example.net"))
    assert short == long
    assert " today   sam@laptop   late" in short
