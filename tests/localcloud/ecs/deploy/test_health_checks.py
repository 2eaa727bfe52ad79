from __future__ import annotations

from typing import Any

import pytest

from kaizen_tasks.localcloud.ecs.deploy.health_checks import health_check
from kaizen_tasks.localcloud.ecs.services import ServiceRevision

PORTS = [{"containerPort": 3000}]


def check_of(
    container: dict[str, Any], *, express: dict[str, Any] | None = None, **settings: Any
) -> tuple[str, str, int]:
    revision = ServiceRevision(arn="", created=0, task_definition="", digests={}, settings=settings, express=express)
    check = health_check(revision, {"containerDefinitions": [{"name": "side"}, container]})
    return (check.protocol, check.path, check.port)


def test_express_asks_for_its_path() -> None:
    assert check_of({"portMappings": PORTS}, express={"healthCheckPath": "/ping"}) == ("HTTP", "/ping", 3000)


def test_gateway_connector_asks_for_its_path() -> None:
    connectors = [{"portName": "http", "healthCheck": {"healthCheckPath": "/ready"}}]

    assert check_of({"portMappings": PORTS}, gatewayConnectors=connectors) == ("HTTP", "/ready", 3000)


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (["CMD-SHELL", "curl -f http://localhost:3000/health || exit 1"], "/health"),
        (["CMD", "wget", "-q", "http://127.0.0.1/"], "/"),
        (["CMD-SHELL", "python -c \"import urllib.request as u; u.urlopen('http://localhost:3000/up')\""], "/up"),
        (["CMD-SHELL", "curl -f http://localhost:3000"], "/"),
    ],
)
def test_command_that_asks_for_a_url_is_a_check_by_http(command: list[str], path: str) -> None:
    container = {"portMappings": PORTS, "healthCheck": {"command": command}}

    assert check_of(container) == ("HTTP", path, 3000)


def test_other_commands_are_not_run() -> None:
    assert check_of({"portMappings": PORTS, "healthCheck": {"command": ["CMD", "true"]}}) == ("TCP", "/", 3000)


def test_worker_has_to_live() -> None:
    assert check_of({"name": "worker"})[0] == "NONE"


def test_grace_period_of_the_service_is_honoured() -> None:
    revision = ServiceRevision(
        arn="", created=0, task_definition="", digests={}, settings={"healthCheckGracePeriodSeconds": 300}
    )

    check = health_check(revision, {"containerDefinitions": [{"name": "web", "portMappings": PORTS}]})

    assert (check.startup_timeout, check.error_timeout) == (300, 300)
