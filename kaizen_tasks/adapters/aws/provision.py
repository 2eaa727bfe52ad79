"""Creates repositories and services where there are none: what a team's Terraform does on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.session import aws_errors
from kaizen_tasks.domain.json_document import ConfigDocument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports.types import Secret

APP_PORT = "8080"


class Provisioner:
    """Makes what `Registry` and `Platform` expect to find.

    Args:
        aws: where.
        region: that `aws` is in.
    """

    def __init__(self, aws: Aws, *, region: str) -> None:
        self._aws = aws
        self._region = region

    def create_repository(self, name: str) -> None:
        """Create an image repository."""
        with aws_errors(f"create the repository {name}"):
            self._aws.ecr().create_repository(repositoryName=name)

    def create_secret(self, environment: Environment, content: Secret) -> Mapping[str, str]:
        """Create a secret with names and values; return by name how App Runner refers to each value.

        https://docs.aws.amazon.com/apprunner/latest/dg/env-variable-manage.html
        """
        secretsmanager, text = self._aws.secretsmanager(), content.reveal()
        with aws_errors(f"create the secret {environment.secret}"):
            try:
                arn = secretsmanager.create_secret(Name=environment.secret, SecretString=text)["ARN"]
            except secretsmanager.exceptions.ResourceExistsException:
                arn = secretsmanager.describe_secret(SecretId=environment.secret)["ARN"]
        return {name: f"{arn}:{name}::" for name in ConfigDocument.parse(text).names}

    def create_service(self, environment: Environment, secrets: Mapping[str, str]) -> None:
        """Create a service that follows `:latest`, with auto-deployment, as App Runner has it by default.

        App Runner takes ECR's public name for a private repository and no other, so the address of a local
        registry cannot stand here.

        Args:
            environment: its name reaches the app as `ENVIRONMENT`.
            secrets: what the app gets from secrets, as `secret` has returned it.
        """
        registry = f"{self._aws.account_id()}.dkr.ecr.{self._region}.amazonaws.com"
        role = f"arn:aws:iam::{self._aws.account_id()}:role/{environment.service}-pulls"
        with aws_errors(f"create the service {environment.service}"):
            self._aws.apprunner().create_service(
                ServiceName=environment.service,
                SourceConfiguration={
                    "AuthenticationConfiguration": {"AccessRoleArn": role},
                    "ImageRepository": {
                        "ImageIdentifier": f"{registry}/{environment.repository}:latest",
                        "ImageRepositoryType": "ECR",
                        "ImageConfiguration": {
                            "Port": APP_PORT,
                            "RuntimeEnvironmentVariables": {"ENVIRONMENT": environment.name},
                            "RuntimeEnvironmentSecrets": dict(secrets),
                        },
                    },
                },
            )
