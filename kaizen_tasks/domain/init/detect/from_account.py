"""What an AWS account shows of an app: which of its services are the app's, and which environments they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.init import naming
from kaizen_tasks.domain.init.evidence import EnvironmentFact, Facts
from kaizen_tasks.errors import NOTHING_CHANGED, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@frozen(kw_only=True)
class ServiceSummary:
    """A service that runs.

    Attributes:
        name: the platform's.
        repository: from which it takes its image; empty when it is built from source.
        environment: its variable `ENVIRONMENT`, or empty.
    """

    name: str
    repository: str
    environment: str


@frozen(kw_only=True)
class AccountScan:
    """An account, as far as it is of interest.

    Attributes:
        account_id: twelve digits.
        region: where.
        services: all that run there.
        repositories: names of all image repositories.
    """

    account_id: str
    region: str
    services: tuple[ServiceSummary, ...]
    repositories: tuple[str, ...]


def facts_from_account(scan: AccountScan, names: Sequence[str], file_facts: Iterable[EnvironmentFact]) -> Facts:
    """Return the environments that are the app's.

    Args:
        scan: the account.
        names: what the app may be called: what a person said, its repository, its folder.
        file_facts: what its files show.

    Raises:
        Refused: there are services, and nothing says which of them are the app's.
    """
    names_in_files = {value for fact in file_facts for value in (fact.repository, fact.service) if value}
    services = [service for service in scan.services if service.repository]
    matches = _services_named_after(services, names)
    app_services = [
        service for service in services if service in matches or {service.name, service.repository} & names_in_files
    ]
    if services and not app_services:
        candidates = ", ".join(sorted(service.name for service in services)[:5])
        raise Refused(
            f"none of the services in {scan.account_id} {scan.region} is called after this app: {candidates}",
            state=NOTHING_CHANGED,
            hint="say what it is called there: kaizen init --from-aws --app NAME",
        )
    environment_facts = (_fact_from_service(service, scan) for service in app_services)
    return Facts(environment_facts=tuple(environment_facts), regions=(scan.region,), accounts=(scan.account_id,))


def _services_named_after(services: Sequence[ServiceSummary], names: Sequence[str]) -> list[ServiceSummary]:
    """Return the services of the first name that any has."""
    for name in filter(None, names):
        pattern = re.compile(rf"(?<![a-zA-Z0-9]){re.escape(name)}(?![a-zA-Z0-9])")
        matches = [
            service for service in services if pattern.search(service.name) or pattern.search(service.repository)
        ]
        if matches:
            return matches
    return []


def _fact_from_service(service: ServiceSummary, scan: AccountScan) -> EnvironmentFact:
    environment = service.environment or re.split(r"[-_]", service.name)[0]
    return EnvironmentFact(
        environment=naming.slugify(environment),
        repository=service.repository,
        service=service.name,
        source=f"account {scan.account_id}",
    )


def missing_resources(scan: AccountScan, environment_facts: Iterable[EnvironmentFact]) -> tuple[str, ...]:
    """Return a line for every repository and service that is proposed, and is not in the account."""
    service_names = {service.name for service in scan.services}
    lines = []
    for fact in environment_facts:
        for kind, name, existing_names in (
            ("repository", fact.repository, scan.repositories),
            ("service", fact.service, service_names),
        ):
            if name not in existing_names:
                lines.append(f"{fact.environment}: the account has no {kind} {name}")
    return tuple(lines)
