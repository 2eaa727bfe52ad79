"""Tables of status, history and rollback candidates."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve

from kaizen_tasks.adapters.console import tables
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.health import VersionReport
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import UNKNOWN_TIME, Event, LedgerEntry, RollbackCandidate
from kaizen_tasks.domain.release import Image
from kaizen_tasks.domain.status import EnvironmentStatus

ENTRY = LedgerEntry(
    environment="staging",
    event=Event.VERIFIED,
    version="v1.2.3",
    commit="c" * 40,
    digest="sha256:" + "ab" * 32,
    at=datetime(2026, 11, 20, 9, 5, tzinfo=UTC),
    actor="ada@laptop",
)
IN_SYNC = EnvironmentStatus(
    environment=Environment(name="staging", platform="apprunner", repository="app", service="service"),
    url="https://staging.example",
    followed_image=Image(digest=ENTRY.digest, media_type="any", version="v1.2.3"),
    version_report=VersionReport(version="v1.2.3", environment="staging"),
    last_entry=ENTRY,
)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the tables independent of the terminal that runs the tests."""
    for name in ("FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def words(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """Return the words of every line that is not empty, without heading and rule."""
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    return [line for line in printed if line][2:]


def test_an_environment_without_drift_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_status([IN_SYNC])

    assert words(capsys) == [
        ["✓", "staging", "v1.2.3", "abababababab", "v1.2.3", "v1.2.3", "verified", "11-20", "09:05"]
    ]


def test_lines_are_a_column_where_an_environment_has_one(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_status([evolve(IN_SYNC, line="1.x"), IN_SYNC])

    assert [line[-1] for line in words(capsys)] == ["1.x", "09:05"]


def test_every_drift_is_printed_below_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    lost = evolve(IN_SYNC, followed_image=None, version_report=VersionReport(error="answers HTTP 502"), last_entry=None)

    tables.print_status([IN_SYNC, lost])

    _, marked, *below = words(capsys)
    assert marked == ["!", "staging", "none", "no", "answer", "nothing"]
    assert [" ".join(line) for line in below] == [f"! staging: {drift}" for drift in lost.drift]


def test_a_drift_of_several_environments_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    new = evolve(IN_SYNC, last_entry=None)
    other = evolve(
        new, environment=evolve(IN_SYNC.environment, name="prod"), version_report=VersionReport(error="is silent")
    )

    tables.print_status([new, other])

    assert sorted(" ".join(line) for line in words(capsys)[2:]) == [
        "! prod: the app is silent",
        "! staging, prod: never deployed by this tool",
    ]


def test_a_hold_has_a_column_and_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    hold = Hold(environment="staging", reason="race day", actor="ada@laptop", since=ENTRY.at)

    tables.print_status([evolve(IN_SYNC, hold=hold)])

    row, remark = words(capsys)
    assert row[-1] == "held"
    assert remark[:4] == ["staging:", "held", "by", "ada@laptop"]


def test_an_image_without_a_version_label_shows_its_digest(capsys: pytest.CaptureFixture[str]) -> None:
    assert IN_SYNC.followed_image is not None

    tables.print_status([evolve(IN_SYNC, followed_image=evolve(IN_SYNC.followed_image, version=""))])

    assert words(capsys)[0][2:4] == ["?", "abababababab"]


def test_history_shows_time_environment_release_event_actor_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_history([evolve(ENTRY, event=Event.FAILED, reason="the app answers HTTP 502"), ENTRY])

    failed, verified = words(capsys)
    assert failed[:6] == ["2026-11-20", "09:05", "staging", "v1.2.3", "failed", "ada@laptop"]
    assert " ".join(failed[6:]) == "the app answers HTTP 502"
    assert verified[4] == "verified"


@pytest.mark.parametrize("reason", ["see [this ticket]", "[/foo] closes nothing", ":warning: is a word"])
def test_brackets_and_colons_in_a_reason_are_not_markup(capsys: pytest.CaptureFixture[str], reason: str) -> None:
    tables.print_history([evolve(ENTRY, reason=reason)])

    assert " ".join(words(capsys)[0][6:]) == reason


def test_a_long_reason_is_folded_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    reason = " ".join(f"word{number}" for number in range(40))

    tables.print_history([evolve(ENTRY, reason=reason)])

    printed_words = {word for line in words(capsys) for word in line}
    assert printed_words >= set(reason.split())


def test_rollback_candidates_show_where_their_image_is(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_candidates(
        [RollbackCandidate(entry=ENTRY, image_environment=name) for name in (ENTRY.environment, "prod", "")]
    )

    assert [" ".join(line[5:]) for line in words(capsys)] == ["exists", "in prod", "deleted"]


@pytest.mark.parametrize("show", [tables.print_status, tables.print_history, tables.print_candidates])
def test_no_rows_print_an_empty_table_without_escape_codes(capsys: pytest.CaptureFixture[str], show: object) -> None:
    assert callable(show)
    show([])

    printed = capsys.readouterr().out
    assert "environment" in printed
    assert "\x1b" not in printed


def test_history_shows_entries_of_later_versions(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_history(
        [evolve(ENTRY, event=Event.UNKNOWN, unknown_event="quarantined", at=UNKNOWN_TIME, reason="bad\nnews")]
    )

    assert words(capsys) == [
        ["?", "staging", "v1.2.3", "quarantined", "(of", "a", "later", "version)", "ada@laptop", "bad?news"]
    ]


def test_history_leads_once_to_each_run(capsys: pytest.CaptureFixture[str]) -> None:
    """The address is on one line, so that it can be clicked."""
    url = "https://ci.example/" + "long/" * 20
    tables.print_history([evolve(ENTRY, run_url=url), evolve(ENTRY, event=Event.DEPLOYED, run_url=url), ENTRY])

    assert [line for line in capsys.readouterr().out.splitlines() if "https" in line] == [f"v1.2.3 in staging: {url}"]
