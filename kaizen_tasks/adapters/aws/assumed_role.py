"""Credentials of a role in another account, and what is wrong when the role cannot be assumed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import frozen

from kaizen_tasks.adapters.aws.failed_call import ACCESS_DENIED_CODES
from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.errors import Denied, KaizenError

if TYPE_CHECKING:
    from botocore.credentials import DeferredRefreshableCredentials


@frozen(kw_only=True)
class AssumedRole:
    """A role that a caller of another account, or of another profile, assumes for an hour at a time.

    Attributes:
        arn: the role: `arn:aws:iam::210987654321:role/kaizen-release`.
        session_name: returns who releases, as the account's CloudTrail shall show it.
        external_id: what the role's trust policy requires, or empty.
        environment: an environment whose target the role is, for hints.
    """

    arn: str
    session_name: Callable[[], str]
    external_id: str = ""
    environment: str = ""

    def credentials(self, source: Aws) -> DeferredRefreshableCredentials:
        """Return credentials of the role, which are requested when they are first used, and again before they expire.

        Args:
            source: clients of the caller who assumes the role.
        """
        from botocore.credentials import DeferredRefreshableCredentials

        return DeferredRefreshableCredentials(refresh_using=lambda: self._assume(source), method="assume-role")

    def _assume(self, source: Aws) -> dict[str, object]:
        """Return new credentials in the form that botocore's refreshable ones take.

        Raises:
            Denied: the caller may not assume the role, or the caller's own credentials are missing, expired or those
                of another account than configured.
        """
        from botocore.exceptions import ClientError

        source.require_account()
        request: dict[str, Any] = {"RoleArn": self.arn, "RoleSessionName": self.session_name()}
        if self.external_id:
            request["ExternalId"] = self.external_id
        with aws_errors(f"assume the role {self.arn}", aws=source):
            try:
                issued = source.sts().assume_role(**request)["Credentials"]
            except ClientError as error:
                if error.response["Error"]["Code"] in ACCESS_DENIED_CODES:
                    raise self._denied(source) from error
                raise
        return {
            "access_key": issued["AccessKeyId"],
            "secret_key": issued["SecretAccessKey"],
            "token": issued["SessionToken"],
            "expiry_time": issued["Expiration"].isoformat(),
        }

    def _denied(self, source: Aws) -> Denied:
        caller = "the caller"
        with suppress(KaizenError):
            caller = source.principal()
        external_id = f" with the external id {self.external_id}" if self.external_id else ""
        policies = "its trust policy must admit the caller, and a policy of the caller must allow sts:AssumeRole"
        env = f"--env {self.environment}" if self.environment else ""
        return Denied(
            f"{caller} may not assume {self.arn}{external_id}",
            state=f"nothing was read from account {self.arn.split(':')[4]}",
            hint=f"{policies}; print both: inv setup --print-iam {env}".rstrip(),
        )
