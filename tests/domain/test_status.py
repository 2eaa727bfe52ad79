"""Drift between registry, ledger and running app."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.health import VersionReport
from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.status import EnvironmentStatus, with_conflicts

STAGING = Environment(name="staging", platform="apprunner", repository="staging-app", service="staging-service")
DEPLOY_V2 = "; to deploy it: inv deploy --env staging --release v2"
IMAGE = Image(digest="sha256:2", media_type="any", version="v2")
ENTRY = LedgerEntry(
    environment="staging",
    event=Event.VERIFIED,
    version="v2",
    commit="c" * 40,
    digest="sha256:2",
    at=datetime(2026, 11, 20, tzinfo=UTC),
    actor="ada@laptop",
)
WELL = EnvironmentStatus(
    environment=STAGING,
    url="https://staging.example",
    followed_image=IMAGE,
    version_report=VersionReport(version="v2", environment="staging"),
    last_entry=ENTRY,
)


def test_sources_that_agree_show_no_drift() -> None:
    assert WELL.drift == ()


@pytest.mark.parametrize(
    ("row", "drift"),
    [
        (evolve(WELL, version_report=VersionReport(error="answers HTTP 503")), ("the app answers HTTP 503",)),
        (
            evolve(WELL, version_report=VersionReport(version="v1", environment="staging")),
            ("runs v1, but :latest is v2",),
        ),
        (evolve(WELL, version_report=VersionReport(environment="staging")), ("runs no version, but :latest is v2",)),
        (
            evolve(WELL, version_report=VersionReport(version="v2", environment="prod")),
            ("the app reports environment 'prod'",),
        ),
        (evolve(WELL, version_report=VersionReport(version="v2")), ("the app reports no environment",)),
        (
            evolve(WELL, followed_image=evolve(IMAGE, version="")),
            ("runs v2, but :latest is unlabelled",),
        ),
        (
            evolve(WELL, followed_image=evolve(IMAGE, digest="sha256:9")),
            (f"the ledger says v2 verified, but :latest is v2{DEPLOY_V2}",),
        ),
        (
            evolve(WELL, followed_image=evolve(IMAGE, digest="sha256:9", version="")),
            (
                "runs v2, but :latest is unlabelled",
                f"the ledger says v2 verified, but :latest is another image{DEPLOY_V2}",
            ),
        ),
        (evolve(WELL, followed_image=None), ("nothing is :latest in its repository",)),
        (evolve(WELL, missing=("there is no service x",)), ("there is no service x",)),
        (evolve(WELL, last_entry=evolve(ENTRY, event=Event.DEPLOYED)), ("v2 is deployed, not verified",)),
        (evolve(WELL, last_entry=evolve(ENTRY, event=Event.STARTED)), ("v2 is started, not verified",)),
        (
            evolve(WELL, last_entry=evolve(ENTRY, event=Event.FAILED, reason="it did not answer")),
            ("v2 failed here: it did not answer",),
        ),
        (
            evolve(WELL, failure=evolve(ENTRY, event=Event.FAILED, version="v3", reason="it did not answer")),
            ("v3 failed here, v2 is back: it did not answer",),
        ),
        (evolve(WELL, last_entry=evolve(ENTRY, event=Event.FAILED)), ("v2 failed here: no reason was recorded",)),
        (evolve(WELL, errors=("there is no repository",), followed_image=None), ("there is no repository",)),
        (evolve(WELL, errors=("there is no table",), last_entry=None), ("there is no table",)),
    ],
)
def test_drift_names_every_disagreement(row: EnvironmentStatus, drift: tuple[str, ...]) -> None:
    assert row.drift == drift


def test_missing_latest_is_no_drift_before_the_first_deployment() -> None:
    fresh = evolve(WELL, followed_image=None, last_entry=None)

    assert "nothing is :latest in its repository" not in fresh.drift


def test_two_digests_under_one_version_are_drift() -> None:
    """Each environment is consistent in itself; only the comparison shows it."""
    mark = Environment(name="mark", platform="apprunner", repository="mark-app", service="mark-service")
    dom = evolve(WELL, environment=evolve(mark, name="dom"), followed_image=evolve(IMAGE, version="v1"))
    rows = with_conflicts([WELL, evolve(WELL, environment=mark, followed_image=evolve(IMAGE, digest="sha256:3")), dom])

    conflict = "v2 is 2 in staging and 3 in mark: one version, different bytes"
    assert [row.conflicts for row in rows] == [(conflict,), (conflict,), ()]
    assert rows[0].drift == (conflict,)


def test_release_that_was_given_up_is_drift() -> None:
    withdrawal = evolve(ENTRY, event=Event.WITHDRAWN, reason="credentials are gone")

    assert evolve(WELL, withdrawal=withdrawal).drift == ("v2 was given up: credentials are gone",)


ECS = evolve(WELL, environment=evolve(STAGING, platform="ecs"), running_digest="sha256:2")


@pytest.mark.parametrize(
    ("row", "drift"),
    [
        (ECS, ()),
        (evolve(ECS, running_digest=""), ()),
        (
            evolve(ECS, running_digest="sha256:0123456789abcdef"),
            ("ECS runs 0123456789ab, and was told to run v2 (2)",),
        ),
        (
            evolve(ECS, version_report=VersionReport(version="v1", environment="staging")),
            ("runs v1, but its service is told to run v2",),
        ),
        (
            evolve(ECS, followed_image=evolve(IMAGE, digest="sha256:9"), running_digest="sha256:9"),
            (f"the ledger says v2 verified, but its service is told to run v2{DEPLOY_V2}",),
        ),
        (
            evolve(ECS, followed_image=None),
            ("the image that staging-service is told to run is not in its repository",),
        ),
    ],
)
def test_what_a_platform_says_it_runs_is_one_more_source(row: EnvironmentStatus, drift: tuple[str, ...]) -> None:
    """No tag moves there, so none is named."""
    assert row.drift == drift
