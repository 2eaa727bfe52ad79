"""What a deployment leaves: in the repository, the registry, the services, the ledger."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import urlopen

from attrs import asdict, frozen

from tests.crash.snapshots import End
from tests.crash.snapshots import end as end_of_repository
from tests.e2e.worlds import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crash.landscapes import Landscape

Item = Mapping[str, str]


@frozen(kw_only=True)
class Outcome:
    """What a deployment leaves, without what differs from run to run: times, digests, identifiers.

    Attributes:
        repository: the clone and its remote.
        images: the tags of every image of every repository.
        running: what each service answers when it is asked.
        deployments: how each deployment of every service has ended.
        ledger: what it says of each environment, oldest first; an intent that was repeated counts once.
        locks: the environments that are still locked.
        holds: why environments are held.
    """

    repository: End
    images: Mapping[str, tuple[tuple[str, ...], ...]]
    running: Mapping[str, str]
    deployments: Mapping[str, tuple[str, ...]]
    ledger: Mapping[str, tuple[tuple[str, str], ...]]
    locks: tuple[str, ...]
    holds: Mapping[str, str]

    def differences(self, other: Outcome) -> Iterator[str]:
        """Say what another outcome has otherwise."""
        expected, found = _flat(asdict(self)), _flat(asdict(other))
        for name in sorted(expected.keys() | found.keys()):
            if expected.get(name) != found.get(name):
                yield f"{name} is {found.get(name)!r}, not {expected.get(name)!r}"


def _flat(document: Mapping[str, Any], above: str = "") -> dict[str, object]:
    """Return the leaves of a nested document, each by its path."""
    leaves: dict[str, object] = {}
    for name, value in document.items():
        leaves |= _flat(value, f"{above}{name}: ") if isinstance(value, Mapping) else {f"{above}{name}": value}
    return leaves


def outcome(landscape: Landscape) -> Outcome:
    """Look at everything."""
    services = landscape.ask("apprunner", "ListServices")["ServiceSummaryList"]
    items = tuple(_items(landscape))
    return Outcome(
        repository=end_of_repository(landscape.repository),
        images={name: _images(landscape, name) for name in sorted(_repositories(landscape))},
        running={each["ServiceName"]: _asked(each["ServiceUrl"]) for each in services},
        deployments=deployments(landscape),
        ledger=_ledger(items),
        locks=tuple(sorted(each["pk"] for each in items if each["sk"] == "lock" and "token" in each)),
        holds={each["pk"]: each["reason"] for each in items if each["sk"] == "hold"},
    )


def deployments(landscape: Landscape) -> dict[str, tuple[str, ...]]:
    """Return how each deployment of every service has ended, by its name; nobody asks the apps."""
    return {name: _deployments(landscape, each["ServiceArn"]) for name, each in landscape.services.items()}


def leases(landscape: Landscape) -> dict[str, str]:
    """Return when the lease of every lock that stands runs out."""
    return {each["pk"]: each["expires"] for each in _items(landscape) if each["sk"] == "lock" and "token" in each}


def _repositories(landscape: Landscape) -> list[str]:
    return [each["repositoryName"] for each in landscape.ask("ecr", "DescribeRepositories")["repositories"]]


def _images(landscape: Landscape, repository: str) -> tuple[tuple[str, ...], ...]:
    found = landscape.ask("ecr", "DescribeImages", repositoryName=repository)["imageDetails"]
    return tuple(sorted(tuple(sorted(each.get("imageTags", ()))) for each in found))


def _asked(address: str) -> str:
    """Return what an app answers; one whose cloud has just risen needs a moment."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(f"http://{address.removeprefix('http://')}/version", timeout=10) as answer:
                said: Mapping[str, str] = json.load(answer)
            return f"{said['version']} in {said['environment']}"
        except HTTPError as error:
            if error.code != 503 or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _deployments(landscape: Landscape, service: str) -> tuple[str, ...]:
    listed = landscape.ask("apprunner", "ListOperations", ServiceArn=service)["OperationSummaryList"]
    return tuple(each["Status"] for each in listed if each["Type"] == "START_DEPLOYMENT")


def _items(landscape: Landscape) -> Iterator[Item]:
    for item in landscape.ask("dynamodb", "Scan", TableName="kaizen-web")["Items"]:
        yield {name: next(iter(value.values())) for name, value in item.items()}


def _ledger(items: tuple[Item, ...]) -> dict[str, tuple[tuple[str, str], ...]]:
    entries: dict[str, list[Any]] = {}
    for item in sorted(items, key=lambda item: item["sk"]):
        if item["pk"].startswith("ledger#") and "version" in item:  # what only completes an intent has none
            entries.setdefault(item["pk"], []).append((item["event"], item["version"]))
    return {name: tuple(entry for entry, _ in groupby(found)) for name, found in sorted(entries.items())}
