"""What an AWS account shows of an app: which of its services are the app's, and which environments they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.init import naming
from kaizen_tasks.domain.init.evidence import Sighting, Traces
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@frozen(kw_only=True)
class Service:
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
class Found:
    """An account, as far as it is of interest.

    Attributes:
        account: twelve digits.
        region: where.
        services: all that run there.
        repositories: names of all image repositories.
    """

    account: str
    region: str
    services: tuple[Service, ...]
    repositories: tuple[str, ...]


def traces(found: Found, names: Sequence[str], seen: Iterable[Sighting]) -> Traces:
    """Return the environments that are the app's.

    Args:
        found: the account.
        names: what the app may be called: what a person said, its repository, its folder.
        seen: what its files show.

    Raises:
        Refused: there are services, and nothing says which of them are the app's.
    """
    shown = {value for each in seen for value in (each.repository, each.service) if value}
    services = [each for each in found.services if each.repository]
    called = _called(services, names)
    mine = [each for each in services if each in called or {each.name, each.repository} & shown]
    if services and not mine:
        candidates = ", ".join(sorted(each.name for each in services)[:5])
        raise Refused(
            f"none of the services in {found.account} {found.region} is called after this app: {candidates}",
            state="nothing has been changed",
            hint="say what it is called there: kaizen init --from-aws --app NAME",
        )
    sightings = (_sighting(each, found) for each in mine)
    return Traces(sightings=tuple(sightings), regions=(found.region,), accounts=(found.account,))


def _called(services: Sequence[Service], names: Sequence[str]) -> list[Service]:
    """Return the services of the first name that any has."""
    for name in filter(None, names):
        word = re.compile(rf"(?<![a-zA-Z0-9]){re.escape(name)}(?![a-zA-Z0-9])")
        mine = [each for each in services if word.search(each.name) or word.search(each.repository)]
        if mine:
            return mine
    return []


def _sighting(service: Service, found: Found) -> Sighting:
    environment = service.environment or re.split(r"[-_]", service.name)[0]
    return Sighting(
        environment=naming.slug(environment),
        repository=service.repository,
        service=service.name,
        where=f"account {found.account}",
    )


def missing(found: Found, sightings: Iterable[Sighting]) -> tuple[str, ...]:
    """Return a line for every repository and service that is proposed, and is not in the account."""
    services = {each.name for each in found.services}
    lines = []
    for each in sightings:
        for kind, name, there in (
            ("repository", each.repository, found.repositories),
            ("service", each.service, services),
        ):
            if name not in there:
                lines.append(f"{each.environment}: the account has no {kind} {name}")
    return tuple(lines)
