"""Attacks on a local cloud: pages in a browser, names that resolve to loopback, and other users of the machine."""

from __future__ import annotations

import http.client
import json
import urllib.error
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from kaizen_tasks.localcloud.server.http_message import MAX_CONTENT_BYTES
from tests.localcloud.samples import Answer, RawRegistry
from tests.support.local_cloud import control_headers, control_request
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.local_cloud import Cloud

pytestmark = pytest.mark.integration

FAULT = json.dumps({"do": {"error": {"code": "Sabotage", "status": 500}}, "times": 99}).encode()
SCOPE = "AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-1/apprunner/aws4_request"
CREATE_SERVICE = {"X-Amz-Target": "AppRunner.CreateService", "Content-Type": "application/x-amz-json-1.0"}


@pytest.fixture
def send(cloud: Cloud) -> Iterator[Callable[..., Answer]]:
    """Return a function that sends exactly the given headers; check that the cloud works as before afterwards."""

    def send_raw(
        method: str, target: str, body: bytes = b"", *, headers: Mapping[str, str], hosts: tuple[str, ...] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection(cloud.registry, timeout=HANG_SECONDS)
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for host in (cloud.registry,) if hosts is None else hosts:
            connection.putheader("Host", host)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        answer = Answer(response.status, dict(response.headers), response.read())
        connection.close()
        return answer

    services = cloud.client("apprunner").list_services()["ServiceSummaryList"]  # of other modules
    yield send_raw
    assert cloud.client("ecr").describe_registry()  # no fault was injected
    assert cloud.client("apprunner").list_services()["ServiceSummaryList"] == services


def error_type(answer: Answer) -> str:
    return str(json.loads(answer.content)["__type"])


REBOUND_HOSTS = [
    ("evil.example:{port}",),
    ("evil.example",),
    ("127.0.0.1",),
    ("127.0.0.1:1",),
    ("localhost.evil.example:{port}",),
    ("127.0.0.1:{port}.evil.example",),
    ("0.0.0.0:{port}",),
    ("user@127.0.0.1:{port}",),
    ("127.0.0.1:{port}", "evil.example"),
    ("",),
    (),
]


@pytest.mark.parametrize("hosts", REBOUND_HOSTS)
@pytest.mark.parametrize("path", ["/", "/v2/", "/_kaizen/parked", "/_kaizen/layers/sha256:0"])
def test_other_host_is_refused(
    cloud: Cloud, send: Callable[..., Answer], registry: RawRegistry, hosts: tuple[str, ...], path: str
) -> None:
    port = cloud.registry.partition(":")[2]
    headers = {**control_headers(cloud.control_token), "Authorization": registry.authorization}
    answer = send("GET", path, headers=headers, hosts=tuple(host.format(port=port) for host in hosts))
    assert answer.status == 421
    assert b"MisdirectedRequestException" in answer.content


def test_connection_survives_a_refused_head_request(cloud: Cloud) -> None:
    connection = http.client.HTTPConnection(cloud.registry, timeout=HANG_SECONDS)
    in_containers = "host.docker.internal:4711"  # the port is the relay's
    for host, status in (("evil.example", 421), (cloud.registry, 200), (in_containers, 200)):
        connection.request("HEAD", "/", headers={"Host": host})
        response = connection.getresponse()
        assert (response.status, response.read()) == (status, b"")
    connection.close()


@pytest.mark.parametrize("target", ["http://evil.example/", "http://[evil", "evil.example:443", "*"])
def test_target_that_is_no_path_is_refused(send: Callable[..., Answer], target: str) -> None:
    answer = send("GET", target, headers={})
    assert (answer.status, error_type(answer)) == (421, "MisdirectedRequestException")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_own_names_are_answered(cloud: Cloud, send: Callable[..., Answer], name: str) -> None:
    port = cloud.registry.partition(":")[2]
    assert send("GET", "/", headers={}, hosts=(f"{name}:{port}",)).status == 200


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Origin": "https://evil.example"}, 403, "BrowserRequestException"),
        ({"Origin": "null"}, 403, "BrowserRequestException"),
        ({"Origin": ""}, 403, "BrowserRequestException"),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "BrowserRequestException"),
        ({"Sec-Fetch-Mode": "no-cors"}, 403, "BrowserRequestException"),
        ({"Sec-Fetch-Site": "none"}, 403, "BrowserRequestException"),
        ({"Content-Type": "text/plain"}, 415, "UnsupportedMediaTypeException"),
        ({"Content-Type": "text/plain; application/json"}, 415, "UnsupportedMediaTypeException"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "UnsupportedMediaTypeException"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415, "UnsupportedMediaTypeException"),
        ({"Content-Type": ""}, 415, "UnsupportedMediaTypeException"),
        ({"X-Kaizen-Token": ""}, 403, "AccessDeniedException"),
        ({"X-Kaizen-Token": "guessed"}, 403, "AccessDeniedException"),
    ],
)
@pytest.mark.parametrize("path", ["/_kaizen/faults", "/%5Fkaizen/faults"])
def test_control_request_of_a_page_is_refused(
    cloud: Cloud, send: Callable[..., Answer], headers: dict[str, str], status: int, code: str, path: str
) -> None:
    answer = send("POST", path, FAULT, headers={**control_headers(cloud.control_token), **headers})
    assert (answer.status, error_type(answer)) == (status, code)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "parked"), ("POST", "parked"), ("POST", "faults"), ("DELETE", "faults")]
)
def test_control_request_without_the_token_is_refused(cloud: Cloud, method: str, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as failure:
        urllib.request.urlopen(
            control_request(cloud.endpoint_url, "", method, path, {"drop": True}), timeout=HANG_SECONDS
        )
    with failure.value as error:
        assert (error.code, json.load(error)["__type"]) == (403, "AccessDeniedException")


@pytest.mark.parametrize("path", ["/", "/_kaizen/faults", "/v2/"])
def test_preflight_grants_no_page_access(send: Callable[..., Answer], path: str) -> None:
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = send("OPTIONS", path, headers=preflight)
    assert answer.status >= 400
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        ("", 403, "MissingAuthenticationTokenException"),
        (SCOPE, 400, "IncompleteSignature"),
        (
            f"{SCOPE}, SignedHeaders=host, Signature={'0' * 64}",
            400,
            "UnrecognizedClientException",
        ),
    ],
)
def test_create_service_without_a_signature_is_refused(
    send: Callable[..., Answer], authorization: str, status: int, code: str
) -> None:
    answer = send("POST", "/", b"{}", headers={**CREATE_SERVICE, "Authorization": authorization})
    assert (answer.status, error_type(answer).removesuffix("Exception")) == (status, code.removesuffix("Exception"))


