"""Services of App Runner to move."""

from __future__ import annotations

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.migration.source import ConcurrencyScaling, HealthCheck, SourceService

ACCOUNT = "123456789012"
DIGEST = f"sha256:{'ab' * 32}"
REGISTRY = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
IMAGE = f"{REGISTRY}/mark-coach-app@{DIGEST}"
SECRET_ARN = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:mark-coach-app-secrets-a1b2c3"
EXPRESS = Environment(name="mark", platform="ecs-express", repository="mark-coach-app", service="mark-coach-service")
PLAIN = Environment(name="mark", platform="ecs", repository="mark-coach-app", service="mark-coach-service")

PLAIN_SOURCE = SourceService(
    name="mark-coach-service",
    id=f"arn:aws:apprunner:eu-west-1:{ACCOUNT}:service/mark-coach-service/0123456789abcdef0123456789abcdef",
    image=f"{REGISTRY}/mark-coach-app:latest",
    variables={"ENVIRONMENT": "mark", "LICENCE": "value-of-a-variable"},
    secrets={"AI_MODEL": f"{SECRET_ARN}:AI_MODEL::"},
    pull_role=f"arn:aws:iam::{ACCOUNT}:role/service-role/pulls",
)
"""A service as the console creates it."""

FULL_SOURCE = SourceService(
    name="mark-coach-service",
    id=PLAIN_SOURCE.id,
    image=PLAIN_SOURCE.image,
    port=3000,
    start_command="gunicorn app:app && echo ${HOME}",
    variables={"LICENCE": 'value-of-a-variable "${x}"'},
    secrets={
        "TOKEN": SECRET_ARN,
        "LEVEL": f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/coach/level",
    },
    cpu=4096,
    memory=12288,
    health_check=HealthCheck(path="/healthz", interval=10, healthy=2, unhealthy=3),
    scaling=ConcurrencyScaling(minimum=2, maximum=25, concurrency=50),
    pull_role=PLAIN_SOURCE.pull_role,
    app_role=f"arn:aws:iam::{ACCOUNT}:role/mark-app",
    subnets=("subnet-a", "subnet-b"),
    security_groups=("sg-1",),
    is_dual_stack=True,
    kms_key=f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234",
    traces=True,
    deploys_on_push=True,
    domains=("mark.coach.example",),
    tags={"team": "coach", "tenant-of": "mark"},
)
"""A service that uses whatever App Runner offers."""
