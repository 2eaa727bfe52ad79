"""Runs Debian's Chromium, and collects what a page does that it should not."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field

from docs.generating.check_site import BROWSERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser of this machine; without one, skip the test, which fails it in CI."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"a browser is not installed: one of {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


@define
class Visit:
    """A page in a window, and what it has done.

    Attributes:
        page: the page.
        requests: the addresses that it wanted, its own included.
        failures: those of them that the browser did not get, or did not ask for.
        complaints: messages on the console, and errors of scripts.
    """

    page: Any
    requests: list[str] = field(factory=list)
    failures: list[str] = field(factory=list)
    complaints: list[str] = field(factory=list)

    def width(self) -> tuple[int, int]:
        """Return the width of the document, and that of the window."""
        document, window = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        return document, window

    def axe_findings(self) -> list[str]:
        """Return the findings of axe: the rule, and the first element that breaks it."""
        from axe_playwright_python.sync_playwright import Axe

        response = Axe().run(self.page).response
        return [f"{rule['id']}: {rule['nodes'][0]['html'][:200]}" for rule in response["violations"]]


@contextmanager
def visit(
    browser: Browser,
    address: str,
    *,
    width: int = 1280,
    height: int = 900,
    on_open: Callable[[Visit], object] | None = None,
    **options: Any,
) -> Iterator[Visit]:
    """Open an address in a new window.

    Args:
        browser: the browser.
        address: what to open.
        width: of the window, in pixels.
        height: of the window, in pixels.
        on_open: called with the visit.
        options: of the browser's context: `color_scheme`, `java_script_enabled`.
    """
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    try:
        visited = Visit(context.new_page())
        page = visited.page
        page.on("request", lambda request: visited.requests.append(request.url))
        page.on("requestfailed", lambda request: visited.failures.append(request.url))
        page.on("console", lambda message: visited.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: visited.complaints.append(str(error)))
        if on_open:
            on_open(visited)
        page.goto(address)
        yield visited
    finally:
        context.close()
