"""No request of the shape of AWS's models, however malformed, is answered with a 5xx, which clients would retry."""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import Loader
from botocore.model import ServiceModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.local_cloud import REGION, Cloud
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import Shape

pytestmark = pytest.mark.integration

SERVICES = ("ecr", "apprunner", "logs", "dynamodb", "secretsmanager")
DEPTH = 5
WRONG: st.SearchStrategy[Any] = st.sampled_from([None, True, -1, 2**70, 1.5, "", "\0", [], {}, [None], {"a": None}])
TEXTS = ["", "a", "x" * 300, "coach", "malformed", "sha256:" + "0" * 64, "/aws/apprunner/a/b/service", "#n = :v", "{}"]


@functools.cache
def operations() -> list[tuple[str, Any]]:
    models = [ServiceModel(Loader().load_service_model(service, "service-2"), service) for service in SERVICES]
    return [(model.service_name, model.operation_model(name)) for model in models for name in model.operation_names]


def values(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Return a strategy of JSON values of a shape, with some of other types."""
    return WRONG | _valid(shape, depth) if depth else _valid(shape, depth)


def _valid(shape: Any, depth: int) -> st.SearchStrategy[Any]:
    strategy: st.SearchStrategy[Any]
    match shape.type_name:
        case _ if depth > DEPTH:
            strategy = WRONG
        case "structure":
            members = {name: _deferred(member, depth) for name, member in shape.members.items()}
            required = {name: members.pop(name) for name in shape.required_members}
            strategy = st.fixed_dictionaries(required, optional=members)
        case "list":
            strategy = st.lists(_deferred(shape.member, depth), max_size=2)
        case "map":
            strategy = st.dictionaries(st.sampled_from(TEXTS), _deferred(shape.value, depth), max_size=2)
        case "string":
            strategy = st.sampled_from([*(shape.enum or []), *TEXTS])
        case "boolean":
            strategy = st.booleans()
        case "blob":
            strategy = st.sampled_from(["", "aGVsbG8=", "!"])
        case _:
            strategy = st.sampled_from([0, 1, 20, -1, 10**6])
    return strategy


def _deferred(shape: Shape, depth: int) -> st.SearchStrategy[Any]:
    return st.deferred(lambda: values(shape, depth + 1))


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """Return a service, a target and a body."""
    service, model = draw(st.sampled_from(operations()))
    target = f"{model.service_model.metadata['targetPrefix']}.{model.name}"
    document = draw(values(model.input_shape)) if model.input_shape else {}
    malformed = st.sampled_from([b"", b"{", b"[]", b"\xff", b"[" * 5000])
    return service, target, draw(st.just(json.dumps(document).encode()) | malformed)


@pytest.fixture(scope="module")
def own_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Run a cloud that other tests do not see, with what some requests are about."""
    with Cloud(tmp_path_factory.mktemp("malformed") / "state") as running:
        running.client("ecr").create_repository(repositoryName="malformed")
        running.client("secretsmanager").create_secret(Name="malformed", SecretString="x")
        running.client("dynamodb").create_table(
            TableName="malformed",
            AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield running


def send(cloud: Cloud, service: str, target: str, body: bytes) -> tuple[int, bytes]:
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1", "Host": cloud.registry}
    signed = AWSRequest("POST", f"{cloud.endpoint_url}/", headers, body)
    keys = (cloud.environ["AWS_ACCESS_KEY_ID"], cloud.environ["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(Credentials(*keys), service, REGION).add_auth(signed)
    connection = http.client.HTTPConnection(cloud.registry, timeout=HANG_SECONDS)
    with contextlib.closing(connection):
        connection.request("POST", "/", body, dict(signed.headers.items()))
        response = connection.getresponse()
        return response.status, response.read()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(request_=requests())
def test_malformed_input_is_refused_with_a_code(own_cloud: Cloud, request_: tuple[str, str, bytes]) -> None:
    status, content = send(own_cloud, *request_)
    assert status in (200, 400), content
    assert status == 200 or json.loads(content)["__type"]
