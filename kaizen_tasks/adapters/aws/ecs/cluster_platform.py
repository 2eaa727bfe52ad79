"""What Express services and plain ones have in common as a platform: addresses, deployments, and sending updates."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from kaizen_tasks.adapters.aws.attempts import AnswerLost
from kaizen_tasks.adapters.aws.clients import Document
from kaizen_tasks.adapters.aws.ecs import assumptions
from kaizen_tasks.adapters.aws.ecs.cluster import Cluster
from kaizen_tasks.adapters.aws.ecs.revisions import Revisions
from kaizen_tasks.adapters.aws.ecs.service_deployments import ServiceDeployments, is_unfinished
from kaizen_tasks.adapters.aws.ecs.task_definition import pinned_digest
from kaizen_tasks.adapters.aws.failed_call import OUTCOME_UNKNOWN
from kaizen_tasks.domain.git.remote_url import is_loopback
from kaizen_tasks.domain.service import Service, ServiceStatus
from kaizen_tasks.errors import NOTHING_CHANGED, DeployFailed, NotFound, Refused
from kaizen_tasks.ports.platform import Platform

if TYPE_CHECKING:
    from kaizen_tasks.domain.service import Operation

SERVICES_PER_PAGE = 100
SERVICES_PER_REQUEST = 10


class ClusterPlatform(Platform):
    """The services of one cluster. Safe to use from several threads.

    Args:
        cluster: the cluster.
        container: name of the container that runs the app; empty for the essential one.
    """

    _management_type: ClassVar[str]
    """`resourceManagementType` of the services: ECS for those in Express Mode, CUSTOMER for all others."""

    def __init__(self, cluster: Cluster, *, container: str) -> None:
        self._cluster = cluster
        self._revisions = Revisions(cluster, container)
        self._deployments = ServiceDeployments(self._revisions)
        self._descriptions = dict[str, Document]()
        self._urls = dict[str, str]()

    def get_service(self, name: str) -> Service:
        """Return the current state of a service; its image is that of the configuration that was made last."""
        description = self._describe(name)
        service = self._parse(description)
        self._descriptions[name] = description
        if service.url or service.status is ServiceStatus.RUNNING:  # while it is being created, it may have none yet
            self._urls[name] = service.url
        return service

    def service_url(self, name: str) -> str:
        """Return the URL of a service, as it was read last."""
        return self._urls[name] if name in self._urls else self.get_service(name).url

    def list_operations(self, service: Service) -> tuple[Operation, ...]:
        """Return the last twenty deployments, newest first."""
        return self._deployments.operations(service.name)

    def stop_deployment(self, service: Service, operation: str) -> None:
        """Stop a deployment, and let ECS roll it back to what was serving before."""
        self._deployments.stop(service.name, operation)

    def delete_failed_service(self, service: Service) -> None:
        """Refuse: a service of ECS whose first deployment failed exists, and the next deployment can mend it."""
        message = f"the service {service.name} exists, and a deployment may start it, so it is not deleted"
        raise Refused(message, hint="deploy to it")

    def service_urls(self) -> Mapping[str, str]:
        """Return the URL of every service, by name: two requests for ten services, and one for a hundred names."""
        services = self._describe_all(self._list_names())
        serving = {name: _current_revisions(service) for name, service in services.items()}
        revisions = self._revisions.read(arn for arns in serving.values() for arn in arns)
        return {
            name: next(filter(None, (self._address(revisions[arn]) for arn in arns if arn in revisions)), "")
            for name, arns in serving.items()
        }

    @abstractmethod
    def _describe(self, name: str, *, with_tags: bool = False) -> Document:
        """Return a service that exists, as ECS answers; raise `NotFound` for any other."""

    @abstractmethod
    def _parse(self, description: Document) -> Service:
        """Return a service by its description."""

    @abstractmethod
    def _address(self, revision: Document) -> str:
        """Return the URL of a service by its revision; empty without one."""

    @abstractmethod
    def _serving_revisions(self, description: Document) -> list[str]:
        """Return the revisions that a service is described with."""

    def _take_description(self, name: str, summaries: Sequence[Document]) -> Document | None:
        """Return what `get_service` has read of a service, once, if that is what the last deployment has brought.

        Whoever changes what a service runs, begins a deployment.

        Args:
            name: the service's name.
            summaries: its deployments as they are now, newest first.
        """
        description = self._descriptions.pop(name, None)
        if description is None or not summaries or summaries[0]["status"] != "SUCCESSFUL":
            return None
        is_current = self._serving_revisions(description) == [summaries[0]["targetServiceRevisionArn"]]
        return description if is_current else None

    def _list_names(self) -> list[str]:
        names, token = list[str](), ""
        while True:
            page = {"nextToken": token} if token else {}
            with self._cluster.errors(f"list the services of the cluster {self._cluster.name}"):
                response = self._cluster.client.list_services(
                    cluster=self._cluster.name,
                    maxResults=SERVICES_PER_PAGE,
                    resourceManagementType=self._management_type,
                    **page,
                )
            names += [arn.rpartition("/")[2] for arn in response["serviceArns"]]
            token = response.get("nextToken", "")
            if not token:
                return names

    def _describe_all(self, names: Sequence[str], *, with_tags: bool = False) -> dict[str, Document]:
        """Return services by name; those that do not exist, or were deleted, are missing."""
        services = dict[str, Document]()
        include = {"include": ["TAGS"]} if with_tags else {}
        for start in range(0, len(names), SERVICES_PER_REQUEST):
            batch = names[start : start + SERVICES_PER_REQUEST]
            with self._cluster.errors(f"read the services of the cluster {self._cluster.name}"):
                response = self._cluster.client.describe_services(
                    cluster=self._cluster.name, services=list(batch), **include
                )
            services |= {each["serviceName"]: each for each in response["services"] if each["status"] != "INACTIVE"}
        return services

    def _describe_service(self, name: str, *, with_tags: bool = False) -> Document:
        services = self._describe_all([name], with_tags=with_tags)
        if name not in services:
            raise self._missing_error(name)
        return services[name]

    def _missing_error(self, name: str) -> NotFound:
        message = f"there is no service {name} in the cluster {self._cluster.name}"
        return NotFound(message, hint=self._cluster.service_hint)

    def _require_free(self, name: str) -> None:
        """Require that a service may be created; to ECS, creating one again in the same way is no error.

        Raises:
            Refused: there is one of this name.
        """
        if name in self._describe_all([name]):
            raise Refused(f"there is a service {name} in the cluster {self._cluster.name}", state=NOTHING_CHANGED)

    def _force_deployment(self, name: str, image: str, *, known: Collection[str]) -> str:
        """Start new tasks of what is configured; return the revision, or an empty string."""
        return self._update_service(name, image, {"forceNewDeployment": True}, known=known)

    def _update_service(self, name: str, image: str, changes: Mapping[str, object], *, known: Collection[str]) -> str:
        def update() -> str:
            answer = self._cluster.client.update_service(cluster=self._cluster.name, service=name, **changes)
            revisions = [each["arn"] for each in answer["service"].get("currentServiceRevisions", ())]
            new_revisions = [arn for arn in revisions if arn not in known]
            return str(new_revisions[0]) if len(new_revisions) == 1 else ""

        return self._send_update(name, image, update, known=known)

    def _send_update(self, name: str, image: str, update: Callable[[], str], *, known: Collection[str]) -> str:
        """Send an update, and return the revision that it deploys; empty if another deployment came in between.

        An update whose answer was lost is found among the deployments, and not repeated; empty if it is not there.

        Args:
            name: the service's name.
            image: the image that is deployed.
            update: sends the update; returns the revision as far as the answer names it, or an empty string.
            known: revisions of deployments before the update.

        Raises:
            DeployFailed: ECS refuses the update, or nobody knows what became of it.
        """
        try:
            with self._cluster.errors(f"update the service {name}", change_error=DeployFailed):
                revision = self._cluster.retry_first_use(update)
        except AnswerLost:
            return self._search_target(name, image, known, seconds=assumptions.TARGET_SEARCH_SECONDS)
        except DeployFailed as error:
            is_lost = error.state == OUTCOME_UNKNOWN
            seconds = assumptions.TARGET_SEARCH_SECONDS if is_lost else 0.0
            found = self._search_target(name, image, known, seconds=seconds)
            if not found and not self._is_busy(self._deployments.summaries(name)):
                raise
            return found
        if revision:
            self._revisions.note_digest(revision, pinned_digest(image))
            return revision
        found = self._search_target(name, image, known, seconds=assumptions.TARGET_SEARCH_SECONDS)
        if found:
            return found
        raise DeployFailed(
            f"the update of {name} was accepted, but no deployment of it appeared",
            state="it may still begin",
            hint="run the same command again: it looks for the deployment first",
        )

    def _search_target(self, name: str, image: str, known: Collection[str], *, seconds: float) -> str:
        """Return the revision of a deployment of the image that was not known before; empty if none appears."""
        clock, interval = self._cluster.clock, assumptions.TARGET_SEARCH_INTERVAL_SECONDS
        deadline = clock.monotonic() + seconds
        while True:
            arns = [summary["targetServiceRevisionArn"] for summary in self._deployments.summaries(name)]
            digests = self._revisions.digests(arn for arn in arns if arn not in known)
            if found := next((arn for arn, digest in digests.items() if digest == pinned_digest(image)), ""):
                return found
            if clock.monotonic() >= deadline:
                return ""
            clock.sleep(interval)
            interval *= 2

    @staticmethod
    def _is_busy(summaries: Collection[Document]) -> bool:
        return any(is_unfinished(summary) for summary in summaries)


def with_scheme(host: str) -> str:
    """Return a host as a URL: with https, or with http for a loopback address (the local cloud)."""
    if not host or "://" in host:
        return host
    return f"{'http' if is_loopback(urlsplit(f'//{host}').hostname or '') else 'https'}://{host}"


def _current_revisions(service: Document) -> list[str]:
    """Return the revisions of a service, that with the most running tasks first."""
    revisions = sorted(
        service.get("currentServiceRevisions", ()), key=lambda each: each.get("runningTaskCount", 0), reverse=True
    )
    return [each["arn"] for each in revisions]
