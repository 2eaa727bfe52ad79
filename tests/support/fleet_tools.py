"""The toolbox in memory, for an app with a scripted history: what its dashboard is made from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import define

from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.ledger import LedgerEntry, written_since
from kaizen_tasks.flows.views.dashboard import collect_dashboard
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import FakeLedger
from tests.fakes.registry import OCI_MANIFEST
from tests.fakes.release_files import FakeReleaseFiles
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from kaizen_tasks.domain.dashboard.model import Dashboard
    from tests.support.fleet_history import FleetHistory

DRIFTING = 13
"""Each of so many tenants runs another release than its ledger says."""


@define(kw_only=True)
class HistoryLedger(FakeLedger):
    """The ledger of a history: each environment's entries, newest first."""

    history: Mapping[str, tuple[LedgerEntry, ...]]

    def entries(self, environment: str, *, limit: int = 20) -> tuple[LedgerEntry, ...]:
        return self.history[environment][:limit]

    def entries_since(self, environment: str, since: datetime) -> tuple[LedgerEntry, ...]:
        return written_since(self.history[environment], since)


def fleet_tools(history: FleetHistory) -> FakeTools:
    """Return the toolbox of an app that runs what its ledger says, except where it drifts."""
    first, *tenants = history.environments
    tools = FakeTools(
        settings=settings(
            app="fleet",
            pipeline=[first, "tenants"],
            environments={name: {} for name in history.environments},
            groups={"tenants": tenants},
        ),
        ledger=HistoryLedger(history=history.entries),
        clock=FakeClock(history.now),
    )
    assert isinstance(tools.release_files, FakeReleaseFiles)
    tools.release_files.files["CHANGELOG.md"] = history.changelog
    for hold in history.holds:
        tools.holds.add(hold)
    for position, name in enumerate(history.environments):
        serving = next(entry for entry in history.entries[name] if entry.event.concerns_deployment)
        image = Image(digest=serving.digest, media_type=OCI_MANIFEST, version=serving.version, revision=serving.commit)
        environment = tools.settings.environments[name]
        for tag in (serving.version, environment.follow):
            tools.registry.put(environment.repository, tag, image)
        tools.running_versions[name] = "v0.0.1" if position % DRIFTING == DRIFTING - 1 else serving.version
    return tools


def fleet_dashboard(history: FleetHistory, *, days: int = 90) -> Dashboard:
    """Return the dashboard of a history."""
    tools = fleet_tools(history)
    environments = tuple(tools.settings.environments.values())
    return collect_dashboard(environments, tools, since=history.now - timedelta(days=days))
