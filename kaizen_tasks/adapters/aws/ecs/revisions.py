"""Revisions of services, and the task definitions that they run: neither changes, so each is read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from kaizen_tasks.adapters.aws.clients import Document
from kaizen_tasks.adapters.aws.ecs.cluster import Cluster
from kaizen_tasks.adapters.aws.ecs.configuration_diff import lost_members
from kaizen_tasks.adapters.aws.ecs.task_definition import (
    family,
    find_container,
    pinned_digest,
    registration,
    repeated_registration,
)
from kaizen_tasks.errors import DeployFailed, NotFound, Refused

MAX_REVISIONS_PER_REQUEST = 20


@frozen
class Revisions:
    """What services of a cluster run and have run. Safe to use from several threads.

    Attributes:
        cluster: the cluster.
        container: name of the container that runs the app; empty for the essential one.
    """

    cluster: Cluster
    container: str = ""
    _definitions: dict[str, Document] = field(factory=dict)
    _latest: dict[str, Document | None] = field(factory=dict)
    _revisions: dict[str, Document] = field(factory=dict)
    _digests: dict[str, str] = field(factory=dict)

    def definition(self, reference: str) -> Document:
        """Return a task definition as `DescribeTaskDefinition` answers: `taskDefinition` and `tags`.

        Most services run the latest revision of a family. So that is read first: `register` needs it as well.

        Raises:
            NotFound: there is no such definition.
        """
        if reference not in self._definitions:
            self._read_latest(family(reference))
        if reference not in self._definitions:
            self._definitions[reference] = self._describe(reference)
        return self._definitions[reference]

    def _read_latest(self, name: str) -> Document | None:
        """Return the latest revision of a family as it was when it was first asked for; None if there is none."""
        if name not in self._latest:
            try:
                self._note_latest(name, self._describe(name))
            except (NotFound, Refused):  # ECS answers ClientException for a family without revisions
                self._latest[name] = None
        return self._latest[name]

    def _note_latest(self, name: str, response: Document) -> None:
        self._latest[name] = self._definitions[name] = response
        self._definitions[str(response["taskDefinition"]["taskDefinitionArn"])] = response

    def _describe(self, reference: str) -> Document:
        with self.cluster.errors(f"read the task definition {reference}"):
            return self.cluster.client.describe_task_definition(taskDefinition=reference, include=["TAGS"])

    def app_container(self, reference: str) -> Document:
        """Return the container definition of the app in a task definition.

        Raises:
            NotFound: there is no such definition.
            Refused: it is not known which container is the app's.
        """
        return find_container(self.definition(reference)["taskDefinition"], self.container)

    def register(self, reference: str, container: str, image: str, **changes: Any) -> str:
        """Register a task definition like another one, with another image, and return its ARN.

        If the latest revision of its family is exactly that, as after a run that was stopped, it is used again.

        Args:
            reference: the task definition.
            container: name of the container that gets the image.
            image: reference of the image.
            **changes: other members of the request.

        Raises:
            DeployFailed: ECS refuses it, or did not keep all of it.
        """
        response = self.definition(reference)
        definition, tags = response["taskDefinition"], response.get("tags", ())
        request = {**registration(definition, container=container, image=image, tags=tags), **changes}
        latest = self._read_latest(request["family"])
        if latest is not None and repeated_registration(latest) == request:
            return str(latest["taskDefinition"]["taskDefinitionArn"])
        with self.cluster.errors(f"register a task definition like {reference}", change_error=DeployFailed):
            registered = self.cluster.client.register_task_definition(**request)
        if lost := lost_members(request, {**registered["taskDefinition"], "tags": registered.get("tags", [])}):
            raise DeployFailed(
                f"ECS did not keep {', '.join(lost)} in {registered['taskDefinition']['taskDefinitionArn']}",
                state="no service has been changed",
                hint=f"compare it with {reference}",
            )
        self._note_latest(request["family"], registered)
        return str(registered["taskDefinition"]["taskDefinitionArn"])

    def read(self, arns: Iterable[str]) -> Mapping[str, Document]:
        """Return revisions by their ARNs, at one request for twenty; those that ECS no longer has are missing."""
        wanted = list(dict.fromkeys(filter(None, arns)))
        revisions = {arn: self._revisions[arn] for arn in wanted if arn in self._revisions}
        pending = [arn for arn in wanted if arn not in revisions]
        while pending:
            batch, pending = pending[:MAX_REVISIONS_PER_REQUEST], pending[MAX_REVISIONS_PER_REQUEST:]
            with self.cluster.errors("read the revisions of services"):
                response = self.cluster.client.describe_service_revisions(serviceRevisionArns=batch)
            revisions |= {each["serviceRevisionArn"]: each for each in response["serviceRevisions"]}
        self._revisions.update({arn: revision for arn, revision in revisions.items() if _is_complete(revision)})
        return revisions

    def note_digest(self, arn: str, digest: str) -> None:
        """Remember which digest a revision deploys, if that is known without reading it."""
        if arn and digest:
            self._digests[arn] = digest

    def digests(self, arns: Iterable[str]) -> Mapping[str, str]:
        """Return the digests of the app's image by revision; only revisions of which nothing is known are read."""
        wanted = list(arns)
        for arn, revision in self.read(arn for arn in wanted if arn not in self._digests).items():
            self.note_digest(arn, self.digest(revision))
        return {arn: self._digests.get(arn, "") for arn in wanted}

    def digest(self, revision: Document) -> str:
        """Return the digest of the app's image in a revision; empty as long as ECS has not resolved its tag."""
        images = {image.get("containerName", ""): image for image in revision.get("containerImages", ())}
        if len(images) > 1:
            image = images.get(self.container or str(self.app_container(revision["taskDefinition"])["name"]), {})
        else:
            image = next(iter(images.values()), {})
        return pinned_digest(image.get("image", "")) or str(image.get("imageDigest", ""))


def _is_complete(revision: Document) -> bool:
    """Return whether nothing of a revision is still to come: the digests of its images, and its addresses."""
    images = revision.get("containerImages", ())
    connections = revision.get("ecsManagedResources", {}).get("gatewayConnections", ())
    has_digests = all(image.get("imageDigest") or pinned_digest(image.get("image", "")) for image in images)
    return bool(images) and has_digests and all(connection.get("serviceUrl") for connection in connections)
