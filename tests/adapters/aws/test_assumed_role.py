"""Credentials of a role in another account: how often they are requested, in whose name, and why they are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from kaizen_tasks.adapters.aws.assumed_role import AssumedRole
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.errors import Denied
from tests.support.scripted_server import Reply, Request, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME, TARGET = "123456789012", "210987654321"
ROLE = f"arn:aws:iam::{TARGET}:role/release"
CALLER = f"arn:aws:iam::{HOME}:user/ada"
POLICIES = "its trust policy must admit the caller, and a policy of the caller must allow sts:AssumeRole"
IDENTITY = """<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{arn}</Arn><Account>{account}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""
ISSUED = """<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>
<SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>{expiration}</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>"""
ERROR = "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"


def _question(request: Request) -> str:
    """Return the operation, and whether the role asks it."""
    by_role = " by the role" if "Credential=ASIAROLE/" in request.headers.get("Authorization", "") else ""
    return _form(request)["Action"] + by_role


def _form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def _identity(account: str, arn: str) -> list[Reply]:
    return [Reply(body=IDENTITY.format(arn=arn, account=account).encode())]


def _issued(**lifetime: float) -> Reply:
    return Reply(body=ISSUED.format(expiration=(datetime.now(UTC) + timedelta(**lifetime)).isoformat()).encode())


def _error(code: str) -> list[Reply]:
    return [Reply(status=403, body=ERROR.format(code=code).encode())]


@pytest.mark.integration
class TestAssumedRole:
    @pytest.fixture
    def sts(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
        """An STS that knows the caller, and lets the role be assumed for an hour."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAHOME")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        script = {
            "GetCallerIdentity": _identity(HOME, CALLER),
            "GetCallerIdentity by the role": _identity(TARGET, f"arn:aws:sts::{TARGET}:assumed-role/release/ada.coach"),
            "AssumeRole": [_issued(hours=1)],
        }
        with ScriptedServer(script, question=_question) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
            yield server

    @pytest.fixture
    def home(self, sts: ScriptedServer) -> Aws:
        return Aws(region="eu-west-1", profile="", account=HOME)

    def target(self, home: Aws, *, account: str = TARGET, external_id: str = "") -> Aws:
        role = AssumedRole(arn=ROLE, external_id=external_id, session_name=lambda: "ada.coach", environment="prod")
        return Aws(
            region="eu-central-1", profile="", account=account, source=home, role=role, table="environments.prod"
        )

    def test_role_is_assumed_once_and_guarded_once_for_all_its_clients(self, sts: ScriptedServer, home: Aws) -> None:
        target = self.target(home)

        target.ecr()
        target.apprunner()
        target.secretsmanager()

        assert [_question(request) for request in sts.requests] == [
            "GetCallerIdentity",
            "AssumeRole",
            "GetCallerIdentity by the role",
        ]

    def test_session_says_who_releases(self, sts: ScriptedServer, home: Aws) -> None:
        self.target(home).account_id()

        form = _form(sts.asked("AssumeRole")[0])
        assert (form["RoleArn"], form["RoleSessionName"]) == (ROLE, "ada.coach")
        assert "ExternalId" not in form

    def test_external_id_is_sent(self, sts: ScriptedServer, home: Aws) -> None:
        self.target(home, external_id="coach-prod").account_id()

        assert _form(sts.asked("AssumeRole")[0])["ExternalId"] == "coach-prod"

    def test_credentials_are_renewed_before_they_expire(self, sts: ScriptedServer, home: Aws) -> None:
        sts.script["AssumeRole"] = [_issued(minutes=5), _issued(hours=1)]
        credentials = self.target(home).credentials()
        assert credentials is not None

        for _ in range(3):
            credentials.get_frozen_credentials()

        assert len(sts.asked("AssumeRole")) == 2

    def test_denied_role_names_caller_role_and_the_command_that_prints_both_policies(
        self, sts: ScriptedServer, home: Aws
    ) -> None:
        sts.script["AssumeRole"] = _error("AccessDenied")

        with pytest.raises(Denied) as caught:
            self.target(home, external_id="coach-prod").ecr()

        assert str(caught.value).splitlines() == [
            f"{CALLER} may not assume {ROLE} with the external id coach-prod",
            f"nothing was read from account {TARGET}",
            f"{POLICIES}; print both: inv setup --print-iam --env prod",
        ]

    def test_expired_credentials_of_the_caller_are_not_a_matter_of_the_role(
        self, sts: ScriptedServer, home: Aws
    ) -> None:
        sts.script["AssumeRole"] = _error("ExpiredToken")

        with pytest.raises(Denied, match="your AWS credentials have expired: cannot assume the role") as caught:
            self.target(home).ecr()

        assert "log in again" in caught.value.hint

    def test_caller_of_a_wrong_account_does_not_assume_the_role(self, sts: ScriptedServer) -> None:
        home = Aws(region="eu-west-1", profile="", account="999999999999")

        with pytest.raises(Denied, match=f"belong to account {HOME}, but 999999999999 is configured"):
            self.target(home).ecr()

        assert sts.asked("AssumeRole") == []

    def test_role_of_a_wrong_account_is_refused_before_anything_is_read(self, home: Aws) -> None:
        with pytest.raises(Denied, match=f"belong to account {TARGET}, but 999999999999 is configured") as caught:
            self.target(home, account="999999999999").ecr()

        assert caught.value.hint == "correct account or role of [environments.prod] in the configuration"

    def test_another_region_of_the_same_account_takes_the_same_credentials(
        self, sts: ScriptedServer, home: Aws
    ) -> None:
        abroad = Aws(region="eu-central-1", profile="", account=HOME, source=home)

        assert (abroad.account_id(), home.account_id()) == (HOME, HOME)
        assert abroad.credentials() is home.credentials()
        assert abroad.ecr().meta.region_name == "eu-central-1"
        assert len(sts.requests) == 1

    def test_credentials_of_another_account_than_an_environments_say_what_is_missing(self, home: Aws) -> None:
        stranger = Aws(region="eu-west-1", profile="", account=TARGET, source=home, table="environments.prod")

        with pytest.raises(Denied) as caught:
            stranger.ecr()

        assert (
            caught.value.hint == "correct account, or set role or profile, of [environments.prod] in the configuration"
        )
