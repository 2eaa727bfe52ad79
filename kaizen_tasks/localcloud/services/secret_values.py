"""The values of secrets that an application gets as environment variables, by their references."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from kaizen_tasks.errors import DeployFailed

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.moto.backend import MotoBackend

# https://docs.aws.amazon.com/apprunner/latest/dg/env-variable-manage.html: a secret's ARN, then optionally a key of
# its JSON, a staging label and a version.
SECRET_REFERENCE = re.compile(
    r"(?P<arn>arn:[\w-]+:secretsmanager:(?P<region>[\w-]+):\d{12}:secret:[\w/+=.@-]+)"
    r"(:(?P<key>[^:]*):(?P<stage>[^:]*):(?P<version>[^:]*))?"
)


class SecretResolver:
    """Reads secrets from Secrets Manager.

    Args:
        moto: the backend with Secrets Manager.
    """

    def __init__(self, moto: MotoBackend) -> None:
        self._moto = moto

    def resolve(self, reference: str) -> str:
        """Return the value that a reference refers to.

        Raises:
            DeployFailed: the secret or its key does not exist.
        """
        match = SECRET_REFERENCE.fullmatch(reference)
        if match is None:
            raise DeployFailed(f"Failed to fetch the secret {reference}: it is not the ARN of a secret.")
        query = {"SecretId": match["arn"], "VersionStage": match["stage"] or "AWSCURRENT"}
        if match["version"]:
            query = {"SecretId": match["arn"], "VersionId": match["version"]}
        response = self._moto.query("secretsmanager", match["region"], "secretsmanager.GetSecretValue", query)
        if response.status != HTTPStatus.OK or not isinstance(response.body, bytes):
            raise DeployFailed(f"Failed to fetch the secret {match['arn']}.")
        secret_string = str(json.loads(response.body)["SecretString"])
        return _read_json_key(secret_string, match["key"], match["arn"]) if match["key"] else secret_string


def _read_json_key(text: str, key: str, arn: str) -> str:
    try:
        value = json.loads(text)[key]
    except (ValueError, LookupError, TypeError):
        raise DeployFailed(f"Failed to fetch the secret {arn}: it has no key {key}.") from None
    return value if isinstance(value, str) else json.dumps(value)
