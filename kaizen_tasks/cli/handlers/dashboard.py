"""What `dashboard` does."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.adapters.host.atomic_write import WorkingTree
from kaizen_tasks.adapters.host.write_failure import remedy
from kaizen_tasks.adapters.page.render import is_dashboard, render_page
from kaizen_tasks.cli import json_output, params
from kaizen_tasks.cli.dashboard_document import dashboard_document
from kaizen_tasks.errors import Refused, UsageError
from kaizen_tasks.flows.dashboard import collect_dashboard

DEFAULT_SINCE = "90d"
STDOUT = "-"
EXAMPLE = "inv dashboard --out dashboard.html"
"""The page in a file of the app's folder."""


def dashboard(c: Context, *, env: list[str], since: str, out: str, json: bool) -> None:
    if not (out or json):
        raise UsageError("dashboard needs --out, for a page, or --json, for the data", hint=EXAMPLE)
    if out == STDOUT and json:
        raise UsageError("--out - and --json both write to stdout", hint=EXAMPLE)
    if out and out != STDOUT:
        _require_writable(Path(out))
    tools = wiring.toolbox(c.config, stream=sys.stderr if json or out == STDOUT else sys.stdout)
    environments = params.resolve_environments_or_all(env, tools.settings)
    board = collect_dashboard(
        environments, tools, since=params.parse_since("--since", since or DEFAULT_SINCE, tools.clock.now())
    )
    if out:
        page = render_page(board)
        if out == STDOUT:
            sys.stdout.buffer.write(page.encode())
        else:
            verb = "would write" if tools.dry else "wrote"
            if not tools.dry:
                _write(Path(out), page)
            tools.reporter.note(f"{verb} {out}")
    if json:
        json_output.print_json(dashboard_document(board, tools.settings))


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
    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise _write_error(path, error) from None
    if content and not is_dashboard(content):
        hint = f"name another file, or remove this one: rm {shlex.quote(str(path))}"
        raise Refused(f"--out {path}: that is no dashboard", state="it is unchanged", hint=hint)


def _write(path: Path, page: str) -> None:
    folder = path.parent.resolve()
    WorkingTree(folder, survives_power_loss=False).write(path.name, page.encode())


def _write_error(path: Path, error: OSError) -> Refused:
    reason = str(error.strerror)
    return Refused(f"--out {path}: {reason}", state="nothing has been written", hint=remedy(reason, path.parent))
