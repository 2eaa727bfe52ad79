"""Verification of signatures, with requests that botocore has signed."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from http.client import HTTPMessage
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from kaizen_tasks.localcloud.server.http_message import HttpRequest
from kaizen_tasks.localcloud.server.refusals import RequestRefused
from kaizen_tasks.localcloud.server.request_body import RequestBody
from kaizen_tasks.localcloud.signing.credentials import Credentials
from kaizen_tasks.localcloud.signing.sessions import Principal, Sessions
from kaizen_tasks.localcloud.signing.signatures import SignatureVerifier

if TYPE_CHECKING:
    from pathlib import Path

CREDENTIALS = Credentials(access_key_id="LOCAL0123456789ABCDE", secret_access_key="secret", control_token="token")
JSON_HEADERS = {"X-Amz-Target": "AppRunner.CreateService", "Content-Type": "application/x-amz-json-1.0"}
QUERY_HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
USER = Principal(account="123456789012", arn="arn:aws:iam::123456789012:user/local", user_id="AIDA")
VERIFIER = SignatureVerifier(credentials=CREDENTIALS, user=USER, sessions=Sessions("token"))


@attrs.frozen(kw_only=True)
class SignedRequest:
    """A request on its way."""

    headers: HTTPMessage
    method: str = "POST"
    target: str = "/"
    content: bytes = b"{}"

    @property
    def received(self) -> HttpRequest:
        """Return the request as the server sees it."""
        body = RequestBody(io.BufferedReader(io.BytesIO(self.content)), len(self.content))
        return HttpRequest(method=self.method, target=self.target, headers=self.headers, body=body)  # type: ignore[arg-type]

    def set_header(self, name: str, value: str) -> None:
        del self.headers[name]
        self.headers[name] = value


def sign(
    headers: dict[str, str],
    *,
    service: str = "apprunner",
    target: str = "/",
    content: bytes = b"{}",
    secret: str = "secret",
    key: str = CREDENTIALS.access_key_id,
    token: str | None = None,
    signer: type[auth.SigV4Auth] = auth.SigV4Auth,
) -> SignedRequest:
    """Sign a request, and add the headers that a client adds afterwards."""
    request = AWSRequest("POST", f"http://127.0.0.1:4000{target}", {**headers, "Host": "127.0.0.1:4000"}, content)
    signer(BotocoreCredentials(key, secret, token), service, "eu-west-1").add_auth(request)
    received = HTTPMessage()
    for name, value in (*request.headers.items(), ("User-Agent", "aws-cli"), ("amz-sdk-request", "attempt=1")):
        received[name] = value
    return SignedRequest(headers=received, target=target, content=content)


@pytest.mark.parametrize(
    ("service", "target", "headers"),
    [
        ("apprunner", "/", JSON_HEADERS),
        ("sts", "/", QUERY_HEADERS),
        ("lambda", "/2015-03-31/functions/a%20b/versions?Marker=x%2Fy&MaxItems=5&", {}),
    ],
)
def test_request_signed_by_botocore_is_verified(service: str, target: str, headers: dict[str, str]) -> None:
    signature = VERIFIER.verify(sign(headers, service=service, target=target).received)
    assert signature is not None
    assert (signature.service, signature.region) == (service, "eu-west-1")


def test_s3_request_is_verified_by_its_unescaped_path() -> None:
    assert VERIFIER.verify(sign({}, service="s3", target="/bucket/a%20b", signer=auth.S3SigV4Auth).received)


def test_session_token_is_part_of_the_signature() -> None:
    request = sign(JSON_HEADERS, token="of a session")
    assert VERIFIER.verify(request.received)
    request.set_header("X-Amz-Security-Token", "another")
    assert refusal(request)[1] == "InvalidSignatureException"


@pytest.mark.parametrize("authorization", ["", "Basic QVdTOng=", "Bearer x"])
def test_other_authorization_is_no_signature(authorization: str) -> None:
    request = sign(JSON_HEADERS)
    request.set_header("Authorization", authorization)
    assert VERIFIER.verify(request.received) is None


def test_body_of_an_unknown_key_is_not_read() -> None:
    request = sign(JSON_HEADERS, key="local").received
    with pytest.raises(RequestRefused):
        VERIFIER.verify(request)
    assert request.body.bytes_received == 0


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [(JSON_HEADERS, 400, "UnrecognizedClientException"), (QUERY_HEADERS, 403, "InvalidClientTokenId")],
)
def test_unknown_key_is_refused(headers: dict[str, str], status: int, code: str) -> None:
    message = "The security token included in the request is invalid."
    assert refusal(sign(headers, key="AKIAIOSFODNN7EXAMPLE")) == (status, code, message)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [(JSON_HEADERS, 400, "InvalidSignatureException"), (QUERY_HEADERS, 403, "SignatureDoesNotMatch")],
)
def test_wrong_secret_is_refused(headers: dict[str, str], status: int, code: str) -> None:
    assert refusal(sign(headers, secret="local"))[:2] == (status, code)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"target": "/other"},
        {"target": "/?Action=CreateService"},
        {"content": b'{"ServiceName": "evil"}'},
        {"content": b""},
    ],
)
def test_changed_request_is_refused(change: dict[str, Any]) -> None:
    changed = attrs.evolve(sign(JSON_HEADERS), **change)
    assert refusal(changed)[:2] == (400, "InvalidSignatureException")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Amz-Target", "AppRunner.DeleteService"),
        ("Host", "evil.example:4000"),
        ("Content-Type", "text/plain"),
        ("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD"),
        ("X-Amz-Meta", "added, and not signed"),
    ],
)
def test_changed_header_is_refused(name: str, value: str) -> None:
    request = sign(JSON_HEADERS)
    request.set_header(name, value)
    assert refusal(request)[1] == "InvalidSignatureException"


def test_repeated_header_is_refused() -> None:
    request = sign(JSON_HEADERS)
    request.headers["X-Amz-Target"] = "AppRunner.DeleteService"
    assert refusal(request)[1] == "InvalidSignatureException"


@pytest.mark.parametrize("header", ["Host", "Content-Type", "X-Amz-Target"])
def test_removed_header_is_refused(header: str) -> None:
    request = sign(JSON_HEADERS)
    del request.headers[header]
    assert refusal(request)[:2] in ((400, "InvalidSignatureException"), (403, "SignatureDoesNotMatch"))


def test_unsigned_payload_is_refused() -> None:
    """A signature of `UNSIGNED-PAYLOAD` would be good for any body."""
    request = sign({**JSON_HEADERS, "X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    assert refusal(request)[1] == "InvalidSignatureException"


def test_signature_without_the_host_is_refused() -> None:
    class WithoutHost(auth.SigV4Auth):
        def headers_to_sign(self, request: AWSRequest) -> HTTPMessage:
            headers = super().headers_to_sign(request)
            del headers["host"]
            return headers

    assert "host" in refusal(sign(JSON_HEADERS, signer=WithoutHost))[2]


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (5.5, "Signature expired: {} is now earlier than "),
        (60, "Signature expired: {} is now earlier than "),
        (-5.5, "Signature not yet current: {} is still later than "),
    ],
)
def test_clock_skew_over_five_minutes_is_refused(minutes: float, words: str) -> None:
    request = sign(JSON_HEADERS)
    with pytest.raises(RequestRefused) as refused:
        verifier_after(minutes).verify(request.received)
    assert refused.value.code == "InvalidSignatureException"
    assert refused.value.message.startswith(words.format(request.headers["X-Amz-Date"]))
    assert "5 min.)" in refused.value.message


@pytest.mark.parametrize("minutes", [-4.5, 4.5])
def test_clock_skew_below_five_minutes_is_accepted(minutes: float) -> None:
    assert verifier_after(minutes).verify(sign(JSON_HEADERS).received)


def verifier_after(minutes: float) -> SignatureVerifier:
    """Return a verifier whose clock is ahead."""
    time = datetime.now(UTC) + timedelta(minutes=minutes)
    return attrs.evolve(VERIFIER, clock=time.timestamp)


def test_renewed_time_is_refused() -> None:
    request = sign(JSON_HEADERS)
    request.set_header("X-Amz-Date", f"{datetime.now(UTC) + timedelta(seconds=60):%Y%m%dT%H%M%SZ}")
    assert refusal(request)[1] == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-1/ecr/aws4_request"),
        ("Authorization", "AWS4-HMAC-SHA256"),
        ("X-Amz-Date", "today"),
        ("X-Amz-Date", ""),
    ],
)
def test_incomplete_signature_is_refused(name: str, value: str) -> None:
    request = sign(JSON_HEADERS)
    request.set_header(name, value)
    assert refusal(request)[:2] == (400, "IncompleteSignatureException")


def refusal(request: SignedRequest) -> tuple[int, str, str]:
    """Return status, code and message of the refusal of a request."""
    with pytest.raises(RequestRefused) as refused:
        VERIFIER.verify(request.received)
    return refused.value.status, refused.value.code, refused.value.message


def test_credentials_differ_between_state_folders_and_survive_a_restart(tmp_path: Path) -> None:
    first = Credentials.load_or_create(tmp_path / "first")
    second = Credentials.load_or_create(tmp_path / "second")
    assert not set(attrs.astuple(first)) & set(attrs.astuple(second))
    assert Credentials.load_or_create(tmp_path / "first") == first
    assert first.secret_access_key not in repr(first)
    assert first.control_token not in repr(first)
    assert len(first.access_key_id) == 20
    assert min(len(first.secret_access_key), len(first.control_token)) == 40
