"""The AWS session: accepted credentials, and the meaning of errors."""

from __future__ import annotations

import io
import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, cast

import botocore.exceptions
import botocore.parsers
import pytest

from kaizen_tasks.adapters.aws.session import Aws, _Caller, aws_errors
from kaizen_tasks.errors import (
    ConfigurationError,
    Denied,
    DeployFailed,
    KaizenError,
    NotFound,
    PushFailed,
    Refused,
    Unreachable,
)
from kaizen_tasks.wiring import Toolbox
from tests.adapters.conftest import ACCOUNT, REGION
from tests.fakes.tools import settings
from tests.support.scripted_server import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.local_cloud import Cloud


def _told_time(aws: Aws, *, ahead: timedelta) -> Aws:
    """Return a session to which STS has told the time, which is ahead of this machine's."""
    now = datetime.now(UTC)
    aws._caller = _Caller(
        account=ACCOUNT, arn="arn:aws:iam::1:user/ada", answered_at=now + ahead, received_at=now, received_monotonic=0.0
    )
    return aws


class TestClock:
    @pytest.mark.parametrize("minutes", [-5, 5, 60])
    def test_offset_is_the_difference_of_the_clocks(self, minutes: int) -> None:
        ahead = timedelta(minutes=minutes)

        assert _told_time(Aws(region=REGION, profile="", account=""), ahead=ahead).clock_offset() == ahead

    def test_offset_below_the_precision_of_the_header_is_none(self) -> None:
        aws = Aws(region=REGION, profile="", account="")
        assert aws.clock_offset() == timedelta(0)

        assert _told_time(aws, ahead=timedelta(seconds=1.9)).clock_offset() == timedelta(0)

    def test_toolbox_tells_the_time_of_aws(self) -> None:
        """What is written into the table, and the ages that people see, must not depend on this machine's clock."""
        tools = Toolbox(settings(), dry=False, draft=True, stream=io.StringIO())
        _told_time(cast("Aws", tools.identity), ahead=timedelta(minutes=-5))

        assert abs(tools.clock.now() - datetime.now(UTC) + timedelta(minutes=5)) < timedelta(minutes=1)

    @pytest.mark.parametrize(("minutes", "skew"), [(7, "7m ahead"), (-12, "12m behind")])
    @pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "InvalidSignatureException", "RequestExpired"])
    def test_signature_of_a_wrong_time_says_that_the_clock_is_wrong(self, minutes: int, skew: str, code: str) -> None:
        date = format_datetime(datetime.now(UTC) - timedelta(minutes=minutes), usegmt=True)
        metadata = {"HTTPStatusCode": 403, "HTTPHeaders": {"date": date}}
        response: Any = {"Error": {"Code": code, "Message": "Signature expired"}, "ResponseMetadata": metadata}

        with pytest.raises(Denied) as caught, aws_errors("start a deployment of web"):
            raise botocore.exceptions.ClientError(response, "StartDeployment")

        assert str(caught.value).splitlines() == [
            "cannot start a deployment of web: AWS refuses requests because this machine's clock is " + skew,
            "set this machine's clock: timedatectl set-ntp true; then run the same command again",
        ]


