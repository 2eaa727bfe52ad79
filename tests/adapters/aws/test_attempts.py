"""Attempts of changes: each is checked and limited, whichever adapter sends it."""

from __future__ import annotations

import io
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from attrs import define, evolve
from botocore import xform_name

from kaizen_tasks.adapters.aws.attempts import MAX_ATTEMPTS_IN_CONFLICT, NOT_IDEMPOTENT, AnswerLost, _halvings
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.migration.definition import ServiceDefinition
from kaizen_tasks.domain.service import Service, ServiceStatus
from kaizen_tasks.errors import Locked, Unreachable
from kaizen_tasks.flows.locking.mutations import guarded_calls
from kaizen_tasks.ports.attempts import limit_attempts
from kaizen_tasks.ports.secrets import Secret
from kaizen_tasks.wiring import Toolbox
from tests.adapters.conftest import REGION
from tests.contracts.ledger import entry
from tests.contracts.locks import wanted
from tests.fakes.clock import START
from tests.fakes.tools import settings
from tests.support.scripted_server import Reply, Request, ScriptedServer
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports.tools import Target, Tools

NEW, OLD = "a" * 36, "b" * 36
DIGEST = f"sha256:{'ab' * 32}"
SERVICE = Service(name="web", id="arn:web", status=ServiceStatus.RUNNING, native_status="RUNNING", url="", image="")


ECS_SERVICE = evolve(SERVICE, id=f"arn:aws:ecs:{REGION}:123456789012:service/default/web")
DEFINITION = ServiceDefinition(
    platform="ecs-express",
    name="web",
    cluster="default",
    image=f"123456789012.dkr.ecr.{REGION}.amazonaws.com/web@{DIGEST}",
    port=8080,
    cpu=256,
    memory=512,
    execution_role="arn:aws:iam::123456789012:role/execution",
    infrastructure_role="arn:aws:iam::123456789012:role/infrastructure",
)


def _at(tools: Tools) -> Target:
    return tools.at(settings().environments["staging"])


def _on_ecs() -> Environment:
    return evolve(settings().environments["staging"], platform="ecs-express")


CHANGES: dict[tuple[str, str], Callable[[Tools], object]] = {
    ("registry", "copy"): lambda tools: _at(tools).registry.copy(
        digest=DIGEST, source="web", target="other", tag="v1.2.3"
    ),
    ("registry", "move_tag"): lambda tools: _at(tools).registry.move_tag(repository="web", tag="latest", digest=DIGEST),
    ("platform", "start_deployment"): lambda tools: _at(tools).platform.start_deployment(SERVICE, "web"),
    ("ledger", "append"): lambda tools: tools.ledger.append(entry()),
    ("ledger", "append_all"): lambda tools: tools.ledger.append_all([entry()]),
    ("ledger", "set_operation"): lambda tools: tools.ledger.set_operation(entry(), "6c7e"),
    ("holds", "add"): lambda tools: tools.holds.add(Hold(environment="mark", reason="x", actor="ada", since=START)),
    ("holds", "remove"): lambda tools: tools.holds.remove("mark"),
    ("secrets", "write"): lambda tools: _at(tools).secrets.write("x", Secret("{}"), version=NEW, expected_current=OLD),
    ("commands", "start"): lambda tools: tools.at(_on_ecs()).commands.start(
        _on_ecs(), image=DEFINITION.image, words=("true",), token="1"
    ),
    ("commands", "stop"): lambda tools: tools.at(_on_ecs()).commands.stop(_on_ecs(), "arn:task", reason="x"),
    ("migration_source", "pause"): lambda tools: _at(tools).migration_source.pause(SERVICE),
    ("migration_source", "resume"): lambda tools: _at(tools).migration_source.resume(SERVICE),
    ("migration_source", "delete_source"): lambda tools: _at(tools).migration_source.delete_source(SERVICE),
    ("migration_target", "create_service"): lambda tools: tools.at(_on_ecs()).migration_target.create_service(
        DEFINITION
    ),
    ("migration_target", "delete_service"): lambda tools: tools.at(_on_ecs()).migration_target.delete_service(
        ECS_SERVICE
    ),
    ("secrets", "restore"): lambda tools: _at(tools).secrets.restore("x", version=NEW, expected_current=OLD),
}
SENT_BY_PROGRAMS = {
    ("builder", "push"),
    ("scm", "claim"),
    ("scm", "abandon"),
    ("scm", "withdraw_claim"),
    ("scm", "push"),
}
NOT_OFFERED = {("platform", "stop_deployment")}
"""Calls that App Runner does not offer, which is the platform of these tests."""


@define
class Lease:
    """A lease that ends after some attempts."""

    attempts: int
    seconds: float = 60.0

    def __call__(self) -> float:
        self.attempts -= 1
        if self.attempts < 0:
            raise Locked("lost")
        return self.seconds


