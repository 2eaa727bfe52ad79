"""Looks at everything that a release needs, all at once; one look that fails hides no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.doctor import account, checkout, engine, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.check import Finding
    from kaizen_tasks.flows.doctor.check import Check
    from kaizen_tasks.ports.tools import Tools

MAX_CONCURRENT_CHECKS = 32


def run_checks(tools: Tools) -> tuple[Finding, ...]:
    """Return everything that was found, in the order in which it is read best.

    Without environments only the release side is looked at.
    """
    with ThreadPoolExecutor(max_workers=MAX_CONCURRENT_CHECKS, thread_name_prefix="doctor") as pool:
        futures = [pool.submit(check.run) for check in _checks(tools)]
        return tuple(finding for future in futures for finding in future.result())


def _checks(tools: Tools) -> Iterator[Check]:
    yield from checkout.checks(tools)
    if not tools.settings.environments:
        return
    yield from engine.checks(tools)
    yield from account.checks_without_credentials(tools)
    if _credentials_work(tools):
        yield from account.checks(tools)
        for configured_environment in tools.settings.environments.values():
            yield from environment.checks(configured_environment, tools)
    else:
        yield from account.skipped_checks()
        for configured_environment in tools.settings.environments.values():
            yield from environment.checks_without_credentials(configured_environment, tools)


def _credentials_work(tools: Tools) -> bool:
    """Return whether the credentials work: where they do not, every look behind them would say the same."""
    try:
        tools.identity.account_id()
    except KaizenError:
        return False
    return True
