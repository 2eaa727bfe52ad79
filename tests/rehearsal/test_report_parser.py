"""What a rehearsal reads out of what was said and asked."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.console.reporter import create_reporter
from kaizen_tasks.domain.decision import Act, Done
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.domain.version import parse_version
from kaizen_tasks.rehearsal import report_parser
from kaizen_tasks.rehearsal.report_parser import RequestLogReader, StepTiming

if TYPE_CHECKING:
    from pathlib import Path

RELEASE = Release(version=parse_version("v1.2.3"))


def test_reads_the_steps_of_the_reporter() -> None:
    """The very one that speaks where there is no terminal."""
    said = io.StringIO()
    people = create_reporter(said, dry=False)
    people.heading("web v1.2.3 → staging   (account 123456789012, eu-west-1)")
    people.decided(StepLabel("preflight"), Done("nothing stands in the way", RELEASE))
    people.decided(StepLabel("bump"), Done("VERSION says 1.2.3 (2s)", RELEASE))
    people.decided(StepLabel("deploy", "a-very-long-environment"), Act("deploy it", RELEASE))
    people.progress(StepLabel("deploy", "a-very-long-environment"), "IN_PROGRESS after 0.0s")
    people.succeeded(StepLabel("deploy", "a-very-long-environment"), "was deployed (again)", 200)
    with people.rollout_table(("staging", "prod"), lambda _: None):  # where every line has a time
        people.decided(StepLabel("verify", "staging"), Act("ask", RELEASE))
        people.failed(StepLabel("verify", "staging"), 0.42)

    found = report_parser.parse_step_timings(said.getvalue().splitlines())

    assert found == (
        StepTiming(step="preflight", verdict="ok", seconds=0),
        StepTiming(step="bump", verdict="already done", seconds=0),
        StepTiming(step="deploy a-very-long-environment", verdict="done", seconds=200),
        StepTiming(step="verify staging", verdict="failed", seconds=0.4),
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

    assert list(report_parser.count_changes(requests).items()) == [
        ("dynamodb:UpdateItem", 2),
        ("upload a layer to team/web", 1),
        ("mount a layer into team/web", 1),
        ("put team/web:v1.2.3", 1),
        ("ecr:PutImage", 1),
    ]


def test_reads_on_where_it_has_stopped(tmp_path: Path) -> None:
    log, path = RequestLogReader(tmp_path), tmp_path / "requests.jsonl"
    path.write_text(json.dumps(request("ecr", "PutImage")) + "\n")
    assert len(log.read_new()) == 1

    with path.open("a") as file:
        file.write(json.dumps(request("sts", "GetCallerIdentity")) + "\n")

    assert [each["service"] for each in log.read_new()] == ["sts"]
    assert log.read_new() == []
