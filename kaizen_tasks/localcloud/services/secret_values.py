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

PARAMETER_REFERENCE = re.compile(r"arn:[\w-]+:ssm:(?P<region>[\w-]+):\d{12}:parameter/(?P<path>[\w./-]+)", re.ASCII)
"""The ARN of a parameter of Systems Manager, whose name may begin with a slash or not."""

_PARAMETER_NAME = re.compile(r"[\w./-]+", re.ASCII)


def is_secret_reference(text: str) -> bool:
    """Return whether a text is the ARN of a secret or of a parameter."""
    return bool(SECRET_REFERENCE.fullmatch(text) or PARAMETER_REFERENCE.fullmatch(text))


class SecretResolver:
    """Reads secrets from Secrets Manager, and parameters from Systems Manager.

    Args:
        moto: the backend with both.
        region: the region of parameters that are referred to by their name.
    """

    def __init__(self, moto: MotoBackend, region: str) -> None:
        self._moto = moto
        self._region = region

    def resolve(self, reference: str) -> str:
        """Return the value that a reference refers to: the ARN of a secret or a parameter, or a parameter's name.

        Raises:
            DeployFailed: the secret or its key, or the parameter, does not exist.
        """
        if match := SECRET_REFERENCE.fullmatch(reference):
            return self._read_secret(match)
        if match := PARAMETER_REFERENCE.fullmatch(reference):
            return self._read_parameter(match["region"], match["path"], f"/{match['path']}")
        if _PARAMETER_NAME.fullmatch(reference):
            return self._read_parameter(self._region, reference)
        raise DeployFailed(f"Failed to fetch the secret {reference}: it is not the ARN of a secret.")

    def _read_parameter(self, region: str, *names: str) -> str:
        for name in names:
            query = {"Name": name, "WithDecryption": True}
            response = self._moto.query("ssm", region, "AmazonSSM.GetParameter", query)
            if response.status == HTTPStatus.OK and isinstance(response.body, bytes):
                return str(json.loads(response.body)["Parameter"]["Value"])
        raise DeployFailed(f"Failed to fetch the parameter {names[-1]}.")

    def _read_secret(self, match: re.Match[str]) -> str:
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
