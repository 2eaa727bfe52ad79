"""Finds an app's environments among the services of an AWS account."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from attrs import frozen

from kaizen_tasks.domain.init import naming
from kaizen_tasks.domain.init.evidence import APP_RUNNER, EnvironmentFact, Facts, Mention, Trust
from kaizen_tasks.errors import NOTHING_CHANGED, Refused


@frozen(kw_only=True)
class ServiceSummary:
    """An App Runner service of an AWS account.

    Attributes:
        name: the service's name.
        repository: the repository of the service's image; empty when the service is built from source.
        environment: value of the service's variable `ENVIRONMENT`, or empty.
        tag: the tag that the service follows; empty when the service is built from source.
    """

    name: str
    repository: str
    environment: str
    tag: str = ""


@frozen(kw_only=True)
class AccountScan:
    """The services and repositories of an AWS account in one region.

    Attributes:
        account_id: twelve digits.
        region: the region.
        services: all services.
        repositories: names of all image repositories.
    """

    account_id: str
    region: str
    services: tuple[ServiceSummary, ...]
    repositories: tuple[str, ...]


def facts_from_account(scan: AccountScan, names: Sequence[str], file_facts: Iterable[EnvironmentFact]) -> Facts:
    """Return the facts about those environments in an account that belong to the app.

    Args:
        scan: services and repositories of the account.
        names: possible names of the app, the most trustworthy first.
        file_facts: facts from the app's files.

    Raises:
        Refused: there are services, but none is recognisably the app's.
    """
    names_in_files = {value for fact in file_facts for value in (fact.repository, fact.service) if value}
    services = [service for service in scan.services if service.repository]
    matches = _services_named_after(services, names)
    app_services = [each for each in services if each in matches or {each.name, each.repository} & names_in_files]
    if services and not app_services:
        candidates = ", ".join(sorted(service.name for service in services)[:5])
        raise Refused(
            f"no service in account {scan.account_id} {scan.region} is named after this app (found: {candidates})",
            state=NOTHING_CHANGED,
            hint="give its name there: kaizen init --from-aws --app NAME",
        )
    environment_facts = tuple(
        _fact_from_service(service, scan, alone=len(app_services) == 1) for service in app_services
    )
    source = f"account {scan.account_id}"
    return Facts(
        environment_facts=environment_facts,
        regions=(Mention(value=scan.region, source=source, trust=Trust.ACCOUNT),),
        accounts=(Mention(value=scan.account_id, source=source, trust=Trust.ACCOUNT),),
        platforms=tuple(Mention(value=APP_RUNNER, source=source, trust=Trust.ACCOUNT) for _ in environment_facts[:1]),
    )


def _services_named_after(services: Sequence[ServiceSummary], names: Sequence[str]) -> list[ServiceSummary]:
    """Return the services named after the app: those with the first of `names` with which any service is named."""
    for name in filter(None, names):
        if matches := [each for each in services if naming.contains_word(f"{each.name} {each.repository}", name)]:
            return matches
    return []


def _fact_from_service(service: ServiceSummary, scan: AccountScan, *, alone: bool) -> EnvironmentFact:
    """Return the fact about a service; one name alone does not say which part of it is the environment."""
    tagged = service.tag if naming.contains_word(service.name, service.tag) and service.tag else ""
    said = service.environment or tagged or ("" if alone else re.split(r"[-_]", service.name)[0])
    name = naming.slugify(said) if said else ""
    return EnvironmentFact(
        environment=name,
        repository=service.repository,
        follow=service.tag,
        service=service.name,
        source=f"account {scan.account_id}",
        trust=Trust.ACCOUNT,
    )


def missing_resources(scan: AccountScan, environment_facts: Iterable[EnvironmentFact]) -> tuple[str, ...]:
    """Return a message for every proposed repository and service that is missing in the account."""
    existing_names = {"repository": scan.repositories, "service": [service.name for service in scan.services]}
    return tuple(
        f"{fact.environment}: the account has no {kind} {name}"
        for fact in environment_facts
        for kind, names in existing_names.items()
        if (name := getattr(fact, kind)) not in names
    )