class TestGuard:
    def test_account_id_is_that_of_the_credentials(self, aws: Aws) -> None:
        assert aws.account_id() == ACCOUNT

    def test_refuses_another_account_before_anything_else_is_asked(self, credentials: None, cloud: Cloud) -> None:
        before = len(cloud.requests)
        stranger = Aws(region=REGION, profile="", account="999999999999")

        for use in (stranger.account_id, stranger.ecr, stranger.apprunner, stranger.dynamodb):
            with pytest.raises(Denied, match=f"belong to account {ACCOUNT}, but 999999999999 is configured"):
                use()

        assert {"sts"} == {request["service"] for request in cloud.requests[before:]}

    def test_any_account_is_accepted_when_none_is_configured(self, credentials: None) -> None:
        assert Aws(region=REGION, profile="", account="").account_id() == ACCOUNT

    def test_asks_once_and_opens_each_client_once_from_many_threads(self, credentials: None, cloud: Cloud) -> None:
        aws, before = Aws(region=REGION, profile="", account=ACCOUNT), len(cloud.requests)
        opened: list[object] = []
        threads = [threading.Thread(target=lambda: opened.append(aws.ecr())) for _ in range(8)]

        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(opened) == 8
        assert len(set(map(id, opened))) == 1
        assert len(cloud.requests) == before + 1

    def test_exception_classes_are_built_before_threads_share_a_client(
        self, aws: Aws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Threads that make botocore build them at the same moment would get classes of their own."""
        client = aws.secretsmanager()
        monkeypatch.delattr("botocore.errorfactory.ClientExceptionsFactory.create_client_exceptions")

        assert issubclass(client.exceptions.InvalidParameterException, Exception)

    def test_missing_credentials_are_denied(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)

        with pytest.raises(Denied, match="Unable to locate credentials") as caught:
            Aws(region=REGION, profile="", account=ACCOUNT).ecr()

        assert "aws configure" in caught.value.hint

    def test_unknown_profile_is_denied(self, credentials: None) -> None:
        with pytest.raises(Denied, match="nowhere"):
            Aws(region=REGION, profile="nowhere", account=ACCOUNT).account_id()

    def test_profile_is_used(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        config = tmp_path / "config"
        key, secret = cloud.environ["AWS_ACCESS_KEY_ID"], cloud.environ["AWS_SECRET_ACCESS_KEY"]
        config.write_text(f"[profile ci]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)

        assert Aws(region=REGION, profile="ci", account=ACCOUNT).account_id() == ACCOUNT

    @pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"])
    @pytest.mark.parametrize(
        "value", ["banana", "http://", "http://127.0.0.1:banana", "http://127.0.0.1:99999", "http://[::1", "ftp://web"]
    )
    def test_invalid_endpoint_is_a_configuration_error_of_its_variable(
        self, credentials: None, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
    ) -> None:
        monkeypatch.setenv(variable, value)

        with pytest.raises(ConfigurationError) as caught:
            Aws(region=REGION, profile="", account=ACCOUNT).account_id()

        assert str(caught.value).splitlines() == [
            f"{variable}: {value!r} is not the address of a server",
            f"set it to http://HOST:PORT or https://HOST, or: unset {variable}",
        ]

    @pytest.mark.parametrize("body", [b"", b"<html><br></html>", b"<html></html>", b"{}", b"hello"])
    def test_server_that_is_not_aws_is_unreachable(
        self, credentials: None, monkeypatch: pytest.MonkeyPatch, body: bytes
    ) -> None:
        with ScriptedServer() as server:
            server.script["POST /"] = [Reply(body=body)]
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)

            with pytest.raises(Unreachable) as caught:
                Aws(region=REGION, profile="", account=ACCOUNT).account_id()

        assert str(caught.value).splitlines() == [
            f"cannot check the AWS credentials: {server.url} does not answer as AWS does",
            f"correct AWS_ENDPOINT_URL ({server.url}), or: unset AWS_ENDPOINT_URL",
        ]

    def test_stopped_local_cloud_is_named_by_its_variable(
        self, credentials: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        with ScriptedServer() as gone:
            monkeypatch.setenv("AWS_ENDPOINT_URL", gone.url)

        with pytest.raises(Unreachable) as caught:
            Aws(region=REGION, profile="", account=ACCOUNT).account_id()

        start = "start a local cloud with inv local.up"
        hint = f"nothing answers at AWS_ENDPOINT_URL ({gone.url}); {start}, or: unset AWS_ENDPOINT_URL"
        assert caught.value.hint == hint

    def test_malformed_region_is_a_configuration_error(self, credentials: None) -> None:
        with pytest.raises(ConfigurationError, match="region_name 'ba,na'") as caught:
            Aws(region="ba,na", profile="", account=ACCOUNT).account_id()

        assert "aws.region" in caught.value.hint


class TestErrors:
    """Errors of App Runner, from a scripted server."""

    @pytest.fixture
    def server(self) -> Iterator[ScriptedServer]:
        with ScriptedServer() as server:
            yield server

    @pytest.fixture
    def scripted(self, server: ScriptedServer, credentials: None, monkeypatch: pytest.MonkeyPatch) -> Aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL_APPRUNNER", server.url)
        return Aws(region=REGION, profile="", account=ACCOUNT)

    @pytest.mark.parametrize(
        ("code", "meaning"),
        [
            ("ExpiredTokenException", Denied),
            ("UnrecognizedClientException", Denied),
            ("AccessDeniedException", Denied),
            ("ResourceNotFoundException", NotFound),
            ("InvalidRequestException", Refused),
        ],
    )
    def test_error_type_follows_the_code(
        self, server: ScriptedServer, scripted: Aws, code: str, meaning: type[KaizenError]
    ) -> None:
        server.script["POST /"] = [_error(code, "first line\n  second line")]

        caught = _attempt(scripted)

        assert meaning is type(caught)
        prefix = "your AWS credentials have expired: " if code == "ExpiredTokenException" else ""
        assert caught.message == f"{prefix}cannot list the services: {code}: first line second line"
        assert caught.__cause__ is not None

    def test_server_errors_are_tried_five_times(
        self, server: ScriptedServer, scripted: Aws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        server.script["POST /"] = [_error("InternalServiceErrorException", "", status=500)]

        assert type(_attempt(scripted)) is Unreachable
        assert len(server.requests) == 5

    def test_says_that_a_change_may_have_taken_effect(
        self, server: ScriptedServer, scripted: Aws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        server.script["POST /"] = [Reply(breaks=True)]

        caught = _attempt(scripted, otherwise=DeployFailed)

        assert type(caught) is DeployFailed
        assert caught.state == "it may have taken effect"

    def test_rejected_change_raises_the_error_of_the_caller(self, server: ScriptedServer, scripted: Aws) -> None:
        server.script["POST /"] = [_error("InvalidRequestException", "no")]

        caught = _attempt(scripted, otherwise=PushFailed)

        assert type(caught) is PushFailed
        assert not caught.state

    def test_connection_failure_is_unreachable(
        self, server: ScriptedServer, credentials: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        with ScriptedServer() as gone:
            monkeypatch.setenv("AWS_ENDPOINT_URL_APPRUNNER", gone.url)

        caught = _attempt(Aws(region=REGION, profile="", account=ACCOUNT), otherwise=DeployFailed)

        assert type(caught) is Unreachable

    @pytest.mark.parametrize(
        ("name", "arguments", "error_type"),
        [
            ("NoCredentialsError", {}, Denied),
            ("LoginAuthorizationCodeError", {"error_msg": "no"}, Denied),
            ("SSOTokenLoadError", {"error_msg": "no"}, Denied),
            ("InfiniteLoopConfigError", {"source_profile": "a", "visited_profiles": ["a"]}, Denied),
            ("MissingDependencyException", {"msg": "no"}, Denied),
            ("InvalidRetryModeError", {"provided_retry_mode": "x", "valid_modes": "y"}, ConfigurationError),
            ("EndpointResolutionError", {"msg": "no"}, ConfigurationError),
            ("UnknownFIPSEndpointError", {"region_name": "x", "service_name": "y"}, ConfigurationError),
            ("IncompleteReadError", {"actual_bytes": 1, "expected_bytes": 2}, Unreachable),
            ("ReadTimeoutError", {"endpoint_url": "http://web"}, Unreachable),
            ("SSLError", {"endpoint_url": "http://web", "error": "no"}, Unreachable),
            ("ParamValidationError", {"report": "no"}, Refused),
        ],
    )
    def test_error_type_follows_botocores_class(
        self, name: str, arguments: dict[str, object], error_type: type[KaizenError]
    ) -> None:
        with pytest.raises(KaizenError) as caught, aws_errors("list the services"):
            raise getattr(botocore.exceptions, name)(**arguments)

        assert type(caught.value) is error_type

    def test_unreadable_response_to_a_change_may_have_had_an_effect(self) -> None:
        error = botocore.parsers.ResponseParserError("invalid XML")

        with pytest.raises(DeployFailed) as caught, aws_errors("deploy", change_error=DeployFailed):
            raise error

        assert caught.value.state == "it may have taken effect"

    @pytest.mark.parametrize(
        ("code", "change", "is_without_effect"),
        [
            ("AccessDeniedException", DeployFailed, True),
            ("InvalidRequestException", DeployFailed, True),
            ("UnknownOperationException", DeployFailed, True),
            ("AccessDeniedException", None, False),
            ("ExpiredTokenException", DeployFailed, False),
        ],
    )
    def test_refused_change_is_without_effect(
        self,
        server: ScriptedServer,
        scripted: Aws,
        code: str,
        change: type[KaizenError] | None,
        is_without_effect: bool,
    ) -> None:
        """A read says nothing about a change; without valid credentials nothing else can be done either."""
        server.script["POST /"] = [_error(code, "no")]

        assert _attempt(scripted, otherwise=change).is_without_effect is is_without_effect

    @pytest.mark.parametrize(
        ("status", "code", "attempts"),
        [(500, "InternalFailure", 0), (400, "ThrottlingException", 0), (403, "AccessDenied", 1)],
    )
    def test_change_without_a_certain_answer_may_have_had_an_effect(
        self, status: int, code: str, attempts: int
    ) -> None:
        """A refusal of the second attempt says nothing about the first one, whose answer was lost."""
        metadata = {"HTTPStatusCode": status, "RetryAttempts": attempts}
        response: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": metadata}

        with pytest.raises(KaizenError) as caught, aws_errors("deploy", change_error=DeployFailed):
            raise botocore.exceptions.ClientError(response, "StartDeployment")

        assert not caught.value.is_without_effect

    def test_not_found_has_the_hint_of_the_caller(self, server: ScriptedServer, scripted: Aws) -> None:
        server.script["POST /"] = [_error("ResourceNotFoundException", "no")]

        assert _attempt(scripted, missing="create it").hint == "create it"


def _attempt(aws: Aws, *, otherwise: type[KaizenError] | None = None, missing: str = "") -> KaizenError:
    """Return the error that an attempt ends in; it has three lines at most and shows no secret."""
    with (
        pytest.raises(KaizenError) as caught,
        aws_errors("list the services", change_error=otherwise, not_found_hint=missing),
    ):
        aws.apprunner().list_services()
    assert str(caught.value).count("\n") <= 2
    return caught.value


def _error(code: str, message: str, *, status: int = 400) -> Reply:
    return Reply(status=status, body=json.dumps({"__type": code, "message": message}).encode())
