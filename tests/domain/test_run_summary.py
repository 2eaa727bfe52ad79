"""The summary of a command on the page of its CI job."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.run_summary import MAX_ROWS, RunSummary, failure_markdown
from tests.contracts.ledger import entry

COMMIT = "4f2a9c81" * 5
STARTED = evolve(entry(), event=Event.STARTED, environment="mark", version="v1.2.3", commit=COMMIT, reason="")
VERIFIED = evolve(STARTED, event=Event.VERIFIED, at=STARTED.at + timedelta(seconds=95))
FAILED = evolve(STARTED, event=Event.FAILED, environment="dom", reason="it did not start | at all")


def rows(*entries: LedgerEntry) -> list[str]:
    """Return the rows of the table."""
    lines = RunSummary(title="promote", entries=entries).as_markdown().splitlines()
    return [line for line in lines if line.startswith("| ")][2:]


def test_success_shows_what_went_where_and_what_comes_next() -> None:
    summary = RunSummary(
        title="coach: promote v1.2.3 to mark",
        text="mark serves v1.2.3",
        next_step="next: inv promote-prod",
        entries=(STARTED, VERIFIED),
        urls={"mark": "https://mark.example"},
        commits_url="https://github.com/acme/coach/commit/",
    )

    assert summary.as_markdown() == (
        "### ✅ coach: promote v1.2.3 to mark\n"
        "\n"
        "| Environment | Release | Commit | Outcome | Took | Digest |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        f"| [mark](<https://mark.example>) | v1.2.3 | [4f2a9c8](<https://github.com/acme/coach/commit/{COMMIT}>)"
        f" | ✅ verified | 1m 35s | {STARTED.digest[7:14]} |\n"
        "\n"
        "mark serves v1.2.3\n"
        "\n"
        "next: inv promote-prod\n"
    )


def test_failures_come_first() -> None:
    mark, dom = STARTED, evolve(STARTED, environment="dom")

    shown = rows(mark, dom, VERIFIED, FAILED)

    assert [row.split(" | ")[0] for row in shown] == ["| dom", "| mark"]
    assert "❌ failed" in shown[0]
    assert "it did not start &#124; at all" in shown[0]


def test_release_that_is_rolled_back_has_two_rows() -> None:
    rollback = evolve(STARTED, event=Event.ROLLBACK, version="v1.2.2", digest="sha256:cd", reason="by hand")
    again = [evolve(rollback, event=event, reason="") for event in (Event.STARTED, Event.VERIFIED)]

    shown = rows(STARTED, evolve(FAILED, environment="mark"), rollback, *again)

    assert [row.split(" | ")[1] for row in shown] == ["v1.2.3", "v1.2.2"]
    assert shown[1].endswith("| rollback: by hand |")


def test_every_environment_has_a_row() -> None:
    """One that is held, and one that was not reached, as well; a column without a value is left out."""
    summary = RunSummary(
        title="promote v1.2.3 to mark, dom, shane",
        entries=(STARTED, VERIFIED),
        environments=("mark", "dom", "shane"),
        holds={"dom": "held by ada@laptop: a demo"},
        urls={"dom": "https://dom.example"},
    )

    assert summary.as_markdown() == (
        "### ❌ promote v1.2.3 to mark, dom, shane\n"
        "\n"
        "| Environment | Release | Commit | Outcome | Took | Digest | Why |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        f"| mark | v1.2.3 | 4f2a9c8 | ✅ verified | 1m 35s | {STARTED.digest[7:14]} |  |\n"
        "| [dom](<https://dom.example>) |  |  | ⏸ left out |  |  | held by ada&#64;laptop: a demo |\n"
        "| shane |  |  | no deployment |  |  |  |\n"
    )


def test_command_that_failed_before_any_deployment_has_its_error_alone() -> None:
    assert RunSummary(title="promote").as_markdown() == ""


def test_command_without_a_deployment_has_no_table() -> None:
    assert RunSummary(title="x", text="prod serves v1.2.3").as_markdown() == "### ✅ x\n\nprod serves v1.2.3\n"


def test_long_table_ends_with_how_much_is_left_out() -> None:
    entries = tuple(evolve(VERIFIED, environment=f"tenant-{number}") for number in range(MAX_ROWS + 3))
    summary = RunSummary(title="x", entries=entries).as_markdown()

    assert summary.count("| tenant-") == MAX_ROWS
    assert summary.endswith("\nand 3 deployments more: see `inv history`\n")


def test_failure_names_the_command_the_code_and_what_to_type() -> None:
    assert failure_markdown("inv promote-prod", "error: no\ninv doctor", code=3) == (
        "### ❌ inv promote-prod failed (exit code 3)\n\n```text\nerror: no\ninv doctor\n```\n"
    )


def test_failure_has_no_title_below_the_table_of_the_same_command() -> None:
    assert failure_markdown("inv promote-beta", "error: no", code=9, has_title=True) == (
        "inv promote-beta failed (exit code 9)\n\n```text\nerror: no\n```\n"
    )
