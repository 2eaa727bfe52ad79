"""The accounts of a command's environments: the credentials reach the configured ones, and the plan names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaizen_tasks.domain.aws_target import AwsTarget
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports.tools import Tools

MAX_CONCURRENT_ACCOUNTS = 16


def require_accounts(environments: Iterable[Environment], tools: Tools) -> None:
    """Check the credentials of the home and of each environment, before anything is read with them.

    Raises:
        Denied: some are missing, invalid, or of another account than configured.
    """
    from kaizen_tasks.flows.parallel import map_parallel

    tools.identity.account_id()
    targets = {environment.target: tools.at(environment) for environment in environments}
    map_parallel(lambda target: target.identity.account_id(), targets.values(), max_workers=MAX_CONCURRENT_ACCOUNTS)


def group_by_target(environments: Iterable[Environment]) -> dict[AwsTarget, tuple[Environment, ...]]:
    """Return the environments by the account and region that they are in, and by whose credentials reach these."""
    groups: dict[AwsTarget, tuple[Environment, ...]] = {}
    for environment in environments:
        groups[environment.target] = (*groups.get(environment.target, ()), environment)
    return groups


def describe_accounts(environments: Iterable[Environment], tools: Tools) -> tuple[str, ...]:
    """Return a line for each account and region other than the home's: `prod: account 210987654321, eu-central-1`.

    Raises:
        Denied: as `require_accounts`.
    """
    home = tools.identity.account_id(), tools.settings.aws.region
    names: dict[tuple[str, str], list[str]] = {}
    for environment in environments:
        place = tools.at(environment).identity.account_id(), environment.target.region
        names.setdefault(place, []).append(environment.name)
    return tuple(
        f"{', '.join(group)}: account {account}, {region}"
        for (account, region), group in names.items()
        if (account, region) != home
    )
