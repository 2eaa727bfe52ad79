"""What `notify.test` does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import json_output
from kaizen_tasks.domain.text.duration import format_duration
from kaizen_tasks.errors import TargetsFailed
from kaizen_tasks.flows.execution import announce
from kaizen_tasks.flows.notification.test_message import TestDelivery, select_targets, send_test_messages


def test(c: Context, *, name: str, json: bool) -> None:
    tools = wiring.toolbox(c.config, stream=sys.stderr if json else sys.stdout)
    targets = select_targets(tools.settings, name)
    announce(f"send a test message → {', '.join(target.name for target in targets)}", tools)
    if tools.dry:
        return
    deliveries = send_test_messages(targets, tools)
    if json:
        json_output.print_json(_document(tools.settings.app, deliveries))
    else:
        from kaizen_tasks.adapters.console import tables  # noqa: PLC0415 - rich is slow to import

        rows = [(each.target.name, f"{each.answer} ({format_duration(each.seconds)})") for each in deliveries]
        tables.print_labelled(rows)
    _require_all_accepted(deliveries)


def _document(app: str, deliveries: Sequence[TestDelivery]) -> dict[str, Any]:
    return {
        "app": app,
        "targets": {
            delivery.target.name: {
                "format": delivery.target.format,
                "accepted": delivery.error is None,
                "took": round(delivery.seconds, 3),
                "answer": delivery.answer,
                "fix": (delivery.error.hint or None) if delivery.error else None,
            }
            for delivery in deliveries
        },
    }


def _require_all_accepted(deliveries: Sequence[TestDelivery]) -> None:
    errors = [delivery.error for delivery in deliveries if delivery.error]
    if errors:
        names = ", ".join(delivery.target.name for delivery in deliveries if delivery.error)
        count = f"{len(errors)} of {len(deliveries)} targets have" if len(deliveries) > 1 else "the target has"
        hint = errors[0].hint or "check whether it works, then run the same command again"
        raise TargetsFailed(f"{count} not accepted the message: {names}", hint=hint)
