"""Credentials of a role in another account: how often they are requested, in whose name, and why they are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.aws.assumed_role import AssumedRole
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.errors import Denied
from tests.support.scripted_sts import CALLER, HOME, ROLE, TARGET, error, form, issued, question, scripted_sts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scripted_server import ScriptedServer

POLICIES = "its trust policy must admit the caller, and a policy of the caller must allow sts:AssumeRole"


@pytest.mark.integration
class TestAssumedRole:
    @pytest.fixture
    def sts(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
        """An STS that knows the caller, and lets the role be assumed for an hour."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAHOME")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        with scripted_sts() as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
            yield server

    @pytest.fixture
    def home(self, sts: ScriptedServer) -> Aws:
        return Aws(region="eu-west-1", profile="", account=HOME)

    def target(self, home: Aws, *, account: str = TARGET, external_id: str = "") -> Aws:
        role = AssumedRole(arn=ROLE, external_id=external_id, session_name=lambda: "ada.coach", environment="prod")
        return Aws(
            region="eu-central-1",
            profile="",
            account=account,
            source=home,
            role_credentials=role.credentials,
            table="environments.prod",
        )

    def test_role_is_assumed_once_and_guarded_once_for_all_its_clients(self, sts: ScriptedServer, home: Aws) -> None:
        target = self.target(home)

        target.ecr()
        target.apprunner()
        target.secretsmanager()

        assert [question(request) for request in sts.requests] == [
            "GetCallerIdentity",
            "AssumeRole",
            "GetCallerIdentity by the role",
        ]

    def test_session_says_who_releases(self, sts: ScriptedServer, home: Aws) -> None:
        self.target(home).account_id()

        request = form(sts.asked("AssumeRole")[0])
        assert (request["RoleArn"], request["RoleSessionName"]) == (ROLE, "ada.coach")
        assert "ExternalId" not in request

    def test_external_id_is_sent(self, sts: ScriptedServer, home: Aws) -> None:
        self.target(home, external_id="coach-prod").account_id()

        assert form(sts.asked("AssumeRole")[0])["ExternalId"] == "coach-prod"

    def test_credentials_are_renewed_before_they_expire(self, sts: ScriptedServer, home: Aws) -> None:
        sts.script["AssumeRole"] = [issued(minutes=5), issued(hours=1)]
        credentials = self.target(home).credentials()
        assert credentials is not None

        for _ in range(3):
            credentials.get_frozen_credentials()

        assert len(sts.asked("AssumeRole")) == 2

    def test_denied_role_names_caller_role_and_the_command_that_prints_both_policies(
        self, sts: ScriptedServer, home: Aws
    ) -> None:
        sts.script["AssumeRole"] = error("AccessDenied")

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
        sts.script["AssumeRole"] = error("ExpiredToken")

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
