"""Checks everything that a release needs, concurrently; a failed check does not hide the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.doctor import account, app, checkout, ecs, engine, environment, messages, network
from kaizen_tasks.flows.doctor.check import Check
from kaizen_tasks.flows.parallel import map_parallel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.doctor import Finding
    from kaizen_tasks.ports.tools import Tools

MAX_CONCURRENT_CHECKS = 32


def run_checks(tools: Tools) -> tuple[Finding, ...]:
    """Return the findings of all checks, in a fixed order; without configured environments, of the checkout alone."""
    groups = (_local_checks, _account_checks) if tools.settings.environments else (checkout.checks,)
    findings_by_group = map_parallel(
        lambda checks: map_parallel(Check.run, checks(tools), max_workers=MAX_CONCURRENT_CHECKS),
        groups,
        max_workers=len(groups),
    )
    return tuple(finding for group in findings_by_group for findings in group for finding in findings)


def _local_checks(tools: Tools) -> Iterator[Check]:
    yield from checkout.checks(tools)
    yield from engine.checks(tools)
    yield from app.checks(tools)
    yield from ecs.app_checks(tools)
    yield from network.checks(tools)
    yield from account.checks_without_credentials(tools)


def _account_checks(tools: Tools) -> Iterator[Check]:
    if _credentials_work(tools):
        yield from account.checks(tools)
        yield from messages.checks(tools)
        tag_rules = environment.TagRules(tools.settings.environments.values(), tools)
        for configured_environment in tools.settings.environments.values():
            yield from account.target_checks(configured_environment, tools)
            if account.can_reach(configured_environment, tools):
                yield from environment.checks(configured_environment, tools, tag_rules)
            else:
                yield from environment.checks_without_credentials(configured_environment, tools)
    else:
        yield from account.skipped_checks()
        for configured_environment in tools.settings.environments.values():
            yield from environment.checks_without_credentials(configured_environment, tools)


def _credentials_work(tools: Tools) -> bool:
    """Return whether the credentials work: without them, every check that needs them would report the same error."""
    try:
        tools.identity.account_id()
    except KaizenError:
        return False
    return True
