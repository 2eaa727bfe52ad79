"""AWS Secrets Manager: versions of a secret, of which AWSCURRENT counts."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.session import aws_errors
from kaizen_tasks.errors import NotFound, PushFailed, Refused
from kaizen_tasks.ports.secrets import Secrets
from kaizen_tasks.ports.types import Secret, SecretVersion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.adapters.aws.session import Aws

STAGING_LABEL = "kaizen-staged"
"""Our own staging label. There is no conditional PutSecretValue, but moving AWSCURRENT is conditional: so a new
version gets this label first, and counts only if the version that was read still counted at that moment.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html"""

THROTTLING_CODES = frozenset({"LimitExceededException", "ThrottlingException"})
NOT_FOUND_HINT = "create it, or correct `runtime.secret` or the environment's `secret` in the configuration"


class SecretsManager(Secrets):
    """The secrets of one account in one region.

    Args:
        aws: whose.
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def current(self, name: str) -> SecretVersion:
        """Return what AWSCURRENT names."""
        return self._get_version(name, "AWSCURRENT")

    def previous(self, name: str) -> SecretVersion | None:
        """Return what AWSPREVIOUS names; a missing label and a missing secret are the same error."""
        try:
            return self._get_version(name, "AWSPREVIOUS")
        except NotFound:
            return None

    def write(self, name: str, content: Secret, *, version: str, expected_current: str) -> None:
        """Put a new version under a label of our own, then move AWSCURRENT onto it."""
        secretsmanager = self._aws.secretsmanager()
        with (
            aws_errors(f"write the secret {name}", change_error=PushFailed, not_found_hint=NOT_FOUND_HINT),
            _throttling_errors(name),
        ):
            secretsmanager.put_secret_value(
                SecretId=name, SecretString=content.reveal(), ClientRequestToken=version, VersionStages=[STAGING_LABEL]
            )
        self.restore(name, version=version, expected_current=expected_current)

    def restore(self, name: str, *, version: str, expected_current: str) -> None:
        """Move AWSCURRENT; what it is taken from becomes AWSPREVIOUS.

        Which error says that another version is current is not documented: looking again tells. It also tells that an
        attempt whose answer was lost has moved it.
        """
        secretsmanager = self._aws.secretsmanager()
        rejections = (
            secretsmanager.exceptions.InvalidParameterException,
            secretsmanager.exceptions.InvalidRequestException,
        )
        with aws_errors(f"change the secret {name}", change_error=PushFailed, not_found_hint=NOT_FOUND_HINT):
            try:
                secretsmanager.update_secret_version_stage(
                    SecretId=name,
                    VersionStage="AWSCURRENT",
                    RemoveFromVersionId=expected_current,
                    MoveToVersionId=version,
                )
            except rejections:
                current_version = self.current(name).version
                if current_version == expected_current:
                    raise
                if current_version != version:
                    raise _conflict(name) from None

    def _get_version(self, name: str, stage: str) -> SecretVersion:
        with aws_errors(f"read the secret {name}", not_found_hint=NOT_FOUND_HINT):
            response = self._aws.secretsmanager().get_secret_value(SecretId=name, VersionStage=stage)
        if "SecretString" not in response:
            raise Refused(f"the secret {name} holds bytes and not text", hint="its configuration is one JSON object")
        return SecretVersion(
            version=response["VersionId"],
            created_at=response["CreatedDate"].astimezone(UTC),
            content=Secret(response["SecretString"]),
        )


@contextmanager
def _throttling_errors(name: str) -> Iterator[None]:
    """Say what AWS means by too often: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in THROTTLING_CODES:
            raise
        raise Refused(
            f"Secrets Manager takes no further version of {name} now: {error.response['Error']['Code']}",
            state="what counts is as it was; AWS wants no more than one write in ten minutes over a longer time",
            hint="wait ten minutes, then type the same command again; several --set make one write",
        ) from error


def _conflict(name: str) -> Refused:
    return Refused(
        f"somebody else has changed the secret {name} at the same moment",
        state="their change stands, and yours was not made",
        hint="type the same command again",
    )
