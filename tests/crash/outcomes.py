"""The state after a rollout: repository, registry, services, ledger."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from attrs import asdict, frozen

from tests.crash.cluster_outcomes import read_clusters
from tests.crash.sandbox import served_version
from tests.crash.snapshots import RepositoryState
from tests.crash.snapshots import repository_state as end_of_repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crash.sandbox import TeamSandbox

Item = Mapping[str, str]

SHORT_LEASE_SECONDS = 0.2


@frozen(kw_only=True)
class Outcome:
    """The state after a rollout, without times, digests and identifiers, which differ between runs.

    Attributes:
        repository: the clone and its remote.
        images: the tags of every image of every repository.
        running: what each service answers when it is asked.
        deployments: how each deployment of every service has ended.
        ledger: what it says of each environment, oldest first; an intent that was repeated counts once.
        outdated_copies: those of the ledger's newest items that are not what the items are.
        locks: the environments that are still locked.
        holds: why environments are held.
        cluster: each service of ECS, in all accounts.
        digests: the number of digests that each version has, in all accounts.
    """

    repository: RepositoryState
    images: Mapping[str, tuple[tuple[str, ...], ...]]
    running: Mapping[str, str]
    deployments: Mapping[str, tuple[str, ...]]
    ledger: Mapping[str, tuple[tuple[str, str], ...]]
    outdated_copies: tuple[str, ...]
    locks: tuple[str, ...]
    holds: Mapping[str, str]
    cluster: Mapping[str, Mapping[str, object]]
    digests: Mapping[str, int]

    def differences(self, other: Outcome) -> Iterator[str]:
        """Yield the differences of another outcome."""
        expected, actual = _flat(asdict(self)), _flat(asdict(other))
        for name in sorted(expected.keys() | actual.keys()):
            if expected.get(name) != actual.get(name):
                yield f"{name} is {actual.get(name)!r}, not {expected.get(name)!r}"


def _flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    """Return the leaves of a nested document by path."""
    leaves: dict[str, object] = {}
    for name, value in document.items():
        leaves |= _flat(value, f"{prefix}{name}: ") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return leaves


def collect_outcome(sandbox: TeamSandbox) -> Outcome:
    """Read the state of repository, cloud and apps."""
    services = sandbox.call_aws("apprunner", "ListServices")["ServiceSummaryList"]
    items = tuple(_items(sandbox))
    images = {name: details for place in sandbox.places for name, details in _images(place)}
    return Outcome(
        repository=end_of_repository(sandbox.repository),
        images={name: tuple(sorted(_tags(image) for image in details)) for name, details in sorted(images.items())},
        running={item["ServiceName"]: _state(item) for item in services},
        deployments=deployment_statuses(sandbox),
        ledger=_ledger(items),
        outdated_copies=tuple(_outdated_copies(items)),
        locks=tuple(sorted(item["pk"] for item in items if item["sk"] == "lock" and "token" in item)),
        holds={item["pk"]: item["reason"] for item in items if item["sk"] == "hold"},
        cluster=read_clusters(sandbox, items),
        digests={
            tag: len({image["imageDigest"] for details in images.values() for image in details if tag in _tags(image)})
            for tag in sorted({tag for details in images.values() for image in details for tag in _tags(image)})
            if tag != "latest"
        },
    )


def _state(service: Mapping[str, str]) -> str:
    """Return what a service answers; a paused one answers nothing."""
    return "paused" if service["Status"] == "PAUSED" else served_version(service["ServiceUrl"])


def deployment_statuses(sandbox: TeamSandbox) -> dict[str, tuple[str, ...]]:
    """Return the deployment statuses by service name, newest first."""
    return {name: _deployments(sandbox, service["ServiceArn"]) for name, service in sandbox.services.items()}


def lock_expiries(sandbox: TeamSandbox) -> dict[str, str]:
    """Return the expiry of every held lock."""
    return {item["pk"]: item["expires"] for item in _items(sandbox) if item["sk"] == "lock" and "token" in item}


def move_locks_to_another_machine(sandbox: TeamSandbox) -> None:
    """Let nobody on this machine know whether the owners of the locks still run, and their leases be short."""
    for environment in lock_expiries(sandbox):
        sandbox.call_aws(
            "dynamodb",
            "UpdateItem",
            TableName="kaizen-web",
            Key={"pk": {"S": environment}, "sk": {"S": "lock"}},
            UpdateExpression="SET #process = :elsewhere, lease = :short",
            ExpressionAttributeNames={"#process": "process"},
            ExpressionAttributeValues={":elsewhere": {"S": ""}, ":short": {"N": f"{SHORT_LEASE_SECONDS}"}},
        )


def _images(sandbox: TeamSandbox) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for repository in sandbox.call_aws("ecr", "DescribeRepositories")["repositories"]:
        name = repository["repositoryName"]
        yield name, sandbox.call_aws("ecr", "DescribeImages", repositoryName=name)["imageDetails"]


def _tags(image: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(image.get("imageTags", ())))


def _deployments(sandbox: TeamSandbox, service: str) -> tuple[str, ...]:
    operations = sandbox.call_aws("apprunner", "ListOperations", ServiceArn=service)["OperationSummaryList"]
    return tuple(operation["Status"] for operation in operations if operation["Type"] == "START_DEPLOYMENT")


def _items(sandbox: TeamSandbox) -> Iterator[Item]:
    for item in sandbox.call_aws("dynamodb", "Scan", TableName="kaizen-web")["Items"]:
        yield {name: next(iter(value.values())) for name, value in item.items()}


def _ledger(items: tuple[Item, ...]) -> dict[str, tuple[tuple[str, str], ...]]:
    entries: dict[str, list[Any]] = {}
    for item in sorted(items, key=lambda item: item["sk"]):
        if item["pk"].startswith("ledger#") and "version" in item:  # what only completes an intent has none
            entries.setdefault(item["pk"], []).append((item["event"], item["version"]))
    return {name: tuple(entry for entry, _ in groupby(events)) for name, events in sorted(entries.items())}


def _outdated_copies(items: tuple[Item, ...]) -> Iterator[str]:
    """Yield the parts of the ledger whose copy lacks an item, or has one that was not written."""
    keys: dict[str, list[str]] = {}
    for item in sorted(items, key=lambda item: item["sk"], reverse=True):
        if item["pk"].startswith("ledger#") and item["sk"] != "n$":
            keys.setdefault(item["pk"], []).append(item["sk"])
    for item in items:
        if item["sk"] == "n$":
            lines = zlib.decompress(base64.b64decode(item["items"])).decode().split("\n")
            if [line.partition(" ")[0] for line in lines] != keys.pop(item["pk"], []):
                yield item["pk"]
    yield from keys  # without a copy
