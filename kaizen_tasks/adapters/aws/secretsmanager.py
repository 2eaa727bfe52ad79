"""AWS Secrets Manager: versions of a secret, of which AWSCURRENT counts."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.session import translated
from kaizen_tasks.errors import NotFound, PushFailed, Refused
from kaizen_tasks.ports.secrets import Secrets
from kaizen_tasks.ports.types import Secret, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.adapters.aws.session import Aws

STAGED = "kaizen-staged"
"""Our own staging label. There is no conditional PutSecretValue, but moving AWSCURRENT is conditional: so a new
version gets this label first, and counts only if the version that was read still counted at that moment.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html"""

TOO_OFTEN = frozenset({"LimitExceededException", "ThrottlingException"})
MISSING = "create it, or correct `runtime.secret` or the environment's `secret` in the configuration"


class SecretsManager(Secrets):
    """The secrets of one account in one region.

    Args:
        aws: whose.
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def current(self, name: str) -> Stored:
        """Return what AWSCURRENT names."""
        return self._read(name, "AWSCURRENT")

    def previous(self, name: str) -> Stored | None:
        """Return what AWSPREVIOUS names; a missing label and a missing secret are the same error."""
        try:
            return self._read(name, "AWSPREVIOUS")
        except NotFound:
            return None

    def write(self, name: str, content: Secret, *, version: str, over: str) -> None:
        """Put a new version under a label of our own, then move AWSCURRENT onto it."""
        secretsmanager = self._aws.secretsmanager()
        with translated(f"write the secret {name}", otherwise=PushFailed, missing=MISSING), _explained(name):
            secretsmanager.put_secret_value(
                SecretId=name, SecretString=content.open(), ClientRequestToken=version, VersionStages=[STAGED]
            )
        self.restore(name, version=version, over=over)

    def restore(self, name: str, *, version: str, over: str) -> None:
        """Move AWSCURRENT; what it is taken from becomes AWSPREVIOUS.

        Which error says that another version is current is not documented: looking again tells. It also tells that an
        attempt whose answer was lost has moved it.
        """
        secretsmanager = self._aws.secretsmanager()
        refusals = (
            secretsmanager.exceptions.InvalidParameterException,
            secretsmanager.exceptions.InvalidRequestException,
        )
        with translated(f"change the secret {name}", otherwise=PushFailed, missing=MISSING):
            try:
                secretsmanager.update_secret_version_stage(
                    SecretId=name, VersionStage="AWSCURRENT", RemoveFromVersionId=over, MoveToVersionId=version
                )
            except refusals:
                now = self.current(name).version
                if now == over:
                    raise
                if now != version:
                    raise _changed(name) from None

    def _read(self, name: str, stage: str) -> Stored:
        with translated(f"read the secret {name}", missing=MISSING):
            found = self._aws.secretsmanager().get_secret_value(SecretId=name, VersionStage=stage)
        if "SecretString" not in found:
            raise Refused(f"the secret {name} holds bytes and not text", hint="its configuration is one JSON object")
        return Stored(
            version=found["VersionId"],
            created=found["CreatedDate"].astimezone(UTC),
            content=Secret(found["SecretString"]),
        )


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Say what AWS means by too often: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in TOO_OFTEN:
            raise
        raise Refused(
            f"Secrets Manager takes no further version of {name} now: {error.response['Error']['Code']}",
            state="what counts is as it was; AWS wants no more than one write in ten minutes over a longer time",
            hint="wait ten minutes, then type the same command again; several --set make one write",
        ) from error


def _changed(name: str) -> Refused:
    return Refused(
        f"somebody else has changed the secret {name} at the same moment",
        state="their change stands, and yours was not made",
        hint="type the same command again",
    )
