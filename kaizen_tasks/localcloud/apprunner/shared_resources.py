"""What several services share: auto-scaling configurations, VPC connectors and observability configurations.

All three have revisions, and are kept together in one file. The local cloud stores and describes them; they have no
effect on instances.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.atomic_write import write_atomically
from kaizen_tasks.localcloud.server.http_message import JsonObject
from kaizen_tasks.localcloud.state.damaged import load_state

if TYPE_CHECKING:
    from pathlib import Path

AUTO_SCALING = "AutoScalingConfiguration"
VPC_CONNECTOR = "VpcConnector"
OBSERVABILITY = "ObservabilityConfiguration"


@attrs.frozen(kw_only=True)
class SharedResource:
    """One revision of a shared resource.

    Args:
        kind: its type, by which its members are named, such as `VpcConnector` for `VpcConnectorArn`.
        name: its name.
        revision: its number among the revisions of this name.
        arn: its ARN.
        created: seconds since the epoch.
        deleted: seconds since the epoch; None while it is active.
        settings: the members that only this kind has.
        tags: its tags.
    """

    kind: str
    name: str
    revision: int
    arn: str
    created: float
    deleted: float | None = None
    settings: JsonObject
    tags: dict[str, str]

    @property
    def id(self) -> str:
        """Return what identifies it in lists."""
        return self.arn

    @property
    def is_active(self) -> bool:
        """Return whether it has not been deleted."""
        return self.deleted is None

    @property
    def identity(self) -> JsonObject:
        """Return the members that identify it."""
        return {f"{self.kind}Arn": self.arn, f"{self.kind}Name": self.name, f"{self.kind}Revision": self.revision}

    def is_named_by(self, arn: str) -> bool:
        """Return whether an ARN is its own or ends after its revision or name."""
        return self.arn == arn or self.arn.startswith(f"{arn}/")


class SharedResourceStore:
    """All shared resources of an account, in memory and in one file.

    Args:
        path: the file.
        prefix: what the ARNs of App Runner begin with.
    """

    def __init__(self, path: Path, prefix: str) -> None:
        self._path = path
        self._prefix = prefix
        self.lock = threading.RLock()
        self._resources: dict[str, SharedResource] = {}
        if path.exists():
            self._resources = load_state(path, _parse_resources)
        else:
            self.put(_default_scaling(prefix))

    def all(self, kind: str) -> list[SharedResource]:
        """Return all resources of a kind, oldest first, also deleted ones."""
        with self.lock:
            return [resource for resource in self._resources.values() if resource.kind == kind]

    def find(self, kind: str, arn: str) -> SharedResource | None:
        """Return the resource of an ARN; if the ARN has no revision or identifier, the latest active revision."""
        candidates = [resource for resource in self.all(kind) if resource.is_named_by(arn)]
        active = [resource for resource in candidates if resource.is_active or resource.arn == arn]
        return max(active, key=lambda resource: resource.revision, default=None)

    def get(self, arn: str) -> SharedResource | None:
        """Return the resource of a complete ARN."""
        with self.lock:
            return self._resources.get(arn)

    def default_scaling(self) -> SharedResource:
        """Return the auto-scaling configuration of services that name none."""
        return next(known for known in self.all(AUTO_SCALING) if known.settings["IsDefault"])

    def is_latest(self, resource: SharedResource) -> bool:
        """Return whether no active revision of its name is newer."""
        revisions = [other.revision for other in self._revisions(resource.kind, resource.name) if other.is_active]
        return resource.revision == max(revisions, default=0)

    def create(self, kind: str, name: str, settings: JsonObject, tags: dict[str, str]) -> SharedResource:
        """Add a revision of a name."""
        with self.lock:
            revision = max((known.revision for known in self._revisions(kind, name)), default=0) + 1
            arn = f"{self._prefix}:{kind.lower()}/{name}/{revision}/{uuid.uuid4().hex}"
            return self.put(
                SharedResource(
                    kind=kind,
                    name=name,
                    revision=revision,
                    arn=arn,
                    created=time.time(),
                    settings=settings,
                    tags=tags,
                )
            )

    def put(self, resource: SharedResource) -> SharedResource:
        """Save a resource and return it; hold `lock` from reading the old value to saving the new one."""
        with self.lock:
            resources = self._resources | {resource.arn: resource}
            content = json.dumps([attrs.asdict(known) for known in resources.values()])
            write_atomically(self._path, content.encode())
            self._resources = resources
        return resource

    def _revisions(self, kind: str, name: str) -> list[SharedResource]:
        return [resource for resource in self.all(kind) if resource.name == name]


def _parse_resources(content: bytes) -> dict[str, SharedResource]:
    return {document["arn"]: SharedResource(**document) for document in json.loads(content)}


def _default_scaling(prefix: str) -> SharedResource:
    """Return the auto-scaling configuration that every account has."""
    name = "DefaultConfiguration"
    return SharedResource(
        kind=AUTO_SCALING,
        name=name,
        revision=1,
        arn=f"{prefix}:{AUTO_SCALING.lower()}/{name}/1/{'0' * 31}1",
        created=time.time(),
        settings={"MaxConcurrency": 100, "MinSize": 1, "MaxSize": 25, "IsDefault": True},
        tags={},
    )
