"""Finds an app's environments among the services of an AWS account."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from attrs import frozen

from kaizen_tasks.domain.init import naming
from kaizen_tasks.domain.init.evidence import APP_RUNNER, EnvironmentFact, Facts, Mention, Trust
from kaizen_tasks.domain.init.pipeline import stage_rank
from kaizen_tasks.domain.platform import PLATFORMS
from kaizen_tasks.errors import NOTHING_CHANGED, Refused


@frozen(kw_only=True)
class ServiceSummary:
    """A service of an AWS account.

    Attributes:
        name: the service's name.
        repository: the repository of the service's image; empty when the service is built from source, or runs an image
            that is not of ECR, as many do until the first deployment.
        environment: value of the service's variable `ENVIRONMENT`, or of a tag of Copilot; or empty.
        tag: the tag that the service follows; empty when the service is built from source, or follows none.
        platform: what runs it, as in the configuration.
        cluster: its cluster, if it is in one.
        container: the container that runs the app, if there are several.
        url: its address, if only it has to be written down.
        is_reachable: whether requests reach it.
    """

    name: str
    repository: str
    environment: str
    tag: str = ""
    platform: str = APP_RUNNER
    cluster: str = ""
    container: str = ""
    url: str = ""
    is_reachable: bool = True


@frozen(kw_only=True)
class AccountScan:
    """The services and repositories of an AWS account in one region.

    Attributes:
        account_id: twelve digits.
        region: the region.
        services: all services.
        repositories: names of all image repositories.
        unread: why the services of a platform could not be read, one line for each.
    """

    account_id: str
    region: str
    services: tuple[ServiceSummary, ...]
    repositories: tuple[str, ...]
    unread: tuple[str, ...] = ()


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
    services = [each for each in scan.services if each.repository or not PLATFORMS[each.platform].follows_tag]
    matches = _services_named_after(services, names)
    app_services = [each for each in services if each in matches or {each.name, each.repository} & names_in_files]
    app_services = [each for each in app_services if each.is_reachable] or app_services
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
        platforms=tuple(Mention(value=each.platform, source=source, trust=Trust.ACCOUNT) for each in app_services),
    )


def _services_named_after(services: Sequence[ServiceSummary], names: Sequence[str]) -> list[ServiceSummary]:
    """Return the services named after the app: those with the first of `names` with which any service is named."""
    for name in filter(None, names):
        if matches := [
            each for each in services if naming.contains_word(f"{each.name} {each.repository} {each.cluster}", name)
        ]:
            return matches
    return []


def _fact_from_service(service: ServiceSummary, scan: AccountScan, *, alone: bool) -> EnvironmentFact:
    """Return the fact about a service; one name alone does not say which part of it is the environment.

    A service in a cluster has its environment in its own name, or in that of the cluster.
    """
    tagged = service.tag if naming.contains_word(service.name, service.tag) and service.tag else ""
    words = re.split(r"[-_]", f"{service.name}-{service.cluster}") if service.cluster else []
    staged = next((word for word in words if stage_rank(word) is not None), "")
    said = service.environment or tagged or staged or ("" if alone else re.split(r"[-_]", service.name)[0])
    name = naming.slugify(said) if said else ""
    return EnvironmentFact(
        environment=name,
        platform=service.platform,
        repository=service.repository,
        follow=service.tag,
        service=service.name,
        cluster=service.cluster,
        container=service.container,
        url=service.url,
        source=f"account {scan.account_id}",
        trust=Trust.ACCOUNT,
    )


def missing_resources(scan: AccountScan, environment_facts: Iterable[EnvironmentFact]) -> tuple[str, ...]:
    """Return a message for every proposed repository and service that is missing in the account."""
    services = {(service.cluster, service.name) for service in scan.services}
    return tuple(
        f"{fact.environment}: the account has no {message}"
        for fact in environment_facts
        for message, is_missing in (
            (f"repository {fact.repository}", fact.repository not in scan.repositories),
            (f"service {_place(fact)}", (fact.cluster, fact.service) not in services),
        )
        if is_missing
    )


def _place(fact: EnvironmentFact) -> str:
    return f"{fact.service} in the cluster {fact.cluster}" if fact.cluster else fact.service
