"""The JSON documents of the command-line contract."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from kaizen_tasks.cli import json_output
from kaizen_tasks.domain.changelog.lint.problem import LintProblem
from kaizen_tasks.domain.health import VersionReport
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.ledger import Event, LedgerEntry, RollbackCandidate
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.domain.status import EnvironmentStatus
from tests.fakes.tools import settings

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ENTRY = LedgerEntry(
    environment="staging",
    event=Event.VERIFIED,
    version="v1.2.3",
    commit="c" * 40,
    digest="sha256:ab",
    at=NOON,
    actor="ada@laptop",
)
LOCK = Lock(
    environment="staging",
    token="only its owner knows",
    actor="ada@laptop",
    command="inv release-staging",
    since=NOON,
    expires=NOON + timedelta(minutes=1),
    fence=7,
)
HOLD = Hold(environment="staging", reason="a demo", actor="ada@laptop", since=NOON)
SEEN = EnvironmentStatus(
    environment=settings().environments["staging"],
    url="https://staging.example",
    followed_image=Image(digest="sha256:ab", media_type="any", version="v1.2.3"),
    version_report=VersionReport(version="v1.2.3", environment="staging"),
    last_entry=ENTRY,
    lock=LOCK,
    hold=HOLD,
)
UNSEEN = evolve(
    SEEN,
    url="",
    followed_image=None,
    version_report=VersionReport(error="has no address"),
    last_entry=None,
    lock=None,
    hold=None,
)


def test_the_status_of_an_environment_has_every_key_of_the_contract() -> None:
    """Programs read it."""
    document = json_output.status_document(settings(), [SEEN], NOON)

    assert document == {
        "app": "web",
        "at": "2026-11-20T12:00:00+00:00",
        "environments": {
            "staging": {
                "repository": "staging-web-app",
                "service": "staging-web-service",
                "url": "https://staging.example",
                "image_tag": "v1.2.3",
                "digest": "sha256:ab",
                "running": {"version": "v1.2.3", "environment": "staging"},
                "ledger": {
                    "environment": "staging",
                    "event": "verified",
                    "version": "v1.2.3",
                    "commit": "c" * 40,
                    "digest": "sha256:ab",
                    "at": "2026-11-20T12:00:00+00:00",
                    "actor": "ada@laptop",
                    "run": None,
                    "operation": None,
                    "took": None,
                    "reason": None,
                    "configuration": None,
                    "command": None,
                },
                "lock": {
                    "actor": "ada@laptop",
                    "run": None,
                    "command": "inv release-staging",
                    "reason": None,
                    "since": "2026-11-20T12:00:00+00:00",
                    "expired": False,
                    "manual": False,
                    "expires": "2026-11-20T12:01:00+00:00",
                    "fence": 7,
                },
                "hold": {
                    "actor": "ada@laptop",
                    "run": None,
                    "reason": "a demo",
                    "since": "2026-11-20T12:00:00+00:00",
                    "until": None,
                },
                "state": "in sync",
                "drift": [],
            }
        },
    }


def test_what_is_not_there_is_null_and_its_key_stays() -> None:
    """A program need not ask whether a key exists."""
    seen = json_output.status_document(settings(), [SEEN], NOON)["environments"]["staging"]
    unseen = json_output.status_document(settings(), [UNSEEN], NOON)["environments"]["staging"]

    assert unseen.keys() == seen.keys()
    assert {key for key, value in unseen.items() if value is None} == {"image_tag", "digest", "ledger", "lock", "hold"}
    assert unseen["running"] == {"version": None, "environment": None}
    assert unseen["drift"] == list(UNSEEN.drift)


def test_an_image_without_a_label_has_no_version() -> None:
    """It was made by somebody else; its digest is known all the same."""
    assert SEEN.followed_image is not None
    row = evolve(SEEN, followed_image=evolve(SEEN.followed_image, version=""))

    document = json_output.status_document(settings(), [row], NOON)["environments"]["staging"]

    assert (document["image_tag"], document["digest"]) == (None, "sha256:ab")


def test_the_token_of_a_lock_stays_with_its_owner() -> None:
    """A token lets its owner remove the lock."""
    assert LOCK.token not in json.dumps(json_output.status_document(settings(), [SEEN], NOON))


def test_a_lock_that_was_taken_by_hand_does_not_expire() -> None:
    """That is how programs can tell."""
    document = json_output.lock_and_hold_document(evolve(LOCK, expires=None), None, NOON)

    assert (document["lock"]["expires"], document["lock"]["manual"], document["hold"]) == (None, True, None)


@pytest.mark.parametrize(
    ("image_in", "exists", "shown"), [("staging", True, "staging"), ("prod", False, "prod"), ("", False, None)]
)
def test_a_release_to_go_back_to_is_its_proof_and_where_its_image_is(
    *, image_in: str, exists: bool, shown: str | None
) -> None:
    """The rest is what the ledger says."""
    document = json_output.candidate_document(RollbackCandidate(entry=ENTRY, image_environment=image_in))

    assert document == {**json_output.entry_document(ENTRY), "exists": exists, "image_in": shown, "behind": None}


def test_a_release_behind_an_irreversible_command_says_so() -> None:
    obstacle = evolve(ENTRY, command="migrate")

    document = json_output.candidate_document(RollbackCandidate(entry=ENTRY, image_environment="", obstacle=obstacle))

    assert document["behind"] == {"command": "migrate", "version": ENTRY.version}


PROBLEM = LintProblem(line=3, column=5, rule="version-order", message="0.1.0 stands above 0.2.0", fix="newest first")


def test_a_problem_says_where_what_and_how_to_mend_it() -> None:
    """As editors and CI systems want it."""
    assert json_output.problem_document(PROBLEM, path="docs/CHANGELOG.md") == {
        "file": "docs/CHANGELOG.md",
        "line": 3,
        "column": 5,
        "rule": "version-order",
        "severity": "warning",
        "what": "0.1.0 stands above 0.2.0",
        "fix": "newest first",
    }


def test_prints_one_document_that_people_can_read_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Text of other languages stays as it is."""
    json_output.print_json({"text": "Wöchentliche Pläne", "none": None})

    assert capsys.readouterr().out == '{\n  "text": "Wöchentliche Pläne",\n  "none": null\n}\n'


def test_line_is_a_key_where_lines_are_configured() -> None:
    with_lines = settings(lines={"1.x": "stable/1.x"})
    rows = [evolve(SEEN, line="1.x"), UNSEEN]

    assert json_output.status_document(with_lines, rows[:1], NOON)["environments"]["staging"]["line"] == "1.x"
    assert json_output.status_document(with_lines, rows[1:], NOON)["environments"]["staging"]["line"] is None
