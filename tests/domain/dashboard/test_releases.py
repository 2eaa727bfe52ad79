"""Which releases a dashboard shows, and how far each has come."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.domain.dashboard.model import StageView
from kaizen_tasks.domain.dashboard.releases import make_releases
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from tests.adapters.page.boards import NOW, SINCE, entry, released, view

CHANGELOG = parse_changelog(
    b"# Changelog\n\n## [Unreleased]\n\n## [1.10.0] - 2026-11-19\n\n- Ten\n\n## [1.9.0] - 2026-11-18\n\n- Nine\n\n"
    b"## [1.0.0] - 2020-01-01\n\n- First\n\n## 0.9 - 2026-11-17\n\n- Not a version\n"
)


def tenants(**entries: list[LedgerEntry]) -> StageView:
    """Return a stage of tenants with their entries, oldest first."""
    return StageView(name="beta", is_group=True, environments=tuple(view(name, each) for name, each in entries.items()))


def test_releases_are_those_dated_in_the_span_newest_first() -> None:
    assert [each.name for each in make_releases(CHANGELOG, (), since=SINCE)] == ["v1.10.0", "v1.9.0"]


def test_an_old_release_that_serves_is_shown_and_one_without_notes() -> None:
    stage = tenants(mark=released("mark", "v1.0.0", NOW - timedelta(days=400)), dom=released("dom", "v2.0.0", NOW))

    found = make_releases(CHANGELOG, (stage,), since=SINCE)

    assert [(each.name, each.section is not None) for each in found] == [
        ("v2.0.0", False),
        ("v1.10.0", True),
        ("v1.9.0", True),
        ("v1.0.0", True),
    ]


def test_without_a_changelog_the_ledger_names_the_releases() -> None:
    stage = tenants(mark=[entry("mark", Event.STARTED, "not a version", NOW), *released("mark", "v1.9.0", NOW)])

    assert [each.name for each in make_releases(None, (stage,), since=SINCE)] == ["v1.9.0", "not a version"]


@pytest.mark.parametrize(
    ("histories", "serving", "served", "failed", "rolled_back"),
    [
        (["verified", "verified"], 2, 2, 0, 0),
        (["verified", ""], 1, 1, 0, 0),
        (["verified", "failed"], 1, 1, 1, 0),
        (["rolled back", "verified"], 1, 2, 0, 1),
        (["replaced", "verified"], 1, 2, 0, 0),
        (["started"], 0, 0, 0, 0),
        (["failed", "failed"], 0, 0, 2, 0),
        (["failed and verified"], 1, 1, 0, 0),
    ],
)
def test_a_stage_counts_the_environments_that_have_a_release(
    histories: list[str], serving: int, served: int, failed: int, rolled_back: int
) -> None:
    stage = tenants(**{f"tenant{number}": _history(what, f"tenant{number}") for number, what in enumerate(histories)})

    (release,) = [each for each in make_releases(None, (stage,), since=SINCE) if each.name == "v1.9.0"]

    (reach,) = release.stages
    assert (reach.serving, reach.served, reach.total) == (serving, served, len(histories))
    assert (reach.failed, reach.rolled_back) == (failed, rolled_back)
    assert reach.first_at == NOW - timedelta(days=2)


def _history(what: str, environment: str) -> list[LedgerEntry]:
    """Return the entries of an environment in which something became of v1.9.0."""
    first, later = NOW - timedelta(days=2), NOW - timedelta(days=1)
    begun = entry(environment, Event.STARTED, "v1.9.0", first)
    failed = [begun, entry(environment, Event.FAILED, "v1.9.0", first)]
    verified = released(environment, "v1.9.0", first)
    rollback = [entry(environment, Event.ROLLBACK, "v1.0.0", later), *released(environment, "v1.0.0", later)]
    return {
        "": [],
        "started": [begun],
        "failed": failed,
        "verified": verified,
        "failed and verified": [*failed, *released(environment, "v1.9.0", later)],
        "replaced": [*verified, *released(environment, "v1.10.0", later)],
        "rolled back": [*verified, *rollback],
    }[what]
