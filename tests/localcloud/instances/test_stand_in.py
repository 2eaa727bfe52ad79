"""Instances that run nothing."""

from __future__ import annotations

import http.client
import json
import threading
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.localcloud.instances.rootfs import PlatformImage
from kaizen_tasks.localcloud.instances.spec import InstanceSpec
from kaizen_tasks.localcloud.instances.stand_in import StandIns
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


def spec(folder: Path, number: int) -> InstanceSpec:
    return InstanceSpec(
        instance_id=f"{number:032}",
        repository="app",
        image=PlatformImage(
            digest="",
            layers=(),
            entrypoint=(),
            command=(),
            environment={},
            working_directory="/",
            labels={"org.opencontainers.image.version": f"v1.0.{number}"},
        ),
        variables={"ENVIRONMENT": "staging"},
        arguments=(),
        port=8080,
        output=folder / "output",
    )


def ask(port: int, method: str = "GET", path: str = "/version", body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANG_SECONDS)
    connection.request(method, path, body)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def test_stand_ins_answer_version_and_environment_in_one_thread(tmp_path: Path) -> None:
    threads, stand_ins = threading.active_count(), StandIns()
    instances = [stand_ins.start(spec(tmp_path, number)) for number in range(20)]
    assert threading.active_count() == threads + 1
    for number, instance in enumerate(instances):
        status, content = ask(instance.port)
        assert (status, json.loads(content)) == (200, {"version": f"v1.0.{number}", "environment": "staging"})
    for instance in instances:
        instance.stop()
        instance.stop()
    assert threading.active_count() == threads
    with pytest.raises(ConnectionRefusedError):
        ask(instances[0].port)


def test_stand_in_answers_every_method_on_a_connection_that_stays_open(tmp_path: Path) -> None:
    stand_ins = StandIns()
    instance = stand_ins.start(spec(tmp_path, 1))
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=HANG_SECONDS)
    for method, body in (("GET", None), ("POST", b"x" * 9999), ("HEAD", None), ("GET", None)):
        connection.request(method, "/", body)
        response = connection.getresponse()
        assert (response.status, bool(response.read())) == (200, method != "HEAD")
    instance.stop()  # with a connection that is still open
    connection.close()
    other = stand_ins.start(spec(tmp_path, 2))
    assert other.exit_code() is None
    other.stop()
