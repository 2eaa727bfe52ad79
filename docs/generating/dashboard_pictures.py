"""Takes pictures of the dashboard of a demo: as wide as a desk, a tablet and a telephone, light and dark.

`python -m docs.generating.dashboard_pictures` writes `docs/pictures/dashboard-WIDTH-SCHEME.png`. It needs Chromium.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from docs.generating.check_site import BROWSERS, BrowserFailed
from docs.generating.example_tasks import EXAMPLE, ROOT
from docs.generating.terminal_picture import deploy_by_hand, kaizen_words

if TYPE_CHECKING:
    from collections.abc import Mapping

PICTURES = ROOT / "docs" / "pictures"
WINDOWS = {1440: 640, 768: 640, 320: 640}
"""Width and height of each window, in pixels."""

SCHEMES = ("light", "dark")
OPTIONS = ("--no-sandbox", "--disable-gpu", "--hide-scrollbars")
COMMANDS = (
    ("changelog.add", "--type", "added", "--text", "Plans for two weeks."),
    ("release-staging",),
    ("promote-prod", "--yes"),
    ("hold.add", "--env", "mark", "--reason", "shows the app at a fair", "--until", "2d"),
    ("promote-beta", "--skip-held"),
    ("changelog.add", "--type", "fixed", "--text", "Rest days count."),
    ("release-staging",),
    ("rollback", "--env", "prod", "--reason", "weeks began on Sunday", "--yes"),
)
"""What is typed after the demo; a change is committed before each release."""


def main() -> None:
    """Release, promote, hold, roll back and deploy by hand on a local cloud; take the pictures."""
    with tempfile.TemporaryDirectory(prefix="kaizen-pictures-") as folder:
        workspace, page = Path(folder, "demo"), Path(folder, "dashboard.html")
        words = (*kaizen_words(), "demo", "--engine", "bundle", "--json", "--keep", str(workspace))
        demo = subprocess.run(words, cwd=EXAMPLE, stdout=subprocess.PIPE, check=True)
        try:
            _write_page(json.loads(demo.stdout)["work"], page)
        finally:
            subprocess.run(
                (*kaizen_words(), "local.down", "--state", str(workspace / "cloud")), cwd=EXAMPLE, check=True
            )
        take_pictures(page)


def _write_page(work: Mapping[str, Any], page: Path) -> None:
    clone, environ = Path(work["repository"]), {**os.environ, **work["environ"], "LOGNAME": "sam"}
    for words in (*COMMANDS, ("dashboard", "--out", str(page))):
        if words == ("release-staging",):
            message = ("git", "commit", "--quiet", "--all", "--message", "Work")
            subprocess.run(message, cwd=clone, env=environ, check=True)
        if words[0] == "dashboard":
            deploy_by_hand(work["environ"])
        subprocess.run((*kaizen_words(), *words), cwd=clone, env=environ, check=True)


def take_pictures(page: Path) -> None:
    """Take a picture of a page in each window and scheme.

    Raises:
        BrowserFailed: there is no Chromium.
    """
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        raise BrowserFailed(f"install one of {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(OPTIONS))
        for width, height in WINDOWS.items():
            for scheme in SCHEMES:
                window = browser.new_page(viewport={"width": width, "height": height})
                window.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                window.goto(page.as_uri())
                window.screenshot(path=PICTURES / f"dashboard-{width}-{scheme}.png")
                window.close()
        browser.close()


if __name__ == "__main__":
    main()
