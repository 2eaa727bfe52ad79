"""Reads what a service of ECS is configured with, for `doctor`; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from kaizen_tasks.adapters.aws.ecs.cluster import Cluster
from kaizen_tasks.adapters.aws.ecs.express.configuration import is_own_definition, newest
from kaizen_tasks.adapters.aws.ecs.task_definition import DEFAULT_ARCHITECTURE, IMAGE_PLATFORMS, find_container
from kaizen_tasks.adapters.aws.session import aws_errors
from kaizen_tasks.domain.service_review import RoleReview, ServiceReview
from kaizen_tasks.errors import KaizenError, NotFound, Refused

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.clients import Document

TASKS, MANAGEMENT = "ecs-tasks.amazonaws.com", "ecs.amazonaws.com"
"""Who uses the roles of tasks, and who the role that manages a load balancer."""

PROGRESSIVE_STRATEGIES = frozenset({"CANARY", "LINEAR", "BLUE_GREEN"})
NO_DEFINITION: Mapping[str, Any] = {}


@frozen
class EcsReviewer:
    """Reviews services of a cluster.

    Attributes:
        cluster: the cluster.
        container: name of the container that runs the app; empty for the essential one.
        role_problems: what is wrong with a role, by its ARN and by who must be trusted: many services share roles.
    """

    cluster: Cluster
    container: str = ""
    role_problems: dict[tuple[str, str], str] = field(factory=dict)

    def review(self, name: str) -> ServiceReview:
        """Return what a service is configured with.

        Raises:
            NotFound: there is no such service.
        """
        with self.cluster.errors(f"read the service {name}"):
            answer = self.cluster.client.describe_services(cluster=self.cluster.name, services=[name])
        service = next((each for each in answer["services"] if each["status"] != "INACTIVE"), None)
        if service is None:
            message = f"there is no service {name} in the cluster {self.cluster.name}"
            raise NotFound(message, hint=self.cluster.service_hint)
        if service.get("resourceManagementType") == "ECS":
            return self._review_express(service)
        return self._review_definition(service, service["taskDefinition"], [])

    def _review_express(self, service: Document) -> ServiceReview:
        with self.cluster.errors(f"read the service {service['serviceName']}"):
            answer = self.cluster.client.describe_express_gateway_service(serviceArn=service["serviceArn"])
        description = answer["service"]
        active = description.get("activeConfigurations") or [NO_DEFINITION]
        configuration = newest(active)
        infrastructure = self._role("infrastructure", description.get("infrastructureRoleArn", ""), MANAGEMENT)
        if is_own_definition(configuration):
            return self._review_definition(service, configuration["taskDefinitionArn"], [infrastructure])
        log_group = configuration.get("primaryContainer", NO_DEFINITION).get("awsLogsConfiguration", {})
        group = str(log_group.get("logGroup", ""))
        return ServiceReview(
            definition=service["serviceName"],
            desired_count=service["desiredCount"],
            **_failure_detection(service),
            roles=(*self._task_roles(configuration), infrastructure),
            log_group=group,
            has_log_group=self._has_log_group(group, {}),
            health_path=str(configuration.get("healthCheckPath", "")),
            image_platform=_image_platform(configuration),
        )

    def _review_definition(self, service: Document, reference: str, roles: list[RoleReview]) -> ServiceReview:
        """Return a review of a service by its task definition."""
        with self.cluster.errors(f"read the task definition {reference}"):
            answer = self.cluster.client.describe_task_definition(taskDefinition=reference)
        definition = answer["taskDefinition"]
        container, problem, fix = NO_DEFINITION, "", ""
        try:
            container = find_container(definition, self.container)
        except Refused as error:
            problem, fix = error.message, error.hint
        log = container.get("logConfiguration", NO_DEFINITION)
        options = log.get("options", {}) if log.get("logDriver") == "awslogs" else {}
        group = str(options.get("awslogs-group", ""))
        return ServiceReview(
            definition=f"{definition['family']}:{definition['revision']}",
            desired_count=service["desiredCount"],
            **_failure_detection(service),
            container_problem=problem,
            container_fix=fix,
            roles=(*self._task_roles(definition), *roles),
            log_group=group,
            has_log_group=self._has_log_group(group, options),
            image_platform=_image_platform(definition.get("runtimePlatform", NO_DEFINITION)),
        )

    def _task_roles(self, configuration: Document) -> Iterator[RoleReview]:
        yield self._role("execution", configuration.get("executionRoleArn", ""), TASKS)
        if role := configuration.get("taskRoleArn"):
            yield self._role("task", role, TASKS)

    def _role(self, purpose: str, arn: str, principal: str) -> RoleReview:
        if (arn, principal) not in self.role_problems:
            self.role_problems[arn, principal] = self._role_problem(arn, principal) if arn else "is not set"
        problem = self.role_problems[arn, principal]
        return RoleReview(purpose=purpose, arn=arn, principal=principal, problem=problem)

    def _role_problem(self, arn: str, principal: str) -> str:
        """Return what is wrong with a role; an empty text when nothing is, or nobody may look."""
        try:
            with aws_errors(f"read the role {arn}"):
                role = self.cluster.aws.iam().get_role(RoleName=arn.rpartition("/")[2])["Role"]
        except NotFound:
            return "does not exist"
        except KaizenError:
            return ""
        policy = role.get("AssumeRolePolicyDocument") or {}
        is_trusted = any(principal in _services(statement) for statement in _as_list(policy.get("Statement")))
        return "" if is_trusted else f"does not trust {principal}"

    def _has_log_group(self, group: str, options: Mapping[str, str]) -> bool | None:
        if not group or options.get("awslogs-create-group") == "true":
            return True
        try:
            with aws_errors(f"read the log group {group}"):
                self.cluster.aws.logs().describe_log_streams(logGroupName=group, limit=1)
        except NotFound:
            return False
        except KaizenError:
            return None
        return True


def _failure_detection(service: Document) -> dict[str, Any]:
    """Return what ends a failing deployment of a service, and whether that brings back what was serving."""
    rules = service.get("deploymentConfiguration", {})
    breaker, alarms = rules.get("deploymentCircuitBreaker", {}), rules.get("alarms", {})
    strategy = str(rules.get("strategy", ""))
    found = {
        "circuit breaker": breaker.get("rollback") if breaker.get("enable") else None,
        "alarms": alarms.get("rollback") if alarms.get("enable") else None,
    }
    if service.get("deploymentController", {}).get("type") in {"CODE_DEPLOY", "EXTERNAL"}:
        found = {"another controller": True}
    detectors = [name for name, rolls_back in found.items() if rolls_back is not None]
    if strategy in PROGRESSIVE_STRATEGIES and detectors:
        detectors.append(strategy.lower().replace("_", "/"))
    return {"failure_detectors": tuple(detectors), "rolls_back": any(found.values())}


def _services(statement: Mapping[str, Any]) -> list[str]:
    """Return the services that a statement of a trust policy allows to assume the role."""
    principal = statement.get("Principal", {})
    if statement.get("Effect") != "Allow" or not isinstance(principal, Mapping):
        return []
    return [str(each) for each in _as_list(principal.get("Service"))]


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _image_platform(settings: Document) -> str:
    return IMAGE_PLATFORMS.get(settings.get("cpuArchitecture", ""), IMAGE_PLATFORMS[DEFAULT_ARCHITECTURE])
