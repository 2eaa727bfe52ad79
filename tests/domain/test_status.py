"""Where the witnesses of an environment disagree."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.health import Running
from kaizen_tasks.domain.ledger import Entry, Event
from kaizen_tasks.domain.release import Image
from kaizen_tasks.domain.status import Row

STAGING = Environment(name="staging", platform="apprunner", repository="staging-app", service="staging-service")
IMAGE = Image(digest="sha256:2", media_type="any", version="v2")
ENTRY = Entry(
    environment="staging",
    event=Event.VERIFIED,
    version="v2",
    commit="c" * 40,
    digest="sha256:2",
    at=datetime(2026, 11, 20, tzinfo=UTC),
    actor="ada@laptop",
)
WELL = Row(
    environment=STAGING,
    url="https://staging.example",
    latest=IMAGE,
    running=Running(version="v2", environment="staging"),
    entry=ENTRY,
)


def test_witnesses_that_agree_show_no_drift() -> None:
    """Image, app and ledger say the same."""
    assert WELL.drift == ()


@pytest.mark.parametrize(
    ("row", "drift"),
    [
        (evolve(WELL, running=Running(fault="answers HTTP 503")), ("the app answers HTTP 503",)),
        (
            evolve(WELL, running=Running(version="v1", environment="staging")),
            ("runs v1, but :latest is v2",),
        ),
        (evolve(WELL, running=Running(environment="staging")), ("runs no version, but :latest is v2",)),
        (evolve(WELL, running=Running(version="v2", environment="prod")), ("the app believes to be prod",)),
        (evolve(WELL, running=Running(version="v2")), ("the app believes to be nowhere",)),
        (
            evolve(WELL, latest=evolve(IMAGE, version="")),
            ("runs v2, but :latest is unlabelled",),
        ),
        (
            evolve(WELL, latest=evolve(IMAGE, digest="sha256:9")),
            ("the ledger says v2 verified, but :latest is v2",),
        ),
        (
            evolve(WELL, latest=evolve(IMAGE, digest="sha256:9", version="")),
            ("runs v2, but :latest is unlabelled", "the ledger says v2 verified, but :latest is another image"),
        ),
        (evolve(WELL, latest=None), ("nothing is :latest in its repository",)),
        (evolve(WELL, entry=None), ("never deployed by this tool",)),
        (evolve(WELL, entry=None, latest=None), ("never deployed by this tool",)),
        (evolve(WELL, entry=evolve(ENTRY, event=Event.DEPLOYED)), ("v2 is deployed, not verified",)),
        (evolve(WELL, entry=evolve(ENTRY, event=Event.STARTED)), ("v2 is started, not verified",)),
        (
            evolve(WELL, entry=evolve(ENTRY, event=Event.FAILED, reason="it did not answer")),
            ("v2 failed here: it did not answer",),
        ),
        (evolve(WELL, entry=evolve(ENTRY, event=Event.FAILED)), ("v2 failed here: no reason was recorded",)),
        (evolve(WELL, faults=("there is no repository",), latest=None), ("there is no repository",)),
        (evolve(WELL, faults=("there is no table",), entry=None), ("there is no table",)),
    ],
)
def test_says_every_disagreement_in_words(row: Row, drift: tuple[str, ...]) -> None:
    """What could not be looked at is said, and nothing is concluded from it."""
    assert row.drift == drift


def test_an_environment_that_waits_for_its_first_release_has_no_image_to_miss() -> None:
    """Only a repository whose ledger knows of a deployment has lost its `:latest`."""
    fresh = evolve(WELL, latest=None, entry=None)

    assert "nothing is :latest in its repository" not in fresh.drift
