"""The page of a hundred environments, from what their ledgers and the changelog say."""

from __future__ import annotations

import pytest

from kaizen_tasks.adapters.page.render import render_page
from tests.support.fleet_history import fleet_history
from tests.support.fleet_tools import fleet_dashboard

MAX_BYTES = 300_000


@pytest.mark.parametrize(
    ("releases", "everywhere"),
    [
        pytest.param(1000, False, id="a thousand releases, each in one tenant"),
        pytest.param(100, True, id="a hundred releases, each everywhere"),
    ],
)
def test_page_of_a_fleet_can_be_sent_by_mail(*, releases: int, everywhere: bool) -> None:
    """Both have more deployments than a page shows, so that more of them would not make it larger."""
    page = render_page(fleet_dashboard(fleet_history(releases=releases, everywhere=everywhere)), is_live=True)

    assert len(page.encode()) < MAX_BYTES
