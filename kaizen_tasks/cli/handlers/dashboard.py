"""What `dashboard` does."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.adapters.host.atomic_write import WorkingTree
from kaizen_tasks.adapters.host.write_failure import remedy
from kaizen_tasks.adapters.page.render import HEAD_BYTES, is_dashboard, render_page
from kaizen_tasks.adapters.page.server import LivePage, PageServer
from kaizen_tasks.cli import json_output, params
from kaizen_tasks.cli.dashboard_document import dashboard_document
from kaizen_tasks.domain.dashboard.model import Dashboard
from kaizen_tasks.errors import Refused, UsageError
from kaizen_tasks.flows.views.dashboard import MAX_ENTRIES, collect_dashboard
from kaizen_tasks.flows.views.refresh import SharedRefresh
from kaizen_tasks.wiring import Toolbox

DEFAULT_SINCE = "90d"
DEFAULT_PORT = "8787"
STDOUT = "-"
EXAMPLE = "inv dashboard --out dashboard.html"
"""The page in a file of the app's folder."""


REFRESH_SECONDS = 15.0
"""How old a page may be that is served. Each refresh costs several requests of AWS for each environment."""


def dashboard(c: Context, *, env: list[str], since: str, out: str, serve: bool, port: str, json: bool) -> None:
    _check_flags(out=out, serve=serve, port=port, json=json)
    port_number = params.parse_number("--port", port or DEFAULT_PORT, minimum=0, maximum=65535)
    tools = wiring.toolbox(c.config, stream=sys.stderr if json or out == STDOUT else sys.stdout)
    environments = params.resolve_environments_or_all(env, tools.settings)

    def collect() -> Dashboard:
        start = params.parse_since("--since", since or DEFAULT_SINCE, tools.clock.now())
        return collect_dashboard(environments, tools, since=start, max_entries=None if json else MAX_ENTRIES)

    if serve:
        _serve(collect, tools, port_number)
        return
    board = collect()
    if out:
        _write_page(render_page(board), out, tools)
    if json:
        json_output.print_json(dashboard_document(board, tools.settings))


def _check_flags(*, out: str, serve: bool, port: str, json: bool) -> None:
    """Require flags that go together, and a file that may be written, before the environments are asked."""
    if not (out or serve or json):
        text = "dashboard needs --out or --serve, for a page, or --json, for the data"
        raise UsageError(text, hint=EXAMPLE)
    if serve and (out or json):
        raise UsageError("--serve writes no file and no document", hint="inv dashboard --serve")
    if port and not serve:
        raise UsageError("--port is for --serve", hint=f"inv dashboard --serve --port {shlex.quote(port)}")
    if out == STDOUT and json:
        raise UsageError("--out - and --json both write to stdout", hint=EXAMPLE)
    if out and out != STDOUT:
        _require_writable(Path(out))


def _write_page(page: str, out: str, tools: Toolbox) -> None:
    if out == STDOUT:
        sys.stdout.buffer.write(page.encode())
        return
    verb = "would write" if tools.dry else "wrote"
    if not tools.dry:
        _write(Path(out), page)
    tools.reporter.note(f"{verb} {out}")


def _serve(collect: Callable[[], Dashboard], tools: Toolbox, port: int) -> None:
    """Serve the page until Ctrl-C, which is the normal end: nothing was left unfinished."""

    def read() -> LivePage:
        page = refresh.get()
        return LivePage(html=page.value, number=page.number, at=f"{page.at:%Y-%m-%d %H:%M:%S} UTC", error=page.error)

    try:
        with PageServer(port, read) as server:
            refresh = SharedRefresh(lambda: render_page(collect(), is_live=True), tools.clock, REFRESH_SECONDS)
            sys.stdout.write(f"{tools.settings.app} at {server.url} on this machine; Ctrl-C ends\n")
            sys.stdout.flush()
            server.serve_forever()
    except KeyboardInterrupt:
        return


def _require_writable(path: Path) -> None:
    """Require that a page may be written to a path, before the environments are asked.

    Raises:
        UsageError: it is in no folder, or is one.
        Refused: it is another file than a dashboard.
    """
    if not path.parent.is_dir():
        folder = shlex.quote(str(path.parent))
        raise UsageError(f"--out {path}: there is no folder {path.parent}", hint=f"mkdir -p {folder}")
    if path.is_dir():
        raise UsageError(f"--out {path}: that is a folder", hint=f"name a file in it: --out {path / 'index.html'}")
    if _is_special(path):
        return
    try:
        head = _read_head(path) if path.exists() else b""
    except OSError as error:
        raise _write_error(path, error) from None
    if head and not is_dashboard(head):
        message = f"--out {path}: that is no dashboard"
        raise Refused(message, state="it is unchanged", hint=f"name another file: {EXAMPLE}")


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _write(path: Path, page: str) -> None:
    """Replace a file; write into a device or a pipe, which root would replace too."""
    if not _is_special(path):
        WorkingTree(path.parent.resolve(), survives_power_loss=False).write(path.name, page.encode())
        return
    try:
        path.write_bytes(page.encode())
    except OSError as error:
        raise _write_error(path, error) from None


def _is_special(path: Path) -> bool:
    """Whether a path leads to a device or a pipe, such as `/dev/null` and the `>(…)` of a shell."""
    return path.exists() and not path.is_file()


def _write_error(path: Path, error: OSError) -> Refused:
    reason = str(error.strerror)
    return Refused(f"--out {path}: {reason}", state="nothing has been written", hint=remedy(reason, path.parent))
