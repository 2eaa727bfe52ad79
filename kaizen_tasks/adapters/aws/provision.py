"""Creates repositories, secrets and services in a local cloud; on AWS a team's Terraform does that."""

from __future__ import annotations

import math
from collections.abc import Mapping

from kaizen_tasks.adapters.aws.account_admin import render_mutability
from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.new_service import NewService
from kaizen_tasks.domain.tag_mutability import TagMutability
from kaizen_tasks.domain.text.json_document import ConfigDocument
from kaizen_tasks.ports.secrets import Secret

MAX_CHECKS = 20
"""Health checks that may fail before an instance is given up: https://docs.aws.amazon.com/apprunner/latest/api/API_HealthCheckConfiguration.html."""


class Provisioner:
    """Creates the resources that the ports `Registry`, `Secrets` and `Platform` expect to exist.

    Args:
        aws: connects to the local cloud.
        region: region of `aws`.
    """

    def __init__(self, aws: Aws, *, region: str) -> None:
        self._aws = aws
        self._region = region

    def create_repository(self, name: str, rules: TagMutability) -> None:
        """Create an image repository."""
        with aws_errors(f"create the repository {name}"):
            self._aws.ecr().create_repository(repositoryName=name, **render_mutability(rules))

    def create_secret(self, environment: Environment, content: Secret) -> Mapping[str, str]:
        """Create a secret if it is missing; return the reference to each value in the secret, by name.

        App Runner and ECS understand the same one: https://docs.aws.amazon.com/apprunner/latest/dg/env-variable-manage.html,
        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
        """
        secretsmanager, text = self._aws.secretsmanager(), content.reveal()
        with aws_errors(f"create the secret {environment.secret}"):
            try:
                arn = secretsmanager.create_secret(Name=environment.secret, SecretString=text)["ARN"]
            except secretsmanager.exceptions.ResourceExistsException:
                arn = secretsmanager.describe_secret(SecretId=environment.secret)["ARN"]
        return {name: f"{arn}:{name}::" for name in ConfigDocument.parse(text).names}

    def create_service(self, environment: Environment, service: NewService) -> None:
        """Create a service that deploys only when it is told to.

        Args:
            environment: the environment, whose platform says what kind of service it is.
            service: what the service runs, and with what.
        """
        with aws_errors(f"create the service {environment.service}"):
            if not environment.kind.has_cluster:
                self._create_app_runner_service(environment, service)
                if environment.task is None:
                    return
            from kaizen_tasks.adapters.aws.ecs import provision

            account, ecs = self._aws.account_id(), self._aws.ecs()
            provision.create_cluster(ecs, environment)
            if not environment.kind.has_cluster:
                provision.create_task_definition(ecs, environment, service, account=account, region=self._region)
            elif environment.kind.has_address:
                provision.create_express_service(ecs, environment, service, account=account)
            else:
                provision.create_plain_service(ecs, environment, service, account=account, region=self._region)

    def _create_app_runner_service(self, environment: Environment, service: NewService) -> None:
        """Create a service that does not follow its tag by itself, which is not App Runner's default.

        App Runner accepts only ECR's own host name for a private repository, not that of a local registry.
        """
        registry = f"{self._aws.account_id()}.dkr.ecr.{self._region}.amazonaws.com"
        role = f"arn:aws:iam::{self._aws.account_id()}:role/{environment.service}-pulls"
        interval = math.ceil(service.start_timeout / MAX_CHECKS)
        self._aws.apprunner().create_service(
            ServiceName=environment.service,
            SourceConfiguration={
                "AuthenticationConfiguration": {"AccessRoleArn": role},
                "AutoDeploymentsEnabled": False,
                "ImageRepository": {
                    "ImageIdentifier": f"{registry}/{environment.followed_image}",
                    "ImageRepositoryType": "ECR",
                    "ImageConfiguration": {
                        "Port": str(service.port),
                        "RuntimeEnvironmentVariables": dict(service.variables),
                        "RuntimeEnvironmentSecrets": dict(service.secrets),
                    },
                },
            },
            HealthCheckConfiguration={
                "Interval": interval,
                "UnhealthyThreshold": math.ceil(service.start_timeout / interval),
            },
        )
