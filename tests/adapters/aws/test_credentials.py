"""Credentials that cannot be had: each cause has an error of its own, and no source waits for ever."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.aws import credentials
from kaizen_tasks.adapters.aws.credentials import choose_profile
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.errors import Denied
from tests.support.scripted_server import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "TOP-SECRET"
KEYS = f"aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {SECRET}\n"
ROLE = "role_arn = arn:aws:iam::123456789012:role/deploy\n"
MFA = f"[profile base]\n{KEYS}[profile work]\n{ROLE}source_profile = base\nmfa_serial = arn:aws:iam::1:mfa/ada\n"
SSO = "[profile work]\nsso_start_url = https://x.awsapps.com/start\nsso_region = eu-west-1\nsso_account_id = 1\n"
WORK = {"AWS_PROFILE": "work"}
DENIED_ROLE = b"""<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>
<Message>User: ada is not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>"""


def process(command: str) -> str:
    """Return a profile whose credentials come from a program."""
    return f"[profile work]\ncredential_process = {command}\n"


def output(**members: object) -> str:
    """Return a profile whose program prints a JSON document."""
    return process(f"echo '{json.dumps(members)}'")


@pytest.mark.integration
class TestErrors:
    @pytest.fixture(autouse=True)
    def _sts(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """An STS that lets nobody assume a role."""
        with ScriptedServer({"POST /": [Reply(status=403, body=DENIED_ROLE)]}) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
            yield

    @pytest.fixture(autouse=True)
    def _no_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(credentials, "_has_terminal", lambda: False)

    @pytest.mark.parametrize(
        ("config", "variables", "message", "hint"),
        [
            ("", {}, "Unable to locate credentials", "aws configure sso"),
            ("", WORK, "profile (work) could not be found", "aws configure sso"),
            ("[profile wrok]\n", WORK, "profile (work) could not be found", "AWS_PROFILE=wrok"),
            ("[profile home]\n", WORK, "profile (work) could not be found", "set AWS_PROFILE to one of home"),
            ("[profile work\nx", WORK, "Unable to parse config file", "correct that file"),
            (
                process("/no/such/helper"),
                WORK,
                "credential_process: /no/such/helper: No such file",
                "credential_process",
            ),
            (process("/etc/passwd"), WORK, "credential_process: /etc/passwd: Permission denied", "credential_process"),
            (process("sh -c 'echo expired >&2; exit 3'"), WORK, "custom-process: expired", "credential_process"),
            (process(f"echo {SECRET}"), WORK, "credential_process: it is not JSON", "credential_process"),
            (process("echo []"), WORK, "credential_process: it is not JSON", "credential_process"),
            (process("sh -c 'x"), WORK, "credential_process: No closing quotation", "credential_process"),
            (output(Version=1), WORK, "Missing required key in response: 'AccessKeyId'", "credential_process"),
            (output(Version=2), WORK, "Unsupported version '2'", "credential_process"),
            (
                output(Version=1, AccessKeyId="a", SecretAccessKey=SECRET, SessionToken="t", Expiration="soon"),
                WORK,
                "credential_process: ",
                "credential_process",
            ),
            (
                output(Version=1, AccessKeyId="a", SecretAccessKey=SECRET, SessionToken="t", Expiration="2020-01-01"),
                WORK,
                "",
                "",
            ),
            (MFA, WORK, "wants an MFA code of arn:aws:iam::1:mfa/ada, and there is no terminal", "export-credentials"),
            (MFA.replace("mfa_serial", "x"), WORK, "not authorized to perform: sts:AssumeRole", "this permission"),
            (f"[profile work]\n{ROLE}source_profile = base\n", WORK, 'The source_profile "base"', "aws configure sso"),
            (SSO + "sso_role_name = dev\n", WORK, "SSO", "aws sso login --profile work"),
            ("", {"AWS_ACCESS_KEY_ID": "AKIA"}, "missing: AWS_SECRET_ACCESS_KEY", "aws configure sso"),
            (
                "",
                {"AWS_ACCESS_KEY_ID": "AKIA\n", "AWS_SECRET_ACCESS_KEY": SECRET},
                "has a character that it cannot have",
                "without line breaks",
            ),
            (
                "",
                {"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/token", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/ci"},
                "AWS_WEB_IDENTITY_TOKEN_FILE: /no/token: No such file or directory",
                "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN",
            ),
            (
                "",
                {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://elsewhere.example/"},
                "Unsupported host 'elsewhere.example'",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            ),
            (
                "",
                {"AWS_METADATA_SERVICE_TIMEOUT": "soon"},
                "invalid literal for int() with base 10: 'soon'",
                "AWS_* variables",
            ),
        ],
    )
    def test_each_cause_is_named(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        config: str,
        variables: dict[str, str],
        message: str,
        hint: str,
    ) -> None:
        error = self.failure(monkeypatch, tmp_path, config, variables)

        assert message in error.message
        assert hint in error.hint
        assert str(error).count("\n") <= 2
        assert SECRET not in str(error)

    def test_program_that_takes_too_long_is_ended(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(credentials, "PROCESS_TIMEOUT_SECONDS", 0.05)

        error = self.failure(monkeypatch, tmp_path, process("sleep 1000"), WORK)

        assert "the program of credential_process takes more than" in error.message

    def failure(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: str, variables: dict[str, str]
    ) -> Denied:
        path = tmp_path / "config"
        path.write_text(config)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(Denied) as caught:
            Aws(region="eu-west-1", profile="", account="").account_id()
        return caught.value


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "laptop"),
        ({"AWS_PROFILE": "ci"}, ""),
        ({"AWS_DEFAULT_PROFILE": "ci"}, ""),
        ({"AWS_ACCESS_KEY_ID": "AKIA"}, ""),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/token"}, ""),
        ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"}, ""),
        ({"AWS_PROFILE": ""}, "laptop"),
        ({"AWS_REGION": "eu-west-1"}, "laptop"),
        ({"INVOKE_AWS_PROFILE": "laptop", "AWS_PROFILE": "ci"}, "laptop"),
    ],
)
def test_variables_win_over_the_configured_profile(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert choose_profile("laptop") == expected


def test_rejected_credentials_of_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(credentials.OVERRIDE_VARIABLE, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "wrong")
    assert credentials.rejection_hint().startswith("set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and ")

    monkeypatch.setenv(credentials.OVERRIDE_VARIABLE, "work")
    assert credentials.rejection_hint() == "check AWS_PROFILE, or log in again: aws sso login"
