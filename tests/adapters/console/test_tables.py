"""Tables of status, history and rollback candidates."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from kaizen_tasks.adapters.console import tables
from kaizen_tasks.adapters.console.safe_console import SafeConsole
from kaizen_tasks.domain.deployments import Deployment
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.health import VersionReport
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.ledger import UNKNOWN_TIME, Event, LedgerEntry, RollbackCandidate
from kaizen_tasks.domain.status import EnvironmentStatus, StatusView
from tests.contracts.locks import wanted

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


if TYPE_CHECKING:
    from collections.abc import Callable

NOW = ENTRY.at + timedelta(hours=3)


def single(entry: LedgerEntry) -> Deployment:
    """Return a deployment of one entry."""
    return Deployment(first=entry, last=entry)


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
    tables.print_status(StatusView(rows=[IN_SYNC]), NOW)

    assert words(capsys) == [["✓", "staging", "v1.2.3", "abababa", "v1.2.3", "verified", "3h", "ago"]]


def test_lines_are_a_column_where_an_environment_has_one(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_status(StatusView(rows=[evolve(IN_SYNC, line="1.x"), IN_SYNC]), NOW)

    assert [line[-1] for line in words(capsys)] == ["1.x", "ago"]


def test_every_drift_is_printed_below_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    lost = evolve(IN_SYNC, followed_image=None, version_report=VersionReport(error="answers HTTP 502"))

    tables.print_status(StatusView(rows=[IN_SYNC, lost]), NOW)

    _, marked, *below = words(capsys)
    assert marked == ["!", "staging", "none", "no", "answer", "v1.2.3", "verified", "3h", "ago"]
    assert [" ".join(line) for line in below] == [f"! staging: {drift}" for drift in lost.drift]


def test_a_drift_of_several_environments_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    started = evolve(IN_SYNC, last_entry=evolve(ENTRY, event=Event.STARTED))
    other = evolve(
        started, environment=evolve(IN_SYNC.environment, name="prod"), version_report=VersionReport(error="is silent")
    )

    tables.print_status(StatusView(rows=[started, other]), NOW)

    assert sorted(" ".join(line) for line in words(capsys)[2:]) == [
        "! prod: the app is silent",
        "! staging, prod: v1.2.3 is started, not verified",
    ]


def test_locks_and_holds_have_marks_that_are_explained_and_notes(capsys: pytest.CaptureFixture[str]) -> None:
    hold = Hold(environment="staging", reason="race day", actor="ada@laptop", since=ENTRY.at)
    lock = evolve(wanted(environment="staging"), expires=None)

    tables.print_status(StatusView(rows=[evolve(IN_SYNC, hold=hold, lock=lock), IN_SYNC]), NOW)

    locked, plain, legend, *remarks = words(capsys)
    assert (locked[0], plain[0]) == ("✓LH", "✓")
    assert " ".join(legend) == "L locked, H held"
    assert [remark[:2] for remark in remarks] == [["staging:", "locked"], ["staging:", "held"]]


def test_environments_at_work_and_new_ones_have_marks_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    at_work = evolve(IN_SYNC, last_entry=evolve(ENTRY, event=Event.STARTED), lock=wanted(environment="staging"))

    tables.print_status(StatusView(rows=[at_work, evolve(IN_SYNC, last_entry=None)]), NOW)

    deploying, new, legend, lock_note, note = words(capsys)
    assert (deploying[0], new[0]) == ("»L", "·")
    assert " ".join(legend) == "» deploying, · nothing released yet, L locked"
    assert lock_note[:2] == ["staging:", "locked"]
    assert " ".join(note) == "staging: nothing was released to it yet"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_symbols_are_replaced_where_the_encoding_lacks_them(encoding: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)

    SafeConsole(stream, width=80).print(*tables.render_status([IN_SYNC], NOW))

    stream.seek(0)
    _, rule, row, *_ = stream.read().splitlines()
    assert (rule[:3], row.split()[:2]) == ("---", ["+", "staging"])


@pytest.mark.parametrize(("version", "line"), [("v1.12.13-rc.1", ""), ("v1.12.13", "1.x")])
def test_status_fits_80_columns_with_marks_lines_and_long_names(version: str, line: str) -> None:
    hold = Hold(environment="staging", reason="race day", actor="ada@laptop", since=ENTRY.at)
    image = Image(digest=ENTRY.digest, media_type="any", version=version)
    entry, report = evolve(ENTRY, version=version), VersionReport(version=version, environment="staging-blue")
    environment = evolve(IN_SYNC.environment, name="staging-blue")
    row = evolve(IN_SYNC, environment=environment, followed_image=image, version_report=report, last_entry=entry)
    row = evolve(row, hold=hold, lock=wanted(), line=line)
    stream = io.StringIO()

    SafeConsole(stream, width=80).print(tables.render_status([row], NOW)[0])

    assert len(stream.getvalue().splitlines()) == 3


def test_an_image_without_a_version_label_shows_its_digest(capsys: pytest.CaptureFixture[str]) -> None:
    assert IN_SYNC.followed_image is not None

    tables.print_status(
        StatusView(rows=[evolve(IN_SYNC, followed_image=evolve(IN_SYNC.followed_image, version=""))]), NOW
    )

    assert words(capsys)[0][2:4] == ["?", "abababa"]


def test_history_has_a_row_for_each_deployment(capsys: pytest.CaptureFixture[str]) -> None:
    end = evolve(ENTRY, event=Event.FAILED, at=ENTRY.at + timedelta(seconds=90), reason="it answers HTTP 502")
    tables.print_history([Deployment(first=ENTRY, last=end), single(ENTRY)])

    failed, reason, verified = words(capsys)
    assert failed[:8] == ["2026-11-20", "09:05", "staging", "v1.2.3", "ccccccc", "failed", "1m", "30s"]
    assert failed[8:] == ["ada@laptop"]
    assert " ".join(reason) == "it answers HTTP 502"
    assert verified[5:] == ["verified", "ada@laptop"]


@pytest.mark.parametrize("reason", ["see [this ticket]", "[/foo] closes nothing", ":warning: is a word"])
def test_brackets_and_colons_in_a_reason_are_not_markup(capsys: pytest.CaptureFixture[str], reason: str) -> None:
    tables.print_history([single(evolve(ENTRY, reason=reason))])

    assert " ".join(words(capsys)[1]) == reason


def test_a_long_reason_is_folded_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    reason = " ".join(f"word{number}" for number in range(40))

    tables.print_history([single(evolve(ENTRY, reason=reason))])

    printed_words = {word for line in words(capsys) for word in line}
    assert printed_words >= set(reason.split())


def test_rollback_candidates_show_where_their_image_is(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_candidates(
        [RollbackCandidate(entry=ENTRY, image_environment=name) for name in (ENTRY.environment, "prod", "")]
    )

    assert [" ".join(line[5:]) for line in words(capsys)] == ["exists", "in prod", "deleted"]


def test_candidate_behind_an_irreversible_command_has_it_below(capsys: pytest.CaptureFixture[str]) -> None:
    obstacle = evolve(ENTRY, command="migrate", version="v1.3.0")
    tables.print_candidates([RollbackCandidate(entry=ENTRY, image_environment="prod", obstacle=obstacle)])

    assert " ".join(words(capsys)[-1]) == "is behind migrate of v1.3.0, which is irreversible"


@pytest.mark.parametrize(
    ("show", "text"),
    [(tables.print_history, "nothing was released"), (tables.print_candidates, "nothing to roll back")],
)
def test_no_rows_are_a_line_without_escape_codes(
    capsys: pytest.CaptureFixture[str], show: Callable[[list[Any]], None], text: str
) -> None:
    show([])

    assert capsys.readouterr().out.startswith(text)


def test_history_shows_entries_of_later_versions(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_history(
        [single(evolve(ENTRY, event=Event.UNKNOWN, unknown_event="quarantined", at=UNKNOWN_TIME, reason="bad\nnews"))]
    )

    row, reason = words(capsys)
    assert row == ["?", "staging", "v1.2.3", "ccccccc", "quarantined", "(of", "a", "later", "version)", "ada@laptop"]
    assert reason == ["bad?news"]


def test_history_leads_once_to_each_run(capsys: pytest.CaptureFixture[str]) -> None:
    """The address is on one line, so that it can be clicked."""
    url = "https://ci.example/" + "long/" * 20
    deployed = evolve(ENTRY, event=Event.DEPLOYED, run_url=url)
    tables.print_history([single(evolve(ENTRY, run_url=url)), single(deployed), single(ENTRY)])

    assert [line for line in capsys.readouterr().out.splitlines() if "https" in line] == [f"v1.2.3 in staging: {url}"]


@pytest.mark.parametrize(("columns", "count"), [("", 1), ("60", 2)])
def test_line_in_a_pipe_is_as_wide_as_columns_says(
    columns: str, count: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `COLUMNS`, what reads the pipe gets whole lines."""
    monkeypatch.setenv("COLUMNS", columns)
    text = "61 environments have not changed since 2026-11-20 12:00 UTC; 2 of them with drift: inv status"

    tables.print_all(text)

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == count
    assert " ".join(line.strip() for line in lines) == text
