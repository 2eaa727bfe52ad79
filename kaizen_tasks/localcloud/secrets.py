"""Secrets Manager beyond moto: what moto gets wrong, and how App Runner reads secrets for an application."""

from __future__ import annotations

import functools
import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from kaizen_tasks.errors import DeployFailed

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.elsewhere import Elsewhere

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


def correct_moto() -> None:
    """Let moto move AWSCURRENT as AWS does.

    moto 5.2.5 goes on answering with the version before when no stage is named, and then gives AWSPREVIOUS to a wrong
    one; and a move to a version that does not exist takes the label away before it is refused.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
    """
    from moto.secretsmanager.exceptions import InvalidParameterException
    from moto.secretsmanager.models import SecretsManagerBackend

    move = SecretsManagerBackend.update_secret_version_stage
    if hasattr(move, "__wrapped__"):
        return

    @functools.wraps(move)
    def corrected(
        self: Any, secret_id: str, version_stage: str, remove_from_version_id: str, move_to_version_id: str
    ) -> tuple[str, str]:
        secret = self.secrets.get(secret_id)
        if secret is not None and move_to_version_id and move_to_version_id not in secret.versions:
            raise InvalidParameterException(f"Not a valid version: {move_to_version_id}")
        moved: tuple[str, str] = move(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
        if version_stage == "AWSCURRENT" and move_to_version_id:
            self.secrets[secret_id].set_default_version_id(move_to_version_id)
        return moved

    SecretsManagerBackend.update_secret_version_stage = corrected  # type: ignore[method-assign]  # moto has no other way in
