"""Measures every page of the built site in Chromium: nothing may be wider than a telephone, or a window on a desk.

`python -m docs.generating.check_site build/docs` prints each page that is too wide, with what is.
"""

from __future__ import annotations

import functools
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTHS = (360, 1280)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MIN_PAGES = 40
"""Fewer pages than this mean that the site was not built, or not found."""
TIMEOUT_SECONDS = 300
RESULT = re.compile(r'<pre id="result">(?P<problems>.*?)</pre>', re.DOTALL)
HARNESS = """\
<!doctype html><meta charset="utf-8"><pre id="result"></pre><script>
const pages = %(pages)s, widths = %(widths)s, problems = [];
const load = (frame, page) => new Promise(done => { frame.onload = done; frame.src = page; });
function widest(root, width) {
  const wide = [...root.querySelectorAll("body *")].filter(node => node.getBoundingClientRect().right > width + 1);
  return wide.length ? wide[wide.length - 1].outerHTML.slice(0, 90) : "";
}
(async () => {
  const frame = document.createElement("iframe");
  frame.style.cssText = "height:900px;border:0";
  document.body.append(frame);
  for (const page of pages) {
    await load(frame, page);
    for (const width of widths) {
      frame.style.width = width + "px";
      const root = frame.contentDocument.documentElement;
      if (root.scrollWidth > width) problems.push([page, width, root.scrollWidth, widest(root, width)]);
      for (const table of root.querySelectorAll(".table-wrapper"))
        if (table.scrollWidth > table.clientWidth + 1)
          problems.push([page, width, table.scrollWidth, table.textContent.trim().slice(0, 90)]);
    }
  }
  document.getElementById("result").textContent = JSON.stringify({pages: pages.length, problems});
  document.body.dataset.finished = "yes";
})();
</script>
"""


class BrowserFailed(Exception):
    """Chromium is missing, or has not measured the pages."""


def main() -> int:
    """Measure the site in the folder that the command line names, and return the exit code."""
    problems = list(find_problems(Path(sys.argv[1])))
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    return int(bool(problems))


def find_problems(site: Path) -> Iterator[str]:
    """Yield each page and table that is too wide.

    Raises:
        BrowserFailed: there is no Chromium, or it has measured nothing.
    """
    pages = sorted(str(path.relative_to(site)) for path in site.rglob("*.html"))
    if len(pages) < MIN_PAGES:
        raise BrowserFailed(f"{site} has {len(pages)} pages: build it first, with nox -s docs")
    for page, width, actual, culprit in measure(site, pages):
        yield f"{page}: {actual} pixels wide in a window of {width}: {' '.join(culprit.split())}"


def measure(site: Path, pages: Sequence[str]) -> list[tuple[str, int, int, str]]:
    """Return page, width of the window, actual width and the beginning of what is too wide.

    Raises:
        BrowserFailed: there is no Chromium, or it has measured nothing.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise BrowserFailed(f"install one of {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory() as profile:
        harness = HARNESS % {"pages": json.dumps(pages), "widths": json.dumps(WIDTHS)}
        with _Server(site, harness) as address:
            options = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}")
            words = (browser, *options, f"--timeout={TIMEOUT_SECONDS * 1000}", "--dump-dom", address)
            completed = subprocess.run(
                words, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False, stdin=subprocess.DEVNULL
            )
    match = RESULT.search(completed.stdout)
    if match is None or not match["problems"]:
        raise BrowserFailed(f"{browser} has measured nothing: {completed.stderr[-500:]}")
    result = json.loads(html.unescape(match["problems"]))
    return [tuple(problem) for problem in result["problems"]]


class _Server:
    """The site on a free port of loopback, with the page that measures the others."""

    def __init__(self, site: Path, harness: str) -> None:
        handler = functools.partial(_Handler, directory=str(site), harness=harness)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: object, directory: str, harness: str) -> None:
        self._harness = harness
        super().__init__(*arguments, directory=directory)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer with the measuring page at `/`, and with a file of the site elsewhere."""
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self._harness.encode())

    def log_message(self, *_: object) -> None:
        """Print nothing."""


if __name__ == "__main__":
    sys.exit(main())