@pytest.mark.parametrize("path", ["/v2/", "/v2/app/tags/list"])
@pytest.mark.parametrize(
    ("authorization", "expected"), [("", (401, ["UNAUTHORIZED"])), ("Basic QVdTOmd1ZXNzZWQ=", (400, ["DENIED"]))]
)
def test_registry_without_the_password_is_refused(
    send: Callable[..., Answer], path: str, authorization: str, expected: tuple[int, list[str]]
) -> None:
    answer = send("GET", path, headers={"Authorization": authorization} if authorization else {})
    assert (answer.status, answer.codes) == expected


@pytest.mark.parametrize(
    ("service", "call", "key", "code"),
    [
        ("apprunner", "list_services", "local", "UnrecognizedClientException"),
        ("apprunner", "list_services", "", "InvalidSignatureException"),
        ("dynamodb", "list_tables", "local", "UnrecognizedClientException"),
        ("dynamodb", "list_tables", "", "InvalidSignatureException"),
        ("sts", "get_caller_identity", "local", "InvalidClientTokenId"),
        ("sts", "get_caller_identity", "", "SignatureDoesNotMatch"),
    ],
)
def test_boto3_understands_the_refusal(cloud: Cloud, service: Any, call: str, key: str, code: str) -> None:
    client: Any = boto3.client(
        service,
        endpoint_url=cloud.endpoint_url,
        region_name="eu-west-1",
        aws_access_key_id=key or cloud.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key="guessed",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ClientError) as refused:
        getattr(client, call)()
    client.close()
    assert refused.value.response["Error"]["Code"] == code


def test_refused_request_consumes_no_fault(cloud: Cloud, send: Callable[..., Answer]) -> None:
    cloud.inject_fault({"service": "apprunner"}, {"error": {"code": "ThrottlingException", "status": 400}})
    assert send("POST", "/", b"{}", headers=CREATE_SERVICE).status == 403
    with pytest.raises(ClientError, match="ThrottlingException"):
        cloud.client("apprunner").list_services()


def test_refusal_is_logged_without_headers_and_query(cloud: Cloud, send: Callable[..., Answer]) -> None:
    send(
        "POST",
        "/_kaizen/faults?token=of-a-query",
        FAULT,
        headers={**control_headers(cloud.control_token), "Origin": "null"},
    )
    line = cloud.requests[-1]
    assert (line["method"], line["path"], line["status"]) == ("POST", "/_kaizen/faults", 403)
    text = json.dumps(line)
    assert "of-a-query" not in text
    assert cloud.control_token not in text


def test_body_that_no_client_sends_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ClientError) as caught:
        cloud.client("dynamodb").put_item(TableName="table", Item={"key": {"S": "x" * MAX_CONTENT_BYTES}})
    assert caught.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
