"""Looks at everything that a release needs, all at once; one look that fails hides no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.doctor import account, checkout, engine, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.check import Finding
    from kaizen_tasks.flows.doctor.check import Look
    from kaizen_tasks.ports.tools import Tools

AT_ONCE = 32


def examine(tools: Tools) -> tuple[Finding, ...]:
    """Return everything that was found, in the order in which it is read best.

    Without environments only the release side is looked at.
    """
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="doctor") as pool:
        found = [pool.submit(look.settle) for look in _looks(tools)]
        return tuple(finding for each in found for finding in each.result())


def _looks(tools: Tools) -> Iterator[Look]:
    yield from checkout.looks(tools)
    if not tools.settings.environments:
        return
    yield from engine.looks(tools)
    yield from account.looks_without_credentials(tools)
    if _may_ask(tools):
        yield from account.looks(tools)
        for each in tools.settings.environments.values():
            yield from environment.looks(each, tools)
    else:
        yield from account.looks_left_out()
        for each in tools.settings.environments.values():
            yield from environment.looks_without_credentials(each, tools)


def _may_ask(tools: Tools) -> bool:
    """Return whether the credentials work: where they do not, every look behind them would say the same."""
    try:
        tools.identity.account()
    except KaizenError:
        return False
    return True
