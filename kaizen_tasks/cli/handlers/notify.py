"""What `notify.test` does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import json_output
from kaizen_tasks.domain.text.duration import format_duration
from kaizen_tasks.domain.text.listing import counted
from kaizen_tasks.errors import KaizenError, TargetsFailed
from kaizen_tasks.flows.execution import announce
from kaizen_tasks.flows.notification.target_test import TestDelivery, select_targets, send_test_messages, send_waiting
from kaizen_tasks.wiring import Toolbox


def test(c: Context, *, name: str, json: bool) -> None:
    tools = wiring.toolbox(c.config, stream=sys.stderr if json else sys.stdout)
    targets = select_targets(tools.settings, name)
    announce(f"send a test message → {', '.join(target.name for target in targets)}", tools)
    if tools.dry:
        return
    deliveries = send_test_messages(targets, tools)
    if not json:
        _print_answers(deliveries)
    waiting = _send_waiting(tools, deliveries)
    if json:
        documents = {delivery.target.name: _document(delivery) for delivery in deliveries}
        json_output.print_json({"app": tools.settings.app, "targets": documents, "waiting": waiting})
    _require_all_accepted(deliveries)


def _print_answers(deliveries: Sequence[TestDelivery]) -> None:
    from kaizen_tasks.adapters.console import tables  # noqa: PLC0415 - rich is slow to import

    rows: list[tuple[str, str]] = []
    for each in deliveries:
        rows.append((each.target.name, f"{each.answer} ({format_duration(each.seconds)})"))
        if each.error and each.error.hint and not _is_only_failure(deliveries):
            rows.append(("", f"→ {each.error.hint}"))
    tables.print_labelled(rows)


def _is_only_failure(deliveries: Sequence[TestDelivery]) -> bool:
    """Return whether one target has failed, whose fix is the hint of the error."""
    return [delivery.error is None for delivery in deliveries].count(False) == 1


def _send_waiting(tools: Toolbox, deliveries: Sequence[TestDelivery]) -> int | None:
    """Send what waits in the outbox; return how many messages are left, or None where it cannot be read."""
    try:
        waiting = send_waiting(tools, deliveries)
    except KaizenError as error:
        tools.reporter.note(f"the outbox cannot be read: {error.message}")
        return None
    if waiting:
        verb = "waits" if waiting == 1 else "wait"
        tools.reporter.note(f"{counted(waiting, 'message')} about releases still {verb} in the outbox")
    return waiting


def _document(delivery: TestDelivery) -> dict[str, Any]:
    return {
        "format": delivery.target.format,
        "accepted": delivery.error is None,
        "took": round(delivery.seconds, 3),
        "answer": delivery.answer,
        "fix": (delivery.error.hint or None) if delivery.error else None,
    }


def _require_all_accepted(deliveries: Sequence[TestDelivery]) -> None:
    errors = [delivery.error for delivery in deliveries if delivery.error]
    if errors:
        names = ", ".join(delivery.target.name for delivery in deliveries if delivery.error)
        verb = "has" if len(errors) == 1 else "have"
        count = f"{len(errors)} of {len(deliveries)} targets {verb}" if len(deliveries) > 1 else "the target has"
        others = "" if all(error.hint for error in errors) else ", check whether the others work"
        hint = f"correct each as said above{others}, then run the same command again"
        if len(errors) == 1:
            hint = errors[0].hint or "check whether it works, then run the same command again"
        raise TargetsFailed(f"{count} not accepted the message: {names}", hint=hint)
