"""AWS Secrets Manager: versions of a secret, with AWSCURRENT on the active one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC

from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.errors import NotFound, PushFailed, Refused
from kaizen_tasks.ports.secrets import Secret, Secrets, SecretVersion

STAGING_LABEL = "kaizen-staged"
"""Our own staging label. PutSecretValue cannot be conditional, but moving AWSCURRENT can. So a new version is written
with this label; then AWSCURRENT is moved to it, provided that the version that was read is still current.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html"""

THROTTLING_CODES = frozenset({"LimitExceededException", "ThrottlingException"})
NOT_FOUND_HINT = "create it, or correct `runtime.secret` or the environment's `secret` in the configuration"


class SecretsManager(Secrets):
    """The secrets of one account in one region."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def identifier(self, name: str) -> str:
        """Return the ARN of a secret, which ends in characters that Secrets Manager chose."""
        with aws_errors(f"find the secret {name}", not_found_hint=NOT_FOUND_HINT):
            return self._aws.secretsmanager().describe_secret(SecretId=name)["ARN"]

    def current(self, name: str) -> SecretVersion:
        """Return the version labelled AWSCURRENT."""
        return self._get_version(name, "AWSCURRENT")

    def previous(self, name: str) -> SecretVersion | None:
        """Return the version labelled AWSPREVIOUS, or None when there is no such version or no such secret."""
        try:
            return self._get_version(name, "AWSPREVIOUS")
        except NotFound:
            return None

    def write(self, name: str, content: Secret, *, version: str, expected_current: str) -> None:
        """Write a new version with our own label, then move AWSCURRENT to the new version."""
        secretsmanager = self._aws.secretsmanager()
        errors = aws_errors(f"write the secret {name}", change_error=PushFailed, not_found_hint=NOT_FOUND_HINT)
        with errors, _throttling_errors(name):
            secretsmanager.put_secret_value(
                SecretId=name, SecretString=content.reveal(), ClientRequestToken=version, VersionStages=[STAGING_LABEL]
            )
        self.restore(name, version=version, expected_current=expected_current)

    def restore(self, name: str, *, version: str, expected_current: str) -> None:
        """Move AWSCURRENT to a version; AWS then moves AWSPREVIOUS to the version that had AWSCURRENT.

        AWS does not document the error for a label that has moved, so after an error the current version is read. This
        also detects an earlier attempt that succeeded but whose response was lost.
        """
        secretsmanager = self._aws.secretsmanager()
        errors = secretsmanager.exceptions
        with aws_errors(f"change the secret {name}", change_error=PushFailed, not_found_hint=NOT_FOUND_HINT):
            try:
                secretsmanager.update_secret_version_stage(
                    SecretId=name,
                    VersionStage="AWSCURRENT",
                    RemoveFromVersionId=expected_current,
                    MoveToVersionId=version,
                )
            except (errors.InvalidParameterException, errors.InvalidRequestException):
                current = self.current(name).version
                if current == expected_current:
                    raise
                if current != version:
                    raise Refused(
                        f"somebody else changed the secret {name} at the same moment",
                        state="their change is in place, yours was not written",
                        hint="run the same command again",
                    ) from None

    def _get_version(self, name: str, stage: str) -> SecretVersion:
        with aws_errors(f"read the secret {name}", not_found_hint=NOT_FOUND_HINT):
            response = self._aws.secretsmanager().get_secret_value(SecretId=name, VersionStage=stage)
        if "SecretString" not in response:
            raise Refused(f"the secret {name} holds bytes, not text", hint="a runtime configuration is a JSON object")
        return SecretVersion(
            version=response["VersionId"],
            created_at=response["CreatedDate"].astimezone(UTC),
            content=Secret(response["SecretString"]),
        )


@contextmanager
def _throttling_errors(name: str) -> Iterator[None]:
    """Raise Refused when the write quota is used up: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in THROTTLING_CODES:
            raise
        raise Refused(
            f"Secrets Manager does not accept another version of {name} now: {error.response['Error']['Code']}",
            state="the current version is unchanged; AWS allows one write per ten minutes over a longer time",
            hint="wait ten minutes, then run the same command again; several --set are one write",
        ) from error
