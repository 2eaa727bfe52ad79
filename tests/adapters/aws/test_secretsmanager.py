"""Secrets Manager, on the local cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.aws import secretsmanager
from kaizen_tasks.adapters.aws.secretsmanager import SecretsManager
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.errors import PushFailed, Refused
from kaizen_tasks.ports.secrets import Secret
from tests.adapters.conftest import ACCOUNT, REGION
from tests.contracts import secrets as contract
from tests.contracts.secrets import NAME, SecretsContract, new, write

if TYPE_CHECKING:
    from tests.support.local_cloud import Cloud


@pytest.fixture
def secrets(aws: Aws) -> SecretsManager:
    client = aws.secretsmanager()
    client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
    client.create_secret(Name=NAME, SecretString="{}")
    return SecretsManager(aws)


def refuse_once(cloud: Cloud, operation: str, code: str) -> None:
    """Make the next call of an operation fail."""
    match = {"service": "secretsmanager", "operation": operation}
    cloud.inject_fault(match, {"error": {"code": code, "status": 400}})


class TestSecretsManager(SecretsContract):
    def test_staging_label_is_on_the_last_written_version(self, secrets: SecretsManager, aws: Aws) -> None:
        write(secrets, "one")
        last = write(secrets, "two")

        labels = aws.secretsmanager().describe_secret(SecretId=NAME)["VersionIdsToStages"]

        assert set(labels[last]) == {"AWSCURRENT", secretsmanager.STAGING_LABEL}

    def test_staged_version_is_not_current(self, secrets: SecretsManager, aws: Aws) -> None:
        """This is the state after a run was killed between the two calls."""
        aws.secretsmanager().put_secret_value(
            SecretId=NAME, SecretString="staged", ClientRequestToken=new(), VersionStages=[secretsmanager.STAGING_LABEL]
        )
        assert contract.text(secrets) == "{}"

        write(secrets, "next")

        assert contract.text(secrets) == "next"

    def test_version_written_by_the_console_is_current(self, secrets: SecretsManager, aws: Aws) -> None:
        ours = write(secrets, "ours")
        aws.secretsmanager().put_secret_value(SecretId=NAME, SecretString="console")

        assert contract.text(secrets) == "console"
        assert getattr(secrets.previous(NAME), "version", "") == ours

    def test_binary_secret_is_refused(self, secrets: SecretsManager, aws: Aws) -> None:
        aws.secretsmanager().put_secret_value(SecretId=NAME, SecretBinary=b"bytes")

        with pytest.raises(Refused, match="holds bytes"):
            secrets.current(NAME)

    @pytest.mark.parametrize("code", sorted(secretsmanager.THROTTLING_CODES))
    def test_write_quota_is_explained(
        self, secrets: SecretsManager, cloud: Cloud, code: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kaizen_tasks.adapters.aws.session.TOTAL_ATTEMPTS", 1)
        secrets = SecretsManager(Aws(region=REGION, profile="", account=ACCOUNT))
        refuse_once(cloud, "PutSecretValue", code)

        with pytest.raises(Refused, match=f"does not accept another version of {NAME} now: {code}") as refused:
            secrets.write(NAME, Secret("hush"), version=new(), expected_current=secrets.current(NAME).version)

        assert "ten minutes" in refused.value.state
        assert "hush" not in str(refused.value)

    def test_rejected_label_move_raises_the_reason_of_aws(self, secrets: SecretsManager) -> None:
        """The current version has not changed; AWS rejects the request for another reason."""
        with pytest.raises(PushFailed, match="Not a valid version"):
            secrets.restore(NAME, version=new(), expected_current=secrets.current(NAME).version)

        assert contract.text(secrets) == "{}"
