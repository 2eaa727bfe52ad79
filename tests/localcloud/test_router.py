"""Routing, fault injection and the access log."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.localcloud.samples import RawRegistry, digest_of
from tests.support.local_cloud import ACCOUNT, REGION, Cloud
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.integration


def arrange(cloud: Cloud, fault: dict[str, Any]) -> None:
    cloud.call_control("POST", "faults", fault)


def test_root_returns_the_status_without_a_signature(cloud: Cloud) -> None:
    with urllib.request.urlopen(cloud.endpoint_url, timeout=HANG_SECONDS) as response:
        document = json.load(response)
    assert (document["status"], document["region"], document["account"]) == ("ok", "eu-west-1", "123456789012")


def test_unsigned_request_is_refused(cloud: Cloud) -> None:
    target = "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"
    request = urllib.request.Request(cloud.endpoint_url, b"{}", {"X-Amz-Target": target})
    with pytest.raises(urllib.error.HTTPError) as failure:
        urllib.request.urlopen(request, timeout=HANG_SECONDS)
    with failure.value as error:
        assert (error.code, json.load(error)["__type"]) == (403, "MissingAuthenticationTokenException")


def test_other_services_are_routed_to_moto(cloud: Cloud) -> None:
    assert cloud.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_account_is_the_configured_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Cloud(tmp_path_factory.mktemp("other"), "--account", "210987654321", "--region", "eu-north-1") as other:
        assert other.client("sts").get_caller_identity()["Account"] == "210987654321"
        assert other.client("ecr").describe_registry()["registryId"] == "210987654321"


def test_request_for_a_region_that_aws_lacks_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match="valid region"):
        cloud.client("ecr", region="eu-nowhere-1").describe_registry()


def test_error_fault_happens_the_given_number_of_times(cloud: Cloud) -> None:
    error = {"code": "ThrottlingException", "status": 400}
    match = {"service": "ecr", "operation": "DescribeRegistry"}
    arrange(cloud, {"match": match, "times": 2, "do": {"error": error}})
    ecr = cloud.client("ecr")
    for _ in range(2):
        ecr.describe_repositories()
        with pytest.raises(ClientError, match="ThrottlingException"):
            ecr.describe_registry()
    ecr.describe_registry()


def test_retrying_client_survives_an_error_fault(cloud: Cloud) -> None:
    match = {"service": "ecr", "operation": "DescribeRegistry"}
    arrange(cloud, {"match": match, "do": {"error": {"code": "ServerException", "status": 500}}})
    answer = cloud.client("ecr", attempts=3).describe_registry()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


def test_error_fault_uses_the_query_protocol(cloud: Cloud) -> None:
    arrange(cloud, {"match": {"service": "sts"}, "do": {"error": {"code": "ExpiredToken", "status": 403}}})
    with pytest.raises(ClientError) as failure:
        cloud.client("sts").get_caller_identity()
    assert failure.value.response["Error"]["Code"] == "ExpiredToken"


def test_error_fault_uses_the_registrys_protocol(
    cloud: Cloud, registry: RawRegistry, repository: Callable[..., str]
) -> None:
    name = repository()
    match = {"service": "registry", "operation": "GET /v2/*/tags/list"}
    arrange(cloud, {"match": match, "do": {"error": {"code": "TOOMANYREQUESTS", "status": 429}}})
    answer = registry.ask("GET", f"/v2/{name}/tags/list")
    assert (answer.status, answer.codes) == (429, ["TOOMANYREQUESTS"])
    assert registry.ask("GET", f"/v2/{name}/tags/list").status == 200


def test_reset_fault_resets_the_connection(cloud: Cloud) -> None:
    arrange(cloud, {"match": {"service": "ecr"}, "do": {"reset": True}})
    with pytest.raises(ConnectionClosedError):
        cloud.client("ecr").describe_registry()


def test_latency_fault_delays_the_response(cloud: Cloud) -> None:
    arrange(cloud, {"match": {"service": "ecr"}, "do": {"latency": 0.3}})
    before = time.monotonic()
    assert cloud.client("ecr").describe_registry()["registryId"] == "123456789012"
    assert time.monotonic() - before >= 0.3


def test_fault_skips_the_first_requests(cloud: Cloud) -> None:
    error = {"code": "ThrottlingException", "status": 400}
    arrange(cloud, {"match": {"operation": "DescribeRegistry"}, "skip": 2, "do": {"error": error}})
    ecr = cloud.client("ecr")
    ecr.describe_registry()
    ecr.describe_registry()
    with pytest.raises(ClientError, match="ThrottlingException"):
        ecr.describe_registry()
    ecr.describe_registry()


def test_fault_happens_to_a_part_of_the_requests_and_is_in_the_access_log(cloud: Cloud) -> None:
    error = {"code": "ThrottlingException", "status": 400}
    logged = len(cloud.requests)
    arrange(cloud, {"match": {"operation": "DescribeRegistry"}, "every": 3, "times": 2, "do": {"error": error}})
    ecr = cloud.client("ecr")
    for _ in range(10):
        with contextlib.suppress(ClientError):
            ecr.describe_registry()
        ecr.describe_repositories()
    errors = [
        request.get("error", "") for request in cloud.requests[logged:] if request["operation"] == "DescribeRegistry"
    ]
    assert errors == ["", "", "ThrottlingException", "", "", "ThrottlingException", "", "", "", ""]


def test_late_reset_fault_loses_the_response_of_an_executed_request(
    cloud: Cloud, repository: Callable[..., str]
) -> None:
    ecr, name = cloud.client("ecr"), repository()
    arrange(cloud, {"match": {"operation": "DeleteRepository"}, "do": {"reset": True, "late": True}})
    with pytest.raises(ConnectionClosedError):
        ecr.delete_repository(repositoryName=name)
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
        ecr.delete_repository(repositoryName=name)


def test_reply_fault_replaces_the_response(cloud: Cloud) -> None:
    arrange(cloud, {"match": {"service": "apprunner"}, "do": {"reply": {"ServiceSummaryList": [], "NextToken": "x"}}})
    assert cloud.client("apprunner").list_services()["NextToken"] == "x"


def test_fault_removes_query_parameters(cloud: Cloud, registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    digest = digest_of(b"whole")
    arrange(cloud, {"match": {"operation": "POST *"}, "do": {"without": ["digest"]}})
    answer = registry.ask("POST", f"/v2/{name}/blobs/uploads/?digest={digest}", b"whole")
    assert answer.status == 202


class TestBreakpoints:
    def test_request_waits_until_it_is_resumed(self, cloud: Cloud) -> None:
        arrange(cloud, {"match": {"operation": "DescribeRegistry"}, "do": {"park": True}})
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(cloud.client("ecr").describe_registry)
            assert cloud.call_control("GET", "parked?seconds=100") == ["DescribeRegistry"]
            assert not waiting.done()
            cloud.call_control("POST", "parked", {"drop": False})
            assert waiting.result()["registryId"] == "123456789012"
        assert cloud.call_control("GET", "parked") == []

    @pytest.mark.parametrize("late", [False, True])
    def test_request_can_be_dropped_before_or_after_execution(
        self, cloud: Cloud, repository: Callable[..., str], late: bool
    ) -> None:
        ecr, name = cloud.client("ecr"), repository()
        arrange(cloud, {"match": {"operation": "DeleteRepository"}, "do": {"park": True, "late": late}})
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ecr.delete_repository, repositoryName=name)
            cloud.call_control("GET", "parked?seconds=100")
            cloud.call_control("POST", "parked", {"drop": True})
            assert isinstance(waiting.exception(), ConnectionClosedError)
        pages = ecr.get_paginator("describe_repositories").paginate()
        names = [each["repositoryName"] for page in pages for each in page["repositories"]]
        assert (name in names) is not late

    def test_clearing_faults_resumes_requests(self, cloud: Cloud) -> None:
        arrange(cloud, {"times": 9, "do": {"park": True}})
        cloud.call_control("DELETE", "faults")
        cloud.client("ecr").describe_registry()
        assert cloud.call_control("GET", "parked?seconds=0.01") == []

    @pytest.mark.parametrize(("method", "what"), [("PUT", "faults"), ("GET", "nothing"), ("DELETE", "parked")])
    def test_unknown_control_request_is_405(self, cloud: Cloud, method: str, what: str) -> None:
        with pytest.raises(urllib.error.HTTPError) as failure:
            cloud.call_control(method, what)
        with failure.value as error:
            assert error.code == 405


@pytest.mark.parametrize("fault", [{}, {"do": {"explode": True}}, {"do": {}, "match": {"who": "me"}}, []])
def test_invalid_fault_is_refused(cloud: Cloud, fault: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as failure:
        arrange(cloud, fault)
    with failure.value as error:
        assert error.code == 400
    cloud.client("ecr").describe_registry()


def test_all_requests_are_logged(cloud: Cloud, registry: RawRegistry, repository: Callable[..., str]) -> None:
    name = repository()
    digest = registry.upload(name, b"x" * 1000)
    registry.ask("GET", f"/v2/{name}/blobs/{digest}")
    registry.ask("HEAD", f"/v2/{name}/blobs/{digest_of(b'none')}")
    cloud.client("sts").get_caller_identity()
    create, begin, get, head, identity = _last(cloud, 5)
    assert (create["service"], create["operation"], create["status"]) == ("ecr", "CreateRepository", 200)
    assert create["bytes_in"] > 0 < create["bytes_out"]
    path = f"/v2/{name}/blobs"
    assert begin == _line("POST", f"{path}/uploads/", 201, 1000, 0)
    assert get == _line("GET", f"{path}/{digest}", 200, 0, 1000)
    assert head == _line("HEAD", f"{path}/{digest_of(b'none')}", 404, 0, 0)
    assert (identity["service"], identity["operation"]) == ("sts", "GetCallerIdentity")


def _last(cloud: Cloud, count: int) -> list[dict[str, Any]]:
    return [{key: value for key, value in line.items() if key != "at"} for line in cloud.requests[-count:]]


def _line(method: str, path: str, status: int, received: int, sent: int) -> dict[str, Any]:
    return {
        "service": "registry",
        "method": method,
        "path": path,
        "account": ACCOUNT,
        "region": REGION,
        "status": status,
        "bytes_in": received,
        "bytes_out": sent,
    }
