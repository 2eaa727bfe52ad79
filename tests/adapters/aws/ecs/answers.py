"""Answers of ECS, as its API reference shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.adapters.aws.ecs.scripted_ecs import ACCOUNT, REGION

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
REPOSITORY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/web-app"
OLD_IMAGE, NEW_IMAGE = f"{REPOSITORY}@sha256:{'a' * 64}", f"{REPOSITORY}@sha256:{'b' * 64}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"


def service_arn(name: str = "web") -> str:
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/main/{name}"


def revision_arn(number: int) -> str:
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:service-revision/main/web/{number}"


def deployment_arn(number: int) -> str:
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:service-deployment/main/web/deployment{number}"


def definition_arn(revision: int) -> str:
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/web:{revision}"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def deployments(*summaries: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of ListServiceDeployments, the newest one first."""
    return {"serviceDeployments": list(summaries)}


def deployment(
    number: int, status: str = "SUCCESSFUL", *, ended_after: float | None = 60, **members: Any
) -> dict[str, Any]:
    """Return the summary of a deployment that began 100 seconds after that of the number before."""
    created = at(number * 100)
    ended = {} if ended_after is None else {"finishedAt": created + timedelta(seconds=ended_after)}
    return {
        "serviceDeploymentArn": deployment_arn(number),
        "targetServiceRevisionArn": revision_arn(number),
        "status": status,
        "createdAt": created,
        "startedAt": created,
        **ended,
        **members,
    }


def detail(number: int, status: str, *, ended_after: float | None = 60, **members: Any) -> dict[str, Any]:
    """Return a deployment as DescribeServiceDeployments shows it."""
    summary = deployment(number, status, ended_after=ended_after)
    summary["targetServiceRevision"] = {"arn": summary.pop("targetServiceRevisionArn")}
    return {**summary, "sourceServiceRevisions": [{"arn": revision_arn(number - 1)}], **members}


def details(*deployments: dict[str, Any]) -> dict[str, Any]:
    return {"serviceDeployments": list(deployments)}


def revision(number: int, image: str = OLD_IMAGE, *, container: str = "Main", **members: Any) -> dict[str, Any]:
    images = [{"containerName": container, "image": image}]
    return {
        "serviceRevisionArn": revision_arn(number),
        "taskDefinition": definition_arn(number),
        "containerImages": images,
        **members,
    }


