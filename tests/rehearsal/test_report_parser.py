"""What a rehearsal reads out of what was said and asked."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.console.reporter import reporter
from kaizen_tasks.domain.decision import Act, Done
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.domain.version import parse
from kaizen_tasks.rehearsal import report_parser
from kaizen_tasks.rehearsal.report_parser import RequestLog, Took

if TYPE_CHECKING:
    from pathlib import Path

RELEASE = Release(version=parse("v1.2.3"))


def test_reads_the_steps_of_the_reporter() -> None:
    """The very one that speaks where there is no terminal."""
    said = io.StringIO()
    people = reporter(said, dry=False)
    people.heading("web v1.2.3 → staging   (account 123456789012, eu-west-1)")
    people.decided(Label("preflight"), Done("nothing stands in the way", RELEASE))
    people.decided(Label("bump"), Done("VERSION says 1.2.3 (2s)", RELEASE))
    people.decided(Label("deploy", "a-very-long-environment"), Act("deploy it", RELEASE))
    people.progress(Label("deploy", "a-very-long-environment"), "IN_PROGRESS after 0.0s")
    people.acted(Label("deploy", "a-very-long-environment"), "was deployed (again)", 200)
    with people.side_by_side(("staging", "prod"), lambda _: None):  # where every line has a time
        people.decided(Label("verify", "staging"), Act("ask", RELEASE))
        people.failed(Label("verify", "staging"), 0.42)

    found = report_parser.steps(said.getvalue().splitlines())

    assert found == (
        Took(step="preflight", verdict="ok", seconds=0),
        Took(step="bump", verdict="already done", seconds=0),
        Took(step="deploy a-very-long-environment", verdict="done", seconds=200),
        Took(step="verify staging", verdict="failed", seconds=0.4),
    )


def request(
    service: str, operation: str = "", *, method: str = "", path: str = "", status: int = 200
) -> dict[str, object]:
    """Return a line of the log."""
    named = {"operation": operation} if operation else {"method": method, "path": path}
    return {"service": service, **named, "status": status}


def test_names_what_changes_something_in_order_and_how_often() -> None:
    uploads = "/v2/team/web/blobs/uploads/"
    requests = [
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

    assert list(report_parser.changes(requests).items()) == [
        ("dynamodb:UpdateItem", 2),
        ("upload a layer to team/web", 1),
        ("mount a layer into team/web", 1),
        ("put team/web:v1.2.3", 1),
        ("ecr:PutImage", 1),
    ]


def test_reads_on_where_it_has_stopped(tmp_path: Path) -> None:
    log, path = RequestLog(tmp_path), tmp_path / "requests.jsonl"
    path.write_text(json.dumps(request("ecr", "PutImage")) + "\n")
    assert len(log.new()) == 1

    with path.open("a") as file:
        file.write(json.dumps(request("sts", "GetCallerIdentity")) + "\n")

    assert [each["service"] for each in log.new()] == ["sts"]
    assert log.new() == []
