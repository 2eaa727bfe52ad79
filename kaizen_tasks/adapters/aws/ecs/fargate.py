"""Plain services of ECS as the platform: what a service runs is its task definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.ecs import service_settings
from kaizen_tasks.adapters.aws.ecs.cluster_platform import ClusterPlatform, with_scheme
from kaizen_tasks.adapters.aws.ecs.task_definition import own_tags, pinned_digest
from kaizen_tasks.domain.service import Service, ServiceStatus
from kaizen_tasks.errors import NOTHING_CHANGED, Refused

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.clients import Document
    from kaizen_tasks.domain.new_service import ServiceSettings

COPIED_MEMBERS = (
    *("launchType", "capacityProviderStrategy", "platformVersion", "deploymentConfiguration", "networkConfiguration"),
    *("placementConstraints", "placementStrategy", "schedulingStrategy", "enableECSManagedTags", "propagateTags"),
    *("enableExecuteCommand", "availabilityZoneRebalancing", "healthCheckGracePeriodSeconds"),
)
"""Members of a service's description that a request to create one has as well."""

ADDRESS_MEMBERS = ("loadBalancers", "serviceRegistries")
"""Members that lead requests to a service. If they were copied, the new service would get the neighbour's requests."""

OWN_CONTROLLER = "ECS"
"""The deployment controller of services whose task definition ECS itself deploys."""


