"""AWS JSON, with a service of a few lines behind it."""

from __future__ import annotations

import io
import json
import re
import warnings
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from kaizen_tasks.localcloud.server.aws_json import AwsJsonEndpoint, ServiceError
from kaizen_tasks.localcloud.server.http_message import HttpRequest
from kaizen_tasks.localcloud.server.request_body import RequestBody


class Echo:
    """Answer as told, and remember what was asked."""

    def __init__(self, name: str = "ecr", answer: dict[str, Any] | None = None) -> None:
        self.name = name
        self._answer = answer or {}
        self.asked: list[dict[str, Any]] = []

    def _operation(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        return self._answer

    create_repository = describe_images = upload_layer_part = create_service = _operation

    def delete_repository(self, _request: dict[str, Any]) -> dict[str, Any]:
        raise ServiceError("RepositoryNotFoundException", "gone", registryId="1")

    def describe_registry(self, _request: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("a bug")


def ask(service: Echo, operation: str, document: object, *, region: str = "eu-west-1") -> tuple[int, Any]:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    call = HttpRequest(method="POST", target="/", headers={}, body=RequestBody(io.BytesIO(content), len(content)))
    reply = AwsJsonEndpoint(service=service, region="eu-west-1").handle(call, region=region, operation=operation)
    assert reply.headers["x-amzn-RequestId"]
    assert isinstance(reply.body, bytes)
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize(
    ("operation", "document", "code"),
    [
        ("CreateRepository", {}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": "UPPER"}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": "x" * 257}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": "ok", "imageTagMutability": "MAYBE"}, "InvalidParameterException"),
        ("DescribeImages", {"repositoryName": "ok", "maxResults": 0}, "InvalidParameterException"),
        ("DescribeImages", {"repositoryName": "ok", "maxResults": 1001}, "InvalidParameterException"),
        ("DescribeImages", {"repositoryName": "ok", "imageIds": [{}] * 101}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": 5}, "SerializationException"),
        ("CreateRepository", [], "SerializationException"),
        ("CreateRepository", b"{", "SerializationException"),
        ("DescribeImages", {"repositoryName": "ok", "maxResults": True}, "SerializationException"),
        ("UploadLayerPart", {"layerPartBlob": "?"}, "SerializationException"),
        ("NoSuchThing", {}, "UnknownOperationException"),
        ("StartImageScan", {}, "UnknownOperationException"),
    ],
)
def test_refuses_what_the_model_does_not_allow(operation: str, document: object, code: str) -> None:
    service = Echo()
    status, answer = ask(service, operation, document)
    assert (status, answer["__type"], service.asked) == (400, code, [])
    assert answer["message"]


def test_speaks_app_runners_error_for_app_runner() -> None:
    status, answer = ask(Echo("apprunner"), "CreateService", {"ServiceName": "x"})
    assert (status, answer["__type"]) == (400, "InvalidRequestException")
    assert answer["message"].startswith("3 validation errors detected: ")


@pytest.mark.parametrize(
    ("image", "status"),
    [
        ("127.0.0.1:5000/team/app:v1", 200),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1", 200),
        ("docker.io/library/nginx:latest", 400),
    ],
)
def test_takes_images_of_the_registry_on_loopback_as_of_ecr(image: str, status: int) -> None:
    source = {"ImageRepository": {"ImageIdentifier": image, "ImageRepositoryType": "ECR"}}
    request = {"ServiceName": "my-service", "SourceConfiguration": source}
    assert ask(Echo("apprunner"), "CreateService", request)[0] == status


def test_hands_on_values_and_drops_what_the_model_lacks() -> None:
    service = Echo()
    request = {
        "repositoryName": "ok",
        "uploadId": "00000000-0000-0000-0000-000000000000",
        "partFirstByte": 0,
        "partLastByte": 1,
        "layerPartBlob": "aGk=",
        "registryId": None,
        "unknown": 1,
    }
    assert ask(service, "UploadLayerPart", request)[0] == 200
    (asked,) = service.asked
    assert asked["layerPartBlob"] == b"hi"
    assert not {"registryId", "unknown"} & asked.keys()


def test_writes_times_as_seconds_and_leaves_out_what_is_none() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    service = Echo(answer={"imageDetails": [{"imagePushedAt": moment, "imageTags": None}], "nextToken": None})
    _, answer = ask(service, "DescribeImages", {"repositoryName": "ok"})
    assert answer == {"imageDetails": [{"imagePushedAt": moment.timestamp()}]}


def test_never_sends_a_member_that_the_model_lacks() -> None:
    status, answer = ask(Echo(answer={"invented": 1}), "DescribeImages", {"repositoryName": "ok"})
    assert (status, answer["__type"]) == (500, "InternalFailure")


def test_sends_a_modelled_error_with_its_members() -> None:
    status, answer = ask(Echo(), "DeleteRepository", {"repositoryName": "ok"})
    assert (status, answer) == (
        400,
        {"__type": "RepositoryNotFoundException", "message": "gone", "registryId": "1"},
    )


def test_answers_even_where_a_service_breaks() -> None:
    assert ask(Echo(), "DescribeRegistry", {})[0] == 500


def test_refuses_a_signature_for_another_region() -> None:
    status, answer = ask(Echo(), "DescribeImages", {"repositoryName": "ok"}, region="us-east-1")
    assert (status, answer["__type"]) == (403, "InvalidSignatureException")


@pytest.mark.parametrize("service", ["ecr", "apprunner"])
def test_every_pattern_of_the_models_is_one_that_python_understands(service: str) -> None:
    model = ServiceModel(Loader().load_service_model(service, "service-2"))
    shapes: list[Shape] = [model.shape_for(name) for name in model.shape_names]
    patterns = [shape.metadata["pattern"] for shape in shapes if "pattern" in shape.metadata]
    assert patterns
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(re.compile(pattern) for pattern in patterns)
