"""What `metrics` does."""

from __future__ import annotations

import sys

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.adapters.console.metrics_table import print_metrics
from kaizen_tasks.cli import json_output, params
from kaizen_tasks.cli.metrics_document import metrics_document
from kaizen_tasks.domain.metrics.openmetrics import to_openmetrics
from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows.views.metrics import collect_metrics, find_scopes

FORMATS = ("table", "openmetrics")
DEFAULT_SINCE = "90d"


def metrics(c: Context, *, env: list[str], since: str, format: str, json: bool) -> None:
    if format not in FORMATS:
        raise params.unknown_choice_error(f"--format {format}: no such format", format, FORMATS)
    if json and format != "table":
        raise UsageError(f"--json goes without --format {format}", hint="inv metrics --json")
    tools = wiring.toolbox(c.config, stream=sys.stderr)
    start = params.parse_since("--since", since or DEFAULT_SINCE, tools.clock.now())
    settings = tools.settings
    report = collect_metrics(find_scopes(env, tools), tools, since=start)
    if json:
        json_output.print_json(metrics_document(settings, report))
    elif format == "openmetrics":
        sys.stdout.write(to_openmetrics(settings.app, report.metrics))
        for problem in report.problems:
            tools.reporter.note(problem)
    else:
        print_metrics(settings.app, report.since, report.until, report.metrics, report.problems)
