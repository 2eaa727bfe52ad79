"""The state after a rollout: repository, registry, services, ledger."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import urlopen

from attrs import asdict, frozen

from tests.crash.snapshots import RepositoryState
from tests.crash.snapshots import repository_state as end_of_repository
from tests.support.waiting import HANG_SECONDS
from tests.support.workspaces import COMMAND_SECONDS

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
        locks: the environments that are still locked.
        holds: why environments are held.
        cluster: what each service of ECS answers, and how its deployments have ended, newest first.
    """

    repository: RepositoryState
    images: Mapping[str, tuple[tuple[str, ...], ...]]
    running: Mapping[str, str]
    deployments: Mapping[str, tuple[str, ...]]
    ledger: Mapping[str, tuple[tuple[str, str], ...]]
    locks: tuple[str, ...]
    holds: Mapping[str, str]
    cluster: Mapping[str, tuple[str, ...]]

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
    return Outcome(
        repository=end_of_repository(sandbox.repository),
        images={name: _images(sandbox, name) for name in sorted(_repositories(sandbox))},
        running={item["ServiceName"]: _state(item) for item in services},
        deployments=deployment_statuses(sandbox),
        ledger=_ledger(items),
        locks=tuple(sorted(item["pk"] for item in items if item["sk"] == "lock" and "token" in item)),
        holds={item["pk"]: item["reason"] for item in items if item["sk"] == "hold"},
        cluster=dict(_cluster(sandbox)),
    )


def _state(service: Mapping[str, str]) -> str:
    """Return what a service answers; a paused one answers nothing."""
    return "paused" if service["Status"] == "PAUSED" else _served_version(service["ServiceUrl"])


def _cluster(sandbox: TeamSandbox) -> Iterator[tuple[str, tuple[str, ...]]]:
    for arn in sandbox.call_aws("ecs", "ListServices", cluster="default")["serviceArns"]:
        service = sandbox.call_aws("ecs", "DescribeExpressGatewayService", serviceArn=arn)["service"]
        (configuration,) = service["activeConfigurations"]
        endpoint = configuration["ingressPaths"][0]["endpoint"]
        deployments = sandbox.call_aws("ecs", "ListServiceDeployments", service=arn)["serviceDeployments"]
        yield service["serviceName"], (_served_version(endpoint), *(each["status"] for each in deployments))


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


def _repositories(sandbox: TeamSandbox) -> list[str]:
    return [
        repository["repositoryName"] for repository in sandbox.call_aws("ecr", "DescribeRepositories")["repositories"]
    ]


def _images(sandbox: TeamSandbox, repository: str) -> tuple[tuple[str, ...], ...]:
    images = sandbox.call_aws("ecr", "DescribeImages", repositoryName=repository)["imageDetails"]
    return tuple(sorted(tuple(sorted(image.get("imageTags", ()))) for image in images))


def _served_version(address: str) -> str:
    """Return an app's answer; after a restart of its cloud, wait until it listens."""
    deadline = time.monotonic() + COMMAND_SECONDS
    while True:
        try:
            with urlopen(f"http://{address.removeprefix('http://')}/version", timeout=HANG_SECONDS) as response:
                document: Mapping[str, str] = json.load(response)
            return f"{document['version']} in {document['environment']}"
        except HTTPError as error:
            if error.code != 503 or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


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
