"""The page of `inv dashboard --serve` in Chromium."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from attrs import define, evolve
from playwright.sync_api import expect

from kaizen_tasks.adapters.page.render import render_page
from kaizen_tasks.adapters.page.server import LivePage, PageServer
from tests.support.browser import visit
from tests.support.fleet_history import INTERVAL, FleetHistory, fleet_history
from tests.support.fleet_tools import fleet_dashboard
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.support.browser import Visit

pytestmark = pytest.mark.e2e

HISTORY = fleet_history(environments=8, releases=40)
HOSTILE_ERROR = "<img src=x onerror=\"document.title='owned'\"> is denied"
TIMEOUT = HANG_SECONDS * 1000  # milliseconds
READ_ALL, HIDE = "document.dispatchEvent(new Event('visibilitychange'))", "document, 'hidden', {get: () => true}"


@define
class Newspaper:
    """What the server reads: a test prints the next page.

    Attributes:
        page: the newest one.
        reads: how often it was read.
    """

    page: LivePage
    reads: int = 0

    def read(self) -> LivePage:
        self.reads += 1
        return self.page

    def print(self, history: FleetHistory) -> None:
        html = render_page(fleet_dashboard(history), is_live=True)
        self.page = LivePage(html=html, number=self.page.number + 1, at="12:00:20 UTC", error="")


@pytest.fixture
def newspaper() -> Newspaper:
    page = LivePage(html="", number=0, at="12:00:05 UTC", error="")
    newspaper = Newspaper(page)
    newspaper.print(HISTORY)
    return newspaper


@pytest.fixture
def server(newspaper: Newspaper) -> Iterator[PageServer]:
    with PageServer(0, newspaper.read) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def visited(browser: Browser, server: PageServer) -> Iterator[Visit]:
    """Open the page, which must ask nobody but its server, and complain about nothing."""
    with visit(browser, server.url, width=800, height=600) as visited:
        visited.page.get_by_text("Read at 12:00").wait_for()
        yield visited
        assert [address for address in visited.requests if not address.startswith(server.url)] == []
        assert visited.complaints == []


def refresh(page: Page) -> None:
    """Let the page ask, as it does when a reader comes back to it, and wait for what it makes of the answer."""
    with page.expect_response("**/live?*"):
        page.evaluate(READ_ALL)
    page.evaluate("() => new Promise(requestAnimationFrame)")


def test_a_refresh_changes_what_is_new_and_nothing_else(visited: Visit, newspaper: Newspaper) -> None:
    """Neither the place on the page, nor the focus, nor what is folded out; and nothing is loaded anew."""
    page = visited.page
    page.evaluate("window.isSame = true")
    page.locator('.lane [tabindex="0"]').focus()
    page.keyboard.press("ArrowLeft")
    older = page.evaluate("document.activeElement.getAttribute('aria-label')")
    notes = page.locator("#release-v0\\.35\\.0 details")
    notes.evaluate("details => details.open = true")
    notes.scroll_into_view_if_needed()
    before = notes.bounding_box()

    newspaper.print(fleet_history(environments=8, releases=41, now=HISTORY.now + INTERVAL))
    refresh(page)

    expect(page.locator("#env-staging td.v")).to_have_text("v0.41.0", timeout=TIMEOUT)
    assert page.locator("#release-v0\\.41\\.0").count() == 1
    assert notes.evaluate("details => details.open") is True
    assert page.locator("details[open]").count() == 1
    after = notes.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) <= 1
    assert _without_end(page.evaluate("document.activeElement.getAttribute('aria-label')")) == _without_end(older)
    assert page.evaluate("window.isSame") is True


def _without_end(label: str) -> str:
    """Return what says which bar it is: the release, its outcome and its beginning."""
    return label.partition(" UTC")[0]


def test_a_reader_is_told_when_the_cloud_cannot_be_read(visited: Visit, newspaper: Newspaper) -> None:
    """The last page stays, and the message goes when there is a newer one."""
    page, last = visited.page, newspaper.page
    alarm = page.locator(".alarm")

    newspaper.page = evolve(last, error=HOSTILE_ERROR)
    refresh(page)
    message = f"This is the page of 12:00:20 UTC. It cannot be refreshed: {HOSTILE_ERROR}"
    expect(alarm).to_have_text(message, timeout=TIMEOUT)
    assert alarm.get_attribute("role") == "status"
    assert page.locator("#env-staging td.v").inner_text() == "v0.40.0"
    assert visited.axe_findings() == []

    newspaper.page = last
    refresh(page)
    expect(alarm).to_have_text("", timeout=TIMEOUT)
    assert page.title() == "fleet: what runs where"


def test_a_reader_is_told_when_the_command_has_ended(visited: Visit, server: PageServer) -> None:
    server.shutdown()
    server.server_close()

    visited.page.evaluate(READ_ALL)

    visited.page.get_by_text("inv dashboard --serve does not answer").wait_for()
    assert [each for each in visited.complaints if "ERR_CONNECTION_REFUSED" not in each] == []
    visited.complaints.clear()


def test_nothing_is_read_for_a_page_that_nobody_sees(visited: Visit, newspaper: Newspaper) -> None:
    page = visited.page
    page.evaluate(f"Object.defineProperty({HIDE})")
    before = newspaper.reads

    page.evaluate(READ_ALL)
    page.evaluate("() => new Promise(requestAnimationFrame)")

    assert newspaper.reads == before
