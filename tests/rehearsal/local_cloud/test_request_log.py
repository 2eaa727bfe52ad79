"""What a local cloud's log of requests says about changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kaizen_tasks.rehearsal.local_cloud.request_log import FileTail, count_changes

if TYPE_CHECKING:
    from pathlib import Path


def request(service: str, operation: str = "", *, method: str = "", path: str = "", status: int = 200) -> str:
    """Return a line of the log."""
    call = {"operation": operation} if operation else {"method": method, "path": path}
    return json.dumps({"service": service, **call, "status": status})


def test_counts_successful_changes_in_the_order_of_the_first_one() -> None:
    uploads = "/v2/team/web/blobs/uploads/"
    lines = [
        request("sts", "AssumeRole"),
        request("ecr", "BatchGetImage"),
        request("dynamodb", "UpdateItem"),
        request("registry", method="HEAD", path="/v2/team/web/blobs/sha256:1"),
        request("registry", method="POST", path=uploads, status=202),
        request("registry", method="PATCH", path=f"{uploads}1", status=202),
        request("registry", method="PUT", path=f"{uploads}1", status=201),
        request("registry", method="POST", path=uploads, status=201),
        request("registry", method="PUT", path="/v2/team/web/manifests/v1.2.3", status=201),
        request("ecr", "PutImage"),
        request("apprunner", "StartDeployment", status=400),
        request("dynamodb", "UpdateItem"),
    ]

    assert list(count_changes(lines).items()) == [
        ("dynamodb:UpdateItem", 2),
        ("upload a layer to team/web", 1),
        ("mount a layer into team/web", 1),
        ("put team/web:v1.2.3", 1),
        ("ecr:PutImage", 1),
    ]


def test_a_tail_returns_each_line_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tail = FileTail(path)
    assert tail.read_new_lines() == []

    path.write_text("one\n")
    assert tail.read_new_lines() == ["one\n"]
    with path.open("a") as file:
        file.write("two\n")

    assert tail.read_new_lines() == ["two\n"]
    assert tail.read_new_lines() == []
