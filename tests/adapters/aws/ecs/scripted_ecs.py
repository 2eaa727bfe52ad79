"""ECS as a list of answers by operation; requests and answers must be those of botocore's model of ECS."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from attrs import define, field
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from kaizen_tasks.adapters.aws.ecs.cluster import Cluster
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from botocore.model import ServiceModel

    from kaizen_tasks.adapters.aws.session import Aws

ACCOUNT, REGION = "123456789012", "eu-west-1"
Answer = dict[str, Any] | Exception | Callable[[dict[str, Any]], dict[str, Any]]


@define
class ScriptedEcs:
    """The client of ECS.

    Attributes:
        answers: the answers to an operation, in order; the last one is repeated. An error is raised.
        requests: the operations that were asked, in order, each with its request.
    """

    answers: dict[str, list[Answer]] = field(factory=dict)
    requests: list[tuple[str, dict[str, Any]]] = field(factory=list)

    def answer(self, operation: str, *answers: Answer) -> None:
        self.answers[operation] = list(answers)

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """Return the requests of an operation."""
        return [request for name, request in self.requests if name == operation]

    @property
    def operations(self) -> list[str]:
        """The operations that were asked, in order."""
        return [name for name, _ in self.requests]

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        operation = "".join(word.capitalize() for word in method.split("_"))
        if operation not in _model().operation_names:
            raise AttributeError(method)
        return partial(self._call, operation)

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        shapes = _model().operation_model(operation)
        _require_valid(request, shapes.input_shape)
        self.requests.append((operation, request))
        answers = self.answers[operation]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        document = answer(request) if callable(answer) else answer
        _require_valid(document, shapes.output_shape)
        return document


@define
class ScriptedLogs:
    """CloudWatch Logs with the lines of streams, by group and stream."""

    streams: dict[tuple[str, str], list[str]] = field(factory=dict)

    def get_log_events(self, **request: Any) -> dict[str, Any]:
        stream = (request["logGroupName"], request["logStreamName"])
        if stream not in self.streams:
            raise error("ResourceNotFoundException", "The specified log stream does not exist.")
        return {"events": [{"message": line} for line in self.streams[stream][-request["limit"] :]]}


@define
class ScriptedAws:
    """The session of an account, with scripted clients."""

    client: ScriptedEcs = field(factory=ScriptedEcs)
    log_client: ScriptedLogs = field(factory=ScriptedLogs)
    region: str = REGION

    def ecs(self) -> ScriptedEcs:
        return self.client

    def logs(self) -> ScriptedLogs:
        return self.log_client

    def account_id(self) -> str:
        return ACCOUNT

    def principal(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:user/ada"


def cluster(aws: ScriptedAws, *, name: str = "main", clock: FakeClock | None = None) -> Cluster:
    """Return a cluster of a scripted account."""
    return Cluster(cast("Aws", aws), name, clock or FakeClock())


def error(code: str, message: str = "") -> ClientError:
    """Return an error as ECS answers it."""
    metadata: Any = {"HTTPStatusCode": 400, "HTTPHeaders": {}}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, "Operation")


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("ecs")


def _require_valid(document: dict[str, Any], shape: Any) -> None:
    """Require that a document is one of the model: its members, their types, and those that are required."""
    unknown = list(_unknown_members(document, shape, ""))
    assert not unknown, f"botocore's model does not know {unknown}"
    report = ParamValidator().validate(document, shape)
    assert not report.has_errors(), report.generate_report()


def _unknown_members(document: Any, shape: Any, path: str) -> list[str]:
    if shape.type_name == "list":
        return [name for item in document for name in _unknown_members(item, shape.member, path)]
    if shape.type_name != "structure":
        return []
    unknown = [f"{path}{name}" for name in document if name not in shape.members]
    known = [(name, value) for name, value in document.items() if name in shape.members]
    return unknown + [
        each for name, value in known for each in _unknown_members(value, shape.members[name], f"{path}{name}.")
    ]