class FargatePlatform(ClusterPlatform):
    """The services of one cluster that are not in Express Mode. Safe to use from several threads."""

    _management_type = "CUSTOMER"

    def _parse(self, description: Document) -> Service:
        status, native_status, fix = self._status(description)
        image = str(self._revisions.app_container(description["taskDefinition"])["image"]) if not fix else ""
        return Service(
            name=description["serviceName"],
            id=description["serviceArn"],
            status=status,
            native_status=native_status,
            url=self._url(description),
            image=image,
            running_digest="" if fix else self._running_digest(description),
            fix=fix,
        )

    def start_deployment(self, service: Service, image: str) -> str:
        """Start a deployment of an image; return its target revision, or an empty string when the service is busy."""
        name = service.name
        summaries = self._deployments.summaries(name)
        if self._is_busy(summaries):
            return ""
        description = self._take_description(name, summaries) or self._describe(name)
        self._parse(description).require_deployable()
        known = frozenset(
            [summary["targetServiceRevisionArn"] for summary in summaries]
            + [revision["arn"] for revision in description.get("currentServiceRevisions", ())]
        )
        container = self._revisions.app_container(description["taskDefinition"])
        if container["image"] == image:
            return self._force_deployment(name, image, known=known)
        definition = self._revisions.register(description["taskDefinition"], container["name"], image)
        return self._update_service(name, image, {"taskDefinition": definition}, known=known)

    def _serving_revisions(self, description: Document) -> list[str]:
        return [each["arn"] for each in description.get("currentServiceRevisions", ())]

    def read_settings(self, service: Service) -> ServiceSettings:
        """Return the settings of a service that another one can be created with."""
        reference = self._describe(service.name)["taskDefinition"]
        definition = self._revisions.definition(reference)["taskDefinition"]
        return service_settings.of_definition(definition, self._revisions.app_container(reference))

    def create_service_like(self, neighbour: Service, name: str, *, image: str, settings: ServiceSettings) -> None:
        """Begin to create a service like another one, in the same cluster.

        A target group and its rule belong to one service, and these tasks create none.
        """
        self._require_free(name)
        description = self._describe(neighbour.name, with_tags=True)
        if any(description.get(member) for member in ADDRESS_MEMBERS):
            raise Refused(
                f"{neighbour.name} is behind a load balancer, and {name} needs a target group and a rule of its own",
                state=NOTHING_CHANGED,
                hint=f"create {name} as {neighbour.name} was created: with Terraform, or in the console",
            )
        reference = description["taskDefinition"]
        definition = self._revisions.definition(reference)["taskDefinition"]
        container = str(self._revisions.app_container(reference)["name"])
        changes = service_settings.definition_changes(definition, container, neighbour.name, name, image, settings)
        tags = own_tags(description.get("tags", ()))
        copied = {
            member: description[member] for member in COPIED_MEMBERS if description.get(member) not in (None, [], "")
        }
        if copied.get("capacityProviderStrategy"):
            copied.pop("launchType", None)  # ECS accepts only one of them
        request: dict[str, object] = {
            "cluster": self._cluster.name,
            "serviceName": name,
            "taskDefinition": self._revisions.register(reference, container, image, **changes),
            "desiredCount": max(int(description.get("desiredCount", 1)), 1),
            **copied,
            **self._gateway_members(description),
            **({"tags": tags} if tags else {}),
        }
        with self._cluster.errors(f"create the service {name}", change_error=Refused):
            self._cluster.retry_first_use(lambda: self._cluster.client.create_service(**request))

    def _gateway_members(self, description: Document) -> dict[str, object]:
        """Return the connection of a service to a gateway of its cluster, which gives each service an address."""
        arns = [each["arn"] for each in description.get("currentServiceRevisions", ())]
        for revision in self._revisions.read(arns).values():
            if connectors := revision.get("gatewayConnectors"):
                return {"gatewayConnectors": connectors}
        return {}

    def _describe(self, name: str, *, with_tags: bool = False) -> Document:
        description = self._describe_service(name, with_tags=with_tags)
        if description.get("resourceManagementType") == "ECS":
            raise Refused(
                f"{name} is a service in ECS Express Mode",
                state=NOTHING_CHANGED,
                hint='write platform = "ecs-express" in its [environments.…]',
            )
        return description

    def _status(self, description: Document) -> tuple[ServiceStatus, str, str]:
        """Return the status of a service, as ECS names it, and how to make it deployable."""
        status, name, cluster = description["status"], description["serviceName"], self._cluster.name
        controller = description.get("deploymentController", {}).get("type", OWN_CONTROLLER)
        if status != "ACTIVE":
            return ServiceStatus.UNAVAILABLE, status, f"wait until it is deleted; then {self._cluster.service_hint}"
        if controller != OWN_CONTROLLER:
            native_status = f"{status}, deployed by {controller}"
            return ServiceStatus.UNAVAILABLE, native_status, f"change its deployment controller to {OWN_CONTROLLER}"
        if not description.get("desiredCount"):
            region = self._cluster.aws.region
            command = f"aws ecs update-service --region {region} --cluster {cluster} --service {name} --desired-count 1"
            return ServiceStatus.PAUSED, f"{status}, desired count 0", f"start it: {command}"
        return ServiceStatus.BUSY if self._is_changing(description) else ServiceStatus.RUNNING, status, ""

    def _is_changing(self, description: Document) -> bool:
        """Return whether a deployment runs; ECS shows only of rolling ones in the service that they have ended."""
        deployments: Sequence[Document] = description.get("deployments", ())
        if len(deployments) == 1 and deployments[0].get("rolloutState") == "COMPLETED":
            return False
        return self._deployments.is_running(description.get("currentServiceDeployment", ""))

    def _url(self, description: Document) -> str:
        """Return the address that a gateway of the cluster gives the service; empty if requests come another way."""
        if any(description.get(member) for member in ADDRESS_MEMBERS):
            return ""
        revisions = self._revisions.read(each["arn"] for each in description.get("currentServiceRevisions", ()))
        return next(filter(None, map(self._address, revisions.values())), "")

    def _address(self, revision: Document) -> str:
        connections = revision.get("ecsManagedResources", {}).get("gatewayConnections", ())
        public_first = sorted(connections, key=lambda connection: connection.get("accessType") != "PUBLIC")
        return next((with_scheme(each["serviceUrl"]) for each in public_first if each.get("serviceUrl")), "")

    def _running_digest(self, description: Document) -> str:
        """Return the digest that all running tasks have; empty if they have several, or it is not known."""
        current = description.get("currentServiceRevisions", ())
        if len(current) == 1:
            image = str(self._revisions.app_container(description["taskDefinition"])["image"])
            self._revisions.note_digest(current[0]["arn"], pinned_digest(image))
        running = [each["arn"] for each in current if each.get("runningTaskCount")]
        digests = set(self._revisions.digests(running).values())
        return digests.pop() if len(digests) == 1 else ""
