"""What `logs` does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import json_output, params
from kaizen_tasks.domain.text.printable import printable
from kaizen_tasks.flows.accounts import require_accounts
from kaizen_tasks.flows.logs import EnvironmentLine, follow_logs, read_logs

DEFAULT_SINCE = "10m"


def logs(c: Context, *, env: list[str], follow: bool, since: str, json: bool) -> None:
    tools = wiring.toolbox(c.config, stream=sys.stderr)
    environments = params.resolve_stage(env, tools.settings).environments
    require_accounts(environments, tools)
    start = params.parse_since("--since", since or DEFAULT_SINCE, tools.clock.now())
    width = max(len(environment.name) for environment in environments) if len(environments) > 1 else 0
    write = _write_json if json else lambda line: _write_text(line, width)
    if follow:
        try:
            _write_all(follow_logs(environments, tools, since=start), write)
        except KeyboardInterrupt:  # its normal end
            return
    _write_all(read_logs(environments, tools, since=start), write)


def _write_all(lines: Iterable[EnvironmentLine], write: Callable[[EnvironmentLine], None]) -> None:
    for line in lines:
        write(line)


def _write_json(line: EnvironmentLine) -> None:
    environment, entry = line
    json_output.print_json_line(
        {"environment": environment.name, "at": entry.at.isoformat(), "stream": entry.stream, "text": entry.text}
    )


def _write_text(line: EnvironmentLine, width: int) -> None:
    """Print a line, after the name of its environment if there are several."""
    environment, entry = line
    prefix = f"{environment.name:<{width}} | " if width else ""
    for text in entry.text.splitlines() or [""]:
        sys.stdout.write(f"{prefix}{printable(text) if sys.stdout.isatty() else text}\n")
    sys.stdout.flush()
