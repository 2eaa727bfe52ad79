"""Terraform for the new service: its roles, log group and scaling as well, and no value of a variable.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ecs_express_gateway_service
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.migration.definition import CONTAINER_NAME, ServiceDefinition
from kaizen_tasks.domain.migration.hcl_text import Call, HclBlock, Raw, render_hcl
from kaizen_tasks.domain.migration.plan import PORT_VARIABLE
from kaizen_tasks.domain.migration.source import SourceService

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kaizen_tasks.domain.migration.hcl_text import Value

EXECUTION_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
INFRASTRUCTURE_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSInfrastructureRoleforExpressGatewayServices"
IMAGE_REASON = "A release sets the image; an apply that sets it back would undo the release."
TASKS_REASON = "A release registers a task definition of its own; scaling sets the number of tasks."


@frozen(kw_only=True)
class TerraformRequest:
    """What Terraform is written for.

    Attributes:
        environment: the environment's name.
        source: the old service.
        definition: the new service.
        creates_execution_role: whether nobody has named an execution role, so that one is described.
        creates_infrastructure_role: the same of the infrastructure role.
        existing_id: ARN of the new service, if it exists already and is to be imported; else empty.
    """

    environment: str
    source: SourceService
    definition: ServiceDefinition
    creates_execution_role: bool = True
    creates_infrastructure_role: bool = True
    existing_id: str = ""

    @property
    def label(self) -> str:
        """The name of the resources."""
        label = re.sub(r"\W", "_", self.environment)
        return label if label[:1].isalpha() else f"_{label}"

    def reference(self, resource: str, attribute: str = "arn", *, suffix: str = "") -> Raw:
        """Return a reference to an attribute of one of the resources."""
        return Raw(f"{resource}.{self.label}{suffix}.{attribute}")


def render_terraform(requests: Sequence[TerraformRequest]) -> str:
    """Return the text of a Terraform file with all new services."""
    return render_hcl([block for request in requests for block in _blocks(request)])


def _blocks(request: TerraformRequest) -> Iterator[HclBlock]:
    names = [name for name in request.definition.variables if name != PORT_VARIABLE]
    if names:
        yield _values_variable(request, names)
    if request.creates_execution_role:
        yield from _execution_role(request)
    if request.definition.is_express:
        if request.creates_infrastructure_role:
            yield from _role(request, "infrastructure", "ecs.amazonaws.com", INFRASTRUCTURE_POLICY)
        yield _express_service(request)
    else:
        yield from _plain_service(request)
    if request.existing_id:
        resource = "aws_ecs_express_gateway_service" if request.definition.is_express else "aws_ecs_service"
        identity = request.existing_id
        if not request.definition.is_express:  # CLUSTER/SERVICE, which the ARN ends with
            identity = "/".join(identity.split("/")[-2:])
        attributes: dict[str, Value] = {"to": Raw(f"{resource}.{request.label}"), "id": identity}
        yield HclBlock(kind="import", attributes=attributes, comments=("It exists already.",))


def _values_variable(request: TerraformRequest, names: Sequence[str]) -> HclBlock:
    variable = f"{request.label}_variables"
    path = "Service.SourceConfiguration.ImageRepository.ImageConfiguration.RuntimeEnvironmentVariables"
    return HclBlock(
        kind="variable",
        labels=(variable,),
        attributes={
            "type": Raw("map(string)"),
            "description": f"values of {', '.join(names)}",
        },
        comments=(
            "The values are not repeated here. This writes them into a file that Terraform reads:",
            f"aws apprunner describe-service --service-arn {request.source.id} \\",
            f"  --query '{{{variable}: {path}}}' > {request.label}.auto.tfvars.json",
        ),
    )


def _role(
    request: TerraformRequest, name: str, service: str, policy: str, comments: tuple[str, ...] = ()
) -> Iterator[HclBlock]:
    statement: Mapping[str, Value] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    label = f"{request.label}_{name}"
    yield HclBlock(
        kind="resource",
        labels=("aws_iam_role", label),
        attributes={
            "name": f"{request.definition.name}-{name}"[:64],
            "assume_role_policy": Call("jsonencode", {"Version": "2012-10-17", "Statement": [statement]}),
        },
        comments=comments,
    )
    yield HclBlock(
        kind="resource",
        labels=("aws_iam_role_policy_attachment", label),
        attributes={"role": Raw(f"aws_iam_role.{label}.name"), "policy_arn": policy},
    )


def _execution_role(request: TerraformRequest) -> Iterator[HclBlock]:
    comments = ("Pulls the image, reads the secrets, writes the log.",)
    yield from _role(request, "execution", "ecs-tasks.amazonaws.com", EXECUTION_POLICY, comments)
    references = sorted({_without_member(reference) for reference in request.definition.secrets.values()})
    if references:
        actions = sorted(
            {"ssm:GetParameters" if ":ssm:" in each else "secretsmanager:GetSecretValue" for each in references}
        )
        statement: Mapping[str, Value] = {"Effect": "Allow", "Action": actions, "Resource": references}
        yield HclBlock(
            kind="resource",
            labels=("aws_iam_role_policy", f"{request.label}_secrets"),
            attributes={
                "name": "secrets",
                "role": request.reference("aws_iam_role", "id", suffix="_execution"),
                "policy": Call("jsonencode", {"Version": "2012-10-17", "Statement": [statement]}),
            },
        )


def _without_member(reference: str) -> str:
    """Return the ARN of a secret without the member, stage and version that a reference adds: `:key::`."""
    return ":".join(reference.split(":")[:7])


def _execution_role_arn(request: TerraformRequest) -> Value:
    if request.creates_execution_role:
        return request.reference("aws_iam_role", suffix="_execution")
    return request.definition.execution_role


def _app_role_comments(request: TerraformRequest) -> tuple[str, ...]:
    role = request.definition.task_role.rpartition("/")[2]
    return (f"The trust policy of {role} must allow ecs-tasks.amazonaws.com to assume it.",) if role else ()


def _express_service(request: TerraformRequest) -> HclBlock:
    definition = request.definition
    infrastructure_role: Value = definition.infrastructure_role
    if request.creates_infrastructure_role:
        infrastructure_role = request.reference("aws_iam_role", suffix="_infrastructure")
    attributes: dict[str, Value] = {
        "service_name": definition.name,
        "cluster": definition.cluster,
        "execution_role_arn": _execution_role_arn(request),
        "infrastructure_role_arn": infrastructure_role,
        **({"task_role_arn": definition.task_role} if definition.task_role else {}),
        "cpu": str(definition.cpu),
        "memory": str(definition.memory),
        "health_check_path": definition.health_path,
        "wait_for_steady_state": True,
        **_own_tags(request),
    }
    if request.creates_execution_role or request.creates_infrastructure_role:
        names = [
            *(["execution"] if request.creates_execution_role else []),
            *(["infrastructure"] if request.creates_infrastructure_role else []),
        ]
        attachments = [Raw(f"aws_iam_role_policy_attachment.{request.label}_{name}") for name in names]
        if request.creates_execution_role and definition.secrets:
            attachments.append(Raw(f"aws_iam_role_policy.{request.label}_secrets"))
        attributes["depends_on"] = attachments
    return HclBlock(
        kind="resource",
        labels=("aws_ecs_express_gateway_service", request.label),
        attributes=attributes,
        blocks=(_container(request), _scaling_target(request), *_network(request), _lifecycle(request)),
        comments=_app_role_comments(request),
    )


def _container(request: TerraformRequest) -> HclBlock:
    definition = request.definition
    attributes: dict[str, Value] = {"image": definition.image, "container_port": definition.port}
    if definition.command:
        attributes["command"] = list(definition.command)
    variables = tuple(
        HclBlock(kind="environment", attributes={"name": name, "value": value})
        for name, value in _variable_values(request).items()
    )
    secrets = tuple(
        HclBlock(kind="secret", attributes={"name": name, "value_from": reference})
        for name, reference in sorted(definition.secrets.items())
    )
    return HclBlock(kind="primary_container", attributes=attributes, blocks=(*variables, *secrets))


def _variable_values(request: TerraformRequest) -> Mapping[str, Value]:
    """Return an expression for each variable: the port, and a reference where it may be anything."""
    return {
        name: str(request.definition.port) if name == PORT_VARIABLE else Raw(f'var.{request.label}_variables["{name}"]')
        for name in sorted(request.definition.variables)
    }


def _scaling_target(request: TerraformRequest) -> HclBlock:
    definition = request.definition
    return HclBlock(
        kind="scaling_target",
        attributes={
            "min_task_count": definition.min_tasks,
            "max_task_count": definition.max_tasks,
            "auto_scaling_metric": str(definition.metric),
            "auto_scaling_target_value": definition.metric_target,
        },
    )


def _network(request: TerraformRequest) -> tuple[HclBlock, ...]:
    definition = request.definition
    attributes: dict[str, Value] = {}
    if definition.subnets:
        attributes["subnets"] = list(definition.subnets)
    if definition.security_groups:
        attributes["security_groups"] = list(definition.security_groups)
    if not definition.is_express:
        attributes["assign_public_ip"] = definition.assigns_public_ip
    return (HclBlock(kind="network_configuration", attributes=attributes),) if attributes else ()


def _lifecycle(request: TerraformRequest) -> HclBlock:
    is_express = request.definition.is_express
    ignored = ["primary_container[0].image"] if is_express else ["task_definition", "desired_count"]
    return HclBlock(
        kind="lifecycle",
        attributes={"ignore_changes": [Raw(name) for name in ignored]},
        comments=(IMAGE_REASON if is_express else TASKS_REASON,),
    )


def _own_tags(request: TerraformRequest) -> Mapping[str, Value]:
    """Return the attribute with the tags of the old service; not the tag of services that a migration has created."""
    return {"tags": dict(sorted(request.source.tags.items()))} if request.source.tags else {}


def _plain_service(request: TerraformRequest) -> Iterator[HclBlock]:
    definition, label = request.definition, request.label
    yield HclBlock(
        kind="resource",
        labels=("aws_cloudwatch_log_group", label),
        attributes={"name": definition.log_group, "retention_in_days": 90},
    )
    yield _task_definition(request)
    balancers: tuple[HclBlock, ...] = ()
    if definition.target_group:
        attributes: dict[str, Value] = {
            "target_group_arn": definition.target_group,
            "container_name": CONTAINER_NAME,
            "container_port": definition.port,
        }
        balancers = (HclBlock(kind="load_balancer", attributes=attributes),)
    yield HclBlock(
        kind="resource",
        labels=("aws_ecs_service", label),
        attributes={
            "name": definition.name,
            "cluster": definition.cluster,
            "task_definition": request.reference("aws_ecs_task_definition"),
            "desired_count": definition.min_tasks,
            "launch_type": "FARGATE",
            "wait_for_steady_state": True,
            **_own_tags(request),
        },
        blocks=(
            *_network(request),
            *balancers,
            HclBlock(kind="deployment_circuit_breaker", attributes={"enable": True, "rollback": True}),
            _lifecycle(request),
        ),
    )
    yield from _autoscaling(request)


def _task_definition(request: TerraformRequest) -> HclBlock:
    definition = request.definition
    container: dict[str, Value] = {
        "name": CONTAINER_NAME,
        "image": definition.image,
        "essential": True,
        **({"command": list(definition.command)} if definition.command else {}),
        "portMappings": [{"containerPort": definition.port, "protocol": "tcp"}],
        "environment": [{"name": name, "value": value} for name, value in _variable_values(request).items()],
        "secrets": [{"name": name, "valueFrom": value} for name, value in sorted(definition.secrets.items())],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": request.reference("aws_cloudwatch_log_group", "name"),
                "awslogs-region": request.source.id.split(":")[3],
                "awslogs-stream-prefix": "ecs",
            },
        },
    }
    return HclBlock(
        kind="resource",
        labels=("aws_ecs_task_definition", request.label),
        attributes={
            "family": definition.name,
            "requires_compatibilities": ["FARGATE"],
            "network_mode": "awsvpc",
            "cpu": str(definition.cpu),
            "memory": str(definition.memory),
            "execution_role_arn": _execution_role_arn(request),
            **({"task_role_arn": definition.task_role} if definition.task_role else {}),
            "container_definitions": Call("jsonencode", [container]),
        },
        comments=_app_role_comments(request),
    )


def _autoscaling(request: TerraformRequest) -> Iterator[HclBlock]:
    definition, label = request.definition, request.label
    yield HclBlock(
        kind="resource",
        labels=("aws_appautoscaling_target", label),
        attributes={
            "service_namespace": "ecs",
            "resource_id": f"service/{definition.cluster}/{definition.name}",
            "scalable_dimension": "ecs:service:DesiredCount",
            "min_capacity": definition.min_tasks,
            "max_capacity": definition.max_tasks,
            "depends_on": [Raw(f"aws_ecs_service.{label}")],
        },
    )
    target = f"aws_appautoscaling_target.{label}"
    yield HclBlock(
        kind="resource",
        labels=("aws_appautoscaling_policy", label),
        attributes={
            "name": "cpu",
            "policy_type": "TargetTrackingScaling",
            "service_namespace": Raw(f"{target}.service_namespace"),
            "resource_id": Raw(f"{target}.resource_id"),
            "scalable_dimension": Raw(f"{target}.scalable_dimension"),
        },
        blocks=(
            HclBlock(
                kind="target_tracking_scaling_policy_configuration",
                attributes={"target_value": definition.metric_target},
                blocks=(
                    HclBlock(
                        kind="predefined_metric_specification",
                        attributes={"predefined_metric_type": "ECSServiceAverageCPUUtilization"},
                    ),
                ),
            ),
        ),
    )