def ask(request: Request) -> str:
    """Return the operation that a request is for."""
    return request.headers.get("X-Amz-Target", request.path).rpartition(".")[2]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """AWS, which knows the caller and is broken otherwise."""
    result = b"<Account>123456789012</Account><Arn>arn:web</Arn>"
    caller = b"<R><GetCallerIdentityResult>" + result + b"</GetCallerIdentityResult></R>"
    broken = Reply(status=500, body=b"{}")
    operations = ("PauseService", "PutItem", "Query", "StartDeployment", "UpdateItem")
    script = {"/": [Reply(body=caller)], **{name: [broken] for name in operations}}
    with ScriptedServer(script, question=ask) as running:
        for name, value in {
            "AWS_ENDPOINT_URL": running.url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.mark.integration
def test_every_change_is_tried_here() -> None:
    calls = {(port, call) for port, effects in guarded_calls().items() for call in effects}
    assert calls - SENT_BY_PROGRAMS - NOT_OFFERED == CHANGES.keys()


@pytest.mark.integration
@pytest.mark.parametrize("change", CHANGES.values(), ids=[".".join(name) for name in CHANGES])
def test_nothing_is_sent_once_the_lock_is_lost(server: ScriptedServer, change: Callable[[Tools], object]) -> None:
    tools = Toolbox(settings(), dry=False, draft=True, stream=io.StringIO())
    tools.identity.account_id()
    server.requests.clear()

    with limit_attempts(Lease(0)), pytest.raises(Locked):
        change(tools)

    assert server.requests == []


@pytest.mark.integration
def test_second_attempt_is_not_sent_once_the_lock_is_lost(server: ScriptedServer) -> None:
    """AWS has answered 500, and botocore would try again."""
    tools = Toolbox(settings(), dry=False, draft=True, stream=io.StringIO())
    tools.identity.account_id()

    with limit_attempts(Lease(1)), pytest.raises(Locked):
        _at(tools).migration_source.pause(SERVICE)

    assert len(server.asked("PauseService")) == 1


@pytest.mark.integration
@pytest.mark.parametrize("reply", [Reply(breaks=True), Reply(status=500, body=b"{}")], ids=["no answer", "error"])
@pytest.mark.parametrize(
    ("service", "operation"),
    [(service, operation) for service, operations in NOT_IDEMPOTENT.items() for operation in operations],
)
def test_start_of_a_deployment_whose_answer_was_lost_is_not_repeated(
    server: ScriptedServer, service: str, operation: str, reply: Reply
) -> None:
    server.script[operation] = [reply]
    aws = Aws(region=REGION, profile="", account="")
    client = {"apprunner": aws.apprunner, "ecs": aws.ecs}[service]()

    with pytest.raises(AnswerLost):
        getattr(client, xform_name(operation))()

    assert len(server.asked(operation)) == 1


@pytest.mark.integration
def test_attempt_that_hangs_ends_with_the_lease_and_is_discarded(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel would go on sending it: the peer must be told that the connection is broken."""
    assert server.url
    aws = Aws(region=REGION, profile="", account="")
    aws.account_id()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        client, received = aws.apprunner(), []

        def receive() -> None:
            connection, _ = silent.accept()
            with connection:
                try:
                    while connection.recv(65536):
                        received.append("request")
                    received.append("end")
                except ConnectionResetError:
                    received.append("reset")

        thread = threading.Thread(target=receive)
        thread.start()
        with limit_attempts(Lease(1, seconds=0.5)), pytest.raises(Locked):
            client.pause_service(ServiceArn=SERVICE.id)
        thread.join(HANG_SECONDS)

    assert received[-1] == "reset"


@pytest.mark.integration
def test_write_of_an_item_that_a_transaction_has_is_repeated(server: ScriptedServer) -> None:
    """Its owner renews a lock with others in one transaction, while somebody releases it by force."""
    conflict = Reply(status=400, body=b'{"__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException"}')
    server.script["UpdateItem"] = [conflict, conflict, Reply(body=b"{}")]
    locks = Toolbox(settings(), dry=False, draft=True, stream=io.StringIO()).locks

    assert locks.release(wanted())
    assert len(server.asked("UpdateItem")) == 3


@pytest.mark.integration
def test_write_of_an_item_that_transactions_always_have_is_given_up(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflict = Reply(status=400, body=b'{"__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException"}')
    server.script["UpdateItem"] = [conflict]
    locks = Toolbox(settings(), dry=False, draft=True, stream=io.StringIO()).locks
    monkeypatch.setattr("time.sleep", lambda _seconds: None)

    with pytest.raises(Unreachable, match="TransactionConflictException"):
        locks.release(wanted())

    assert len(server.asked("UpdateItem")) == MAX_ATTEMPTS_IN_CONFLICT


@pytest.mark.parametrize(("seconds", "halvings"), [(float("inf"), 0), (60, 0), (35, 0), (34, 1), (10, 2), (5, 3)])
def test_timeouts_of_an_attempt_fit_into_what_is_left(seconds: float, halvings: int) -> None:
    assert _halvings(seconds) == halvings
