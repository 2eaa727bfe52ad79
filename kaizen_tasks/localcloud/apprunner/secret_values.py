"""How App Runner reads secrets for an application."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from kaizen_tasks.errors import DeployFailed

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.moto.backend import Elsewhere

# https://docs.aws.amazon.com/apprunner/latest/dg/env-variable-manage.html: a secret's ARN, then optionally a key of
# its JSON, a staging label and a version.
REFERENCE = re.compile(
    r"(?P<arn>arn:[\w-]+:secretsmanager:(?P<region>[\w-]+):\d{12}:secret:[\w/+=.@-]+)"
    r"(:(?P<key>[^:]*):(?P<stage>[^:]*):(?P<version>[^:]*))?"
)


class SecretValues:
    """Reads what `RuntimeEnvironmentSecrets` refers to.

    Args:
        elsewhere: has Secrets Manager.
    """

    def __init__(self, elsewhere: Elsewhere) -> None:
        self._elsewhere = elsewhere

    def value(self, reference: str) -> str:
        """Return what an application gets for a reference.

        Raises:
            DeployFailed: there is no such secret, or it has no such key.
        """
        parts = REFERENCE.fullmatch(reference)
        if parts is None:
            raise DeployFailed(f"Failed to fetch the secret {reference}: it is not the ARN of a secret.")
        wanted = {"SecretId": parts["arn"], "VersionStage": parts["stage"] or "AWSCURRENT"}
        if parts["version"]:
            wanted = {"SecretId": parts["arn"], "VersionId": parts["version"]}
        answer = self._elsewhere.ask("secretsmanager", parts["region"], "secretsmanager.GetSecretValue", wanted)
        if answer.status != HTTPStatus.OK or not isinstance(answer.body, bytes):
            raise DeployFailed(f"Failed to fetch the secret {parts['arn']}.")
        text = str(json.loads(answer.body)["SecretString"])
        return _member(text, parts["key"], parts["arn"]) if parts["key"] else text


def _member(text: str, key: str, arn: str) -> str:
    try:
        value = json.loads(text)[key]
    except (ValueError, LookupError, TypeError):
        raise DeployFailed(f"Failed to fetch the secret {arn}: it has no key {key}.") from None
    return value if isinstance(value, str) else json.dumps(value)
