"""The dashboard in Chromium: what is seen, by whom and on what, and that the page asks nobody for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kaizen_tasks.adapters.page.render import render_page
from tests.support.browser import visit
from tests.support.fleet_history import HOSTILE_TEXTS, fleet_history
from tests.support.fleet_tools import DRIFTING, fleet_dashboard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.support.browser import Visit

    Open = Callable[..., AbstractContextManager[Visit]]

pytestmark = pytest.mark.e2e

FLEET = fleet_history()
TEAM = fleet_history(environments=8, releases=40)
HELD = {hold.environment: hold.reason for hold in FLEET.holds}
WIDTHS = (320, 768, 1440)
ELSEWHERE = "https://example.com/"
MEDIUM_BRIGHTNESS = 3 * 128
SCHEMES = ("light", "dark")


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Write the pages of a hundred environments and of eight; return their addresses."""
    folder = tmp_path_factory.mktemp("pages")
    return {
        name: _write(folder / f"{name}.html", render_page(fleet_dashboard(history))) for name, history in PAGES.items()
    }


PAGES = {"fleet": FLEET, "team": TEAM}


def _write(path: Path, page: str) -> str:
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def open_page(browser: Browser, addresses: dict[str, str]) -> Iterator[Open]:
    """Return a function that opens a page; afterwards, it must have asked for nothing and complained about nothing."""
    visits: list[tuple[str, Visit]] = []

    def open_one(name: str = "fleet", **options: Any) -> AbstractContextManager[Visit]:
        address = addresses[name]
        return visit(browser, address, on_open=lambda visited: visits.append((address, visited)), **options)

    yield open_one
    assert visits
    for address, visited in visits:
        assert (visited.requests, visited.complaints) == ([address], [])


def test_what_runs_where_is_seen_at_once(open_page: Open) -> None:
    """Versions, drift and holds of a hundred environments."""
    with open_page() as visited:
        text = visited.page.locator("main").inner_text()
        rows = visited.page.get_by_role("row").filter(has_text="tenant000")
        row, remarks = rows.first.inner_text(), rows.first.locator("xpath=following-sibling::tr[1]").inner_text()

    assert "100 environments" in text
    assert f"{len(HELD)} held" in text
    assert f"{99 // DRIFTING} drift" in text
    assert FLEET.entries["tenant000"][0].version in row
    assert "held" in row
    assert HELD["tenant000"] in remarks


@pytest.mark.parametrize("name", PAGES)
def test_what_others_have_written_is_text(open_page: Open, name: str) -> None:
    """Reasons, names and changelogs are those of people who may want to run a script in the reader's browser."""
    with open_page(name) as visited:
        page = visited.page
        assert page.title() == "fleet: what runs where"
        assert page.locator("main img, main iframe, main object, main form, main [style]").count() == 0
        assert page.locator("body script").count() == 1
        addresses = page.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
        assert not [address for address in addresses if address.startswith("javascript:")]
        assert HOSTILE_TEXTS[0] in page.locator("main").inner_text()


def test_a_reader_without_a_mouse_reaches_every_bar(open_page: Open) -> None:
    with open_page("team") as visited:
        page = visited.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the landscape"
        page.locator('.lane [tabindex="0"]').focus()
        names = [_focused_name(visited)]
        for key in ("ArrowLeft", "ArrowLeft", "Home", "ArrowDown"):
            page.keyboard.press(key)
            names.append(_focused_name(visited))
            assert page.locator(".tip").inner_text().splitlines()[0] == names[-1].split(", ")[0]
        page.keyboard.press("Escape")
        assert not page.locator(".tip").is_visible()

    assert len(dict.fromkeys(names)) == len(names)
    assert all(name.startswith(("staging: v0.", "tenant000: v0.")) for name in names)


def _focused_name(visited: Visit) -> str:
    return str(visited.page.evaluate("document.activeElement.getAttribute('aria-label')"))


@pytest.mark.parametrize("name", PAGES)
def test_no_window_has_to_be_scrolled_sideways(open_page: Open, name: str) -> None:
    with open_page(name) as visited:
        for width in WIDTHS:
            visited.page.set_viewport_size({"width": width, "height": 800})
            document, window = visited.width()
            assert document <= window == width


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_axe_finds_nothing(open_page: Open, scheme: str, width: int) -> None:
    with open_page("team", color_scheme=scheme, width=width) as visited:
        visited.page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")

        assert visited.axe_findings() == []


def test_the_page_is_dark_for_those_who_want_it_dark(open_page: Open) -> None:
    with open_page("team") as visited:
        brightness = {}
        for scheme in SCHEMES:
            visited.page.emulate_media(color_scheme=scheme)
            colour = visited.page.evaluate("getComputedStyle(document.body).backgroundColor")
            brightness[scheme] = sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(",")))

    assert brightness["dark"] < MEDIUM_BRIGHTNESS < brightness["light"]


def test_what_is_folded_in_is_printed(open_page: Open) -> None:
    with open_page("team") as visited:
        page = visited.page
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")

        assert not page.locator("nav").is_visible()
        assert page.locator("table.history tbody tr").last.is_visible()
        assert page.locator("article .notes").last.is_visible()


def test_without_a_script_everything_is_there(open_page: Open) -> None:
    """Bars have titles, which the browser shows itself."""
    with open_page("team", java_script_enabled=False) as visited:
        page = visited.page
        assert page.locator("main .row").count() == len(TEAM.environments)
        assert (page.locator(".lane rect title").last.text_content() or "").strip().startswith("v0.")
        page.locator("details.list summary").click()
        assert page.locator("table.history tbody tr").first.is_visible()


def test_a_browser_refuses_what_the_page_did_not_bring(open_page: Open, addresses: dict[str, str]) -> None:
    """Even what got past the escaping would not run, and could tell nobody."""
    with open_page("team") as visited:
        page = visited.page
        page.evaluate(
            "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title=1\">');"
            "document.body.append(Object.assign(document.createElement('script'), {textContent: 'document.title=2'}));"
            f"new Image().src = '{ELSEWHERE}'"
        )
        assert page.title() == "fleet: what runs where"
        assert visited.requests[1:] == visited.failures == [addresses["team"].replace("team.html", "x"), ELSEWHERE]
        assert len([each for each in visited.complaints if "Content Security Policy" in each]) == 4
        del visited.requests[1:], visited.complaints[:]
