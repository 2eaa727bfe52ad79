"""ECS Express Mode as the platform: services that ECS gives a load balancer, an address and scaling."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.clients import Document
from kaizen_tasks.adapters.aws.ecs import service_settings
from kaizen_tasks.adapters.aws.ecs.cluster_platform import ClusterPlatform, with_scheme
from kaizen_tasks.adapters.aws.ecs.express import configuration as configurations
from kaizen_tasks.adapters.aws.ecs.task_definition import own_tags, pinned_digest
from kaizen_tasks.domain.service import Service, ServiceStatus
from kaizen_tasks.errors import NOTHING_CHANGED, ClusterMissing, DeployFailed, KaizenError, NotFound, Refused

if TYPE_CHECKING:
    from kaizen_tasks.domain.new_service import ServiceSettings


class ExpressPlatform(ClusterPlatform):
    """The Express services of one cluster. Safe to use from several threads."""

    _management_type = "ECS"

    def start_deployment(self, service: Service, image: str) -> str:
        """Start a deployment of an image; return its target revision, or an empty string when the service is busy."""
        name = service.name
        summaries = self._deployments.summaries(name)
        if self._is_busy(summaries):
            return ""
        description = self._take_description(name, summaries) or self._describe(name)
        self._parse(description).require_deployable()
        base = self._serving_configuration(description, summaries)
        known = frozenset(summary["targetServiceRevisionArn"] for summary in summaries)
        if self._image(base) == image:
            return self._force_deployment(name, image, known=known)
        if not configurations.is_own_definition(base):
            return self._update_container(service, base, image, known=known)
        container = str(self._revisions.app_container(base["taskDefinitionArn"])["name"])
        definition = self._revisions.register(base["taskDefinitionArn"], container, image)
        request = {"serviceArn": service.id, "taskDefinitionArn": definition}
        return self._send_update(name, image, lambda: _target(self._update(request)), known=known)

    def _serving_revisions(self, description: Document) -> list[str]:
        return [each.get("serviceRevisionArn", "") for each in description["activeConfigurations"]]

    def _update_container(self, service: Service, base: Document, image: str, *, known: Collection[str]) -> str:
        """Change the image of a service whose task definition is ECS's own, and check that all else was kept."""
        request, answers = configurations.update_request(service.id, base, image), list[Document]()

        def update() -> str:
            answers[:] = [self._update(request)]
            return _target(*answers)

        revision = self._send_update(service.name, image, update, known=known)
        if revision:
            target = (
                answers[0] if answers and "primaryContainer" in answers[0] else self._find_active(service, revision)
            )
            self._require_complete(service, revision, base, target)
        return revision

    def _update(self, request: Mapping[str, object]) -> Document:
        """Send an update, and return the configuration that it deploys."""
        answer = self._cluster.client.update_express_gateway_service(**request)
        return answer["service"].get("targetConfiguration", {})  # type: ignore[no-any-return]

    def _find_active(self, service: Service, revision: str) -> Document:
        active = self._describe(service.name)["activeConfigurations"]
        return next((each for each in active if each.get("serviceRevisionArn") == revision), {})

    def _require_complete(self, service: Service, revision: str, base: Document, target: Document) -> None:
        """Require that an update has kept everything but the image; else have its deployment rolled back.

        Raises:
            DeployFailed: it has lost something, which is named without its value.
        """
        lost = configurations.lost_in_update(base, target) if target else ()
        if not lost:
            return
        state = "its deployment is being rolled back, so what was serving goes on"
        try:
            self.stop_deployment(service, revision)
        except KaizenError as error:
            state = f"its deployment was not stopped: {error.message}"
        raise DeployFailed(
            f"the update of {service.name} did not keep {', '.join(lost)}",
            state=state,
            hint="see whether somebody else changed the service meanwhile; then run the same command again",
        )

    def read_settings(self, service: Service) -> ServiceSettings:
        """Return the settings of a service that another one can be created with."""
        description = self._describe(service.name)
        base = self._serving_configuration(description, self._deployments.summaries(service.name))
        if configurations.is_own_definition(base):
            return service_settings.of_definition(self._definition(base), self._app_container(base))
        return service_settings.of_express_service(base)

    def delete_failed_service(self, service: Service) -> None:
        """Begin to delete a service whose first deployment failed, so that it has no configuration to go on from."""
        if self.get_service(service.name).status is not ServiceStatus.CREATION_FAILED:
            super().delete_failed_service(service)
        with self._cluster.errors(f"delete the service {service.name}", change_error=Refused):
            self._cluster.client.delete_express_gateway_service(serviceArn=service.id)

    def create_service_like(self, neighbour: Service, name: str, *, image: str, settings: ServiceSettings) -> None:
        """Begin to create a service like another one, in the same cluster, with an address of its own."""
        self._require_free(name)
        description = self._describe(neighbour.name, with_tags=True)
        base = self._serving_configuration(description, self._deployments.summaries(neighbour.name))
        tags = own_tags(description.get("tags", ()))
        request: dict[str, object] = {
            "serviceName": name,
            "cluster": self._cluster.name,
            "infrastructureRoleArn": description["infrastructureRoleArn"],
            **({"tags": tags} if tags else {}),
        }
        if configurations.is_own_definition(base):
            request["taskDefinitionArn"] = self._register_like(base, neighbour.name, name, image, settings)
        else:
            request |= configurations.creation_members(base, neighbour.name, image, settings)
        with self._cluster.errors(f"create the service {name}", change_error=Refused):
            self._cluster.retry_first_use(lambda: self._cluster.client.create_express_gateway_service(**request))

    def _register_like(self, base: Document, neighbour: str, name: str, image: str, settings: ServiceSettings) -> str:
        definition, container = self._definition(base), str(self._app_container(base)["name"])
        changes = service_settings.definition_changes(definition, container, neighbour, name, image, settings)
        return self._revisions.register(base["taskDefinitionArn"], container, image, **changes)

    def _describe(self, name: str, *, with_tags: bool = False) -> Document:
        """Return a service that exists, as `DescribeExpressGatewayService` answers.

        Raises:
            NotFound: there is no such service.
        """
        include = {"include": ["TAGS"]} if with_tags else {}
        try:
            with self._cluster.errors(f"read the service {name}"):
                response = self._cluster.client.describe_express_gateway_service(
                    serviceArn=self._cluster.service_arn(name), **include
                )
        except ClusterMissing:
            raise
        except NotFound as error:
            raise self._missing_error(name) from error
        description: Document = response["service"]
        if description["status"]["statusCode"] == "INACTIVE":
            raise self._missing_error(name)
        return {**description, "tags": response.get("tags") or description.get("tags") or ()}

    def _serving_configuration(self, description: Document, summaries: Sequence[Document]) -> Document:
        """Return the configuration that serves when no deployment runs.

        Raises:
            Refused: several are active, and none is that of the last successful deployment.
        """
        active: Sequence[Document] = description["activeConfigurations"]
        if len(active) == 1:
            return active[0]
        for summary in summaries:
            arn = summary["targetServiceRevisionArn"]
            serving = next((each for each in active if each.get("serviceRevisionArn") == arn), None)
            if serving is not None and summary["status"] == "SUCCESSFUL":
                return serving
        raise Refused(
            f"{description['serviceName']} has {len(active)} active configurations, none of a successful deployment",
            state=NOTHING_CHANGED,
            hint="wait until its last deployment has ended, and see why it did not succeed: inv status",
            is_without_effect=True,
        )

    def _address(self, revision: Document) -> str:
        managed = revision.get("ecsManagedResources", {})
        return with_scheme(configurations.public_endpoint(managed))

    def _parse(self, description: Document) -> Service:
        active = description["activeConfigurations"]
        status, fix = self._status(description)
        newest = configurations.newest(active) if active else {}
        return Service(
            name=description["serviceName"],
            id=description["serviceArn"],
            status=status,
            native_status=description["status"]["statusCode"],
            url=with_scheme(configurations.public_endpoint(newest)),
            image=self._image(newest),
            running_digest=self._running_digest(active),
            fix=fix,
        )

    def _status(self, description: Document) -> tuple[ServiceStatus, str]:
        """Return the status of a service, and how to make it deployable."""
        if description["status"]["statusCode"] != "ACTIVE":
            return ServiceStatus.UNAVAILABLE, f"wait until it is deleted; then {self._cluster.service_hint}"
        deployment, active = description.get("currentDeployment", ""), description["activeConfigurations"]
        if self._deployments.is_running(deployment) if deployment else len(active) > 1:
            return ServiceStatus.BUSY, ""
        if active:
            return ServiceStatus.RUNNING, ""
        command = f"aws ecs delete-express-gateway-service --service-arn {description['serviceArn']}"
        return ServiceStatus.CREATION_FAILED, f"delete it and create it again: {command}"

    def _image(self, configuration: Document) -> str:
        if configurations.is_own_definition(configuration):
            return str(self._app_container(configuration)["image"])
        return str(configuration.get("primaryContainer", {}).get("image", ""))

    def _running_digest(self, active: Sequence[Document]) -> str:
        """Return the digest that all active configurations have; empty if they have several, or one is not known."""
        arns = [each.get("serviceRevisionArn", "") for each in active]
        for arn, each in zip(arns, active, strict=True):
            self._revisions.note_digest(arn, pinned_digest(self._image(each)))
        digests = set(self._revisions.digests(arns).values())
        return digests.pop() if len(digests) == 1 else ""

    def _app_container(self, configuration: Document) -> Document:
        return self._revisions.app_container(configuration["taskDefinitionArn"])

    def _definition(self, configuration: Document) -> Document:
        definition: Document = self._revisions.definition(configuration["taskDefinitionArn"])["taskDefinition"]
        return definition


def _target(configuration: Document) -> str:
    """Return the revision that an update deploys; empty if the answer does not name it."""
    return str(configuration.get("serviceRevisionArn", ""))
