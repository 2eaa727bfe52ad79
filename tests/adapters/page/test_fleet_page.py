"""The page of a hundred environments, from what their ledgers and the changelog say."""

from __future__ import annotations

import pytest

from kaizen_tasks.adapters.page.render import render_page
from tests.support.fleet_history import FleetHistory, fleet_history
from tests.support.fleet_tools import fleet_dashboard

MAX_BYTES = 300_000
HISTORIES = (
    pytest.param(fleet_history(), id="a thousand releases, each in one tenant"),
    pytest.param(fleet_history(releases=100, everywhere=True), id="a hundred releases, each everywhere"),
)


@pytest.mark.parametrize("history", HISTORIES)
def test_page_of_a_fleet_can_be_sent_by_mail(history: FleetHistory) -> None:
    """Both have more deployments than a page shows, so that more of them would not make it larger."""
    page = render_page(fleet_dashboard(history), is_live=True)

    assert len(page.encode()) < MAX_BYTES