def revisions(*revisions: dict[str, Any]) -> Any:
    """Return an answer of DescribeServiceRevisions: those of the revisions that were asked for."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        arns = request["serviceRevisionArns"]
        return {"serviceRevisions": [each for each in revisions if each["serviceRevisionArn"] in arns]}

    return answer


def container(name: str = "web", image: str = OLD_IMAGE, **members: Any) -> dict[str, Any]:
    """Return a container definition with variables, secrets, a log and a health check."""
    return {
        "name": name,
        "image": image,
        "essential": True,
        "portMappings": [{"containerPort": 8080, "name": "http"}],
        "environment": [{"name": "API_URL", "value": "https://api.example"}, {"name": "TOKEN", "value": "hush"}],
        "secrets": [{"name": "KEY", "valueFrom": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:web-abc123:KEY::"}],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "/ecs/web", "awslogs-region": REGION, "awslogs-stream-prefix": "ecs"},
        },
        "healthCheck": {"command": ["CMD", "true"], "interval": 5},
        **members,
    }


def definition(*containers: dict[str, Any], revision: int = 1, **members: Any) -> dict[str, Any]:
    """Return the answer of DescribeTaskDefinition, with what ECS adds."""
    return {
        "taskDefinition": {
            "taskDefinitionArn": definition_arn(revision),
            "family": "web",
            "revision": revision,
            "status": "ACTIVE",
            "containerDefinitions": list(containers) or [container()],
            "cpu": "256",
            "memory": "512",
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "compatibilities": ["EC2", "FARGATE"],
            "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"}],
            "executionRoleArn": f"{ROLE}/execution",
            "taskRoleArn": f"{ROLE}/web",
            "volumes": [],
            "placementConstraints": [],
            "registeredAt": START,
            "registeredBy": f"arn:aws:iam::{ACCOUNT}:user/ada",
            **members,
        },
        "tags": [{"key": "team", "value": "coach"}, {"key": "aws:cloudformation:stack-name", "value": "web"}],
    }


def registered(request: dict[str, Any]) -> dict[str, Any]:
    """Answer RegisterTaskDefinition: with the next revision of what was sent."""
    own = {"taskDefinitionArn": definition_arn(2), "revision": 2, "status": "ACTIVE", "compatibilities": ["FARGATE"]}
    members = {name: value for name, value in request.items() if name != "tags"}
    return {"taskDefinition": {**members, **own}, "tags": request.get("tags", [])}


def service(*, revisions: tuple[int, ...] = (1,), **members: Any) -> dict[str, Any]:
    """Return a plain service as DescribeServices shows it."""
    return {
        "serviceName": "web",
        "serviceArn": service_arn(),
        "status": "ACTIVE",
        "desiredCount": 2,
        "runningCount": 2,
        "taskDefinition": definition_arn(1),
        "deployments": [
            {
                "id": "ecs-svc/1",
                "status": "PRIMARY",
                "rolloutState": "COMPLETED",
                "taskDefinition": definition_arn(1),
                "runningCount": 2,
            }
        ],
        "currentServiceDeployment": deployment_arn(revisions[-1]),
        "currentServiceRevisions": [{"arn": revision_arn(number), "runningTaskCount": 2} for number in revisions],
        "loadBalancers": [{"targetGroupArn": "arn:tg", "containerName": "web", "containerPort": 8080}],
        "resourceManagementType": "CUSTOMER",
        "deploymentController": {"type": "ECS"},
        **members,
    }


def services(*services: dict[str, Any]) -> dict[str, Any]:
    return {"services": list(services), "failures": []}


def configuration(number: int = 1, image: str = OLD_IMAGE, **members: Any) -> dict[str, Any]:
    """Return a configuration of an Express service."""
    return {
        "serviceRevisionArn": revision_arn(number),
        "executionRoleArn": f"{ROLE}/execution",
        "taskRoleArn": f"{ROLE}/web",
        "cpu": "256",
        "memory": "512",
        "healthCheckPath": "/health",
        "networkConfiguration": {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"]},
        "scalingTarget": {"minTaskCount": 1, "maxTaskCount": 4},
        "primaryContainer": {
            "image": image,
            "containerPort": 8080,
            "environment": [{"name": "API_URL", "value": "https://api.example"}, {"name": "TOKEN", "value": "hush"}],
            "secrets": [
                {"name": "KEY", "valueFrom": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:web-abc123:KEY::"}
            ],
            "awsLogsConfiguration": {"logGroup": "/aws/ecs/main/web-1a2b", "logStreamPrefix": "ecs"},
        },
        "ingressPaths": [
            {"accessType": "PRIVATE", "endpoint": "internal.example"},
            {"accessType": "PUBLIC", "endpoint": f"we0123.ecs.{REGION}.on.aws"},
        ],
        "createdAt": at(number * 100),
        **members,
    }


def express_service(*configurations: dict[str, Any], status: str = "ACTIVE", **members: Any) -> dict[str, Any]:
    """Return the answer of DescribeExpressGatewayService."""
    return {
        "service": {
            "serviceName": "web",
            "serviceArn": service_arn(),
            "cluster": "main",
            "infrastructureRoleArn": f"{ROLE}/infrastructure",
            "status": {"statusCode": status},
            "activeConfigurations": list(configurations) or [configuration()],
            **members,
        }
    }


def updated(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of UpdateExpressGatewayService."""
    return {"service": {"serviceName": "web", "serviceArn": service_arn(), "targetConfiguration": configuration}}
