from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import signal
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from kaizen_tasks.localcloud.apprunner import service_instances, services
from kaizen_tasks.localcloud.apprunner.apprunner_api import AppRunner
from kaizen_tasks.localcloud.atomic_write import write_atomically
from kaizen_tasks.localcloud.registry.store import ImageStore
from kaizen_tasks.localcloud.server.aws_json import ServiceError
from tests.localcloud.layers import SERVER, Shelf
from tests.localcloud.manual_clock import ManualClock
from tests.support.waiting import HANG_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ROLE = {"AccessRoleArn": "arn:aws:iam::123456789012:role/pulls"}
BROKEN = "raise SystemExit('cannot start')"
SILENT = "import time; time.sleep(60)"
IMPATIENT = {"Interval": 1, "Timeout": 1, "UnhealthyThreshold": 1}


class Region:
    """App Runner and the registry's store, without HTTP."""

    def __init__(self, folder: Path, *, deploy_seconds: float = 0, notice_seconds: float = 0) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self._deploy_seconds = deploy_seconds
        self._notice_seconds = notice_seconds
        self.start()

    def start(self) -> None:
        self.images = Shelf(ImageStore(self.folder / "registry"))
        self.apprunner = AppRunner(
            state=self.folder / "apprunner",
            store=self.images.store,
            account="123456789012",
            region="eu-west-1",
            engine="process",
            deploy_seconds=self._deploy_seconds,
            notice_seconds=self._notice_seconds,
            registry="127.0.0.1:1",
            clock=self.clock,
        )

    def create(self, name: str = "coach-service", repository: str = "coach", **changes: Any) -> dict[str, Any]:
        """Create a service and wait until the operation has ended."""
        answer = self.apprunner.create_service(self.request(name, repository, **changes))
        self.outcome(answer["Service"]["ServiceArn"], answer["OperationId"])
        return self.describe(answer["Service"]["ServiceArn"])

    def request(self, name: str, repository: str, **changes: Any) -> dict[str, Any]:
        automatic = {"AutoDeploymentsEnabled": changes.pop("automatic")} if "automatic" in changes else {}
        configuration = {"ImageConfiguration": changes.pop("image")} if "image" in changes else {}
        image = {"ImageIdentifier": f"{HOST}/{repository}:latest", "ImageRepositoryType": "ECR"}
        source = {"ImageRepository": {**image, **configuration}, "AuthenticationConfiguration": ROLE, **automatic}
        return {"ServiceName": name, "SourceConfiguration": source, **changes}

    def describe(self, arn: str) -> dict[str, Any]:
        service: dict[str, Any] = self.apprunner.describe_service({"ServiceArn": arn})["Service"]
        return service

    def operations(self, arn: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.apprunner.list_operations({"ServiceArn": arn})["OperationSummaryList"]
        return listed

    def outcome(self, arn: str, operation: str) -> str:
        """Wait for an operation to end; return its status."""

        def status() -> str:
            return next(str(known["Status"]) for known in self.operations(arn) if known["Id"] == operation)

        wait_for(lambda: status() in {"SUCCEEDED", "FAILED", "ROLLBACK_SUCCEEDED", "ROLLBACK_FAILED"})
        return status()

    def wait_until_idle(self) -> None:
        """Wait until a thread of the controller waits for a deadline."""
        wait_for(lambda: self.clock.awaited > self.clock.reading)

    def skip(self) -> None:
        """Move the clock on to the deadline that a thread waits for."""
        self.wait_until_idle()
        self.clock.reading = self.clock.awaited

    def deploy(self, arn: str) -> str:
        """Start a deployment and wait; return its status."""
        return self.carry_out("start_deployment", arn)

    def carry_out(self, call: str, arn: str) -> str:
        """Start an operation and wait; return its status."""
        answer: dict[str, Any] = getattr(self.apprunner, call)({"ServiceArn": arn})
        return self.outcome(arn, answer["OperationId"])

    def log(self, service: dict[str, Any], stream: str) -> str:
        group = self.folder.joinpath("apprunner", "logs", service["ServiceName"], service["ServiceId"])
        return group.joinpath(stream).read_text()


def ask(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://{url}/version", timeout=HANG_SECONDS) as answer:
        document: dict[str, Any] = json.loads(answer.read())
        return document


def version_at(url: str) -> str:
    return str(ask(url)["APP_VERSION"])


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Region]:
    before = threading.active_count()
    region = Region(tmp_path)
    region.images.repository("coach")
    yield region
    region.apprunner.close()
    assert threading.active_count() <= before


def refusal(region: Region, call: str, request: dict[str, Any]) -> tuple[str, str]:
    """Return the code and message of a refused request."""
    with pytest.raises(ServiceError) as caught:
        getattr(region.apprunner, call)(request)
    return caught.value.code, caught.value.message


def test_created_service_serves_its_image(region: Region) -> None:
    region.images.app("coach", "v1.0.0")
    service = region.create(image={"RuntimeEnvironmentVariables": {"ENVIRONMENT": "staging"}})
    assert service["Status"] == "RUNNING"
    assert re.fullmatch(
        r"arn:aws:apprunner:eu-west-1:123456789012:service/coach-service/[0-9a-f]{32}", service["ServiceArn"]
    )
    assert re.fullmatch(r"127\.0\.0\.1:\d+", service["ServiceUrl"])
    answer = ask(service["ServiceUrl"])
    assert (answer["APP_VERSION"], answer["ENVIRONMENT"]) == ("v1.0.0", "staging")


def test_configuration_has_the_defaults_of_aws(region: Region) -> None:
    region.images.app("coach", "v1")
    service = region.create()
    assert service["SourceConfiguration"]["AutoDeploymentsEnabled"] is True
    assert service["SourceConfiguration"]["ImageRepository"]["ImageConfiguration"] == {"Port": "8080"}
    assert service["HealthCheckConfiguration"] == {
        "Protocol": "TCP",
        "Path": "/",
        "Interval": 5,
        "Timeout": 2,
        "HealthyThreshold": 1,
        "UnhealthyThreshold": 5,
    }
    assert service["InstanceConfiguration"] == {"Cpu": "1024", "Memory": "2048"}


def test_service_without_an_image_fails_to_create_and_can_be_updated(region: Region) -> None:
    service = region.create()
    arn = service["ServiceArn"]
    assert service["Status"] == "CREATE_FAILED"
    assert [(known["Type"], known["Status"]) for known in region.operations(arn)] == [("CREATE_SERVICE", "FAILED")]
    assert "Failure reason : Image coach:latest does not exist." in region.log(service, "service/events")
    region.images.app("coach", "v1")
    assert region.outcome(arn, region.apprunner.update_service({"ServiceArn": arn})["OperationId"]) == "SUCCEEDED"
    assert version_at(service["ServiceUrl"]) == "v1"


def test_deployment_has_the_statuses_of_aws(tmp_path: Path) -> None:
    region = Region(tmp_path, deploy_seconds=0.3)
    with contextlib.closing(region.apprunner):
        region.images.repository("coach")
        region.images.app("coach", "v1")
        answer = region.apprunner.create_service(region.request("coach-service", "coach"))
        arn, operation = answer["Service"]["ServiceArn"], answer["OperationId"]
        assert answer["Service"]["Status"] == "OPERATION_IN_PROGRESS"
        assert region.operations(arn)[0]["Status"] in {"PENDING", "IN_PROGRESS"}
        region.wait_until_idle()
        assert region.operations(arn)[0]["Status"] == "IN_PROGRESS"
        region.skip()
        assert region.clock.reading == 0.3
        assert region.outcome(arn, operation) == "SUCCEEDED"
        ended = region.operations(arn)[0]
        assert ended["Id"] == operation
        assert ended["StartedAt"] <= ended["EndedAt"] == ended["UpdatedAt"]


def test_operation_ends_only_when_its_end_is_on_the_disk(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    region.images.app("coach", "v1")
    arn = region.create()["ServiceArn"]
    failures = iter(range(2))

    def write_unless_full(path: Path, content: bytes) -> None:
        if b"IN_PROGRESS" not in content and b"PENDING" not in content and next(failures, None) is not None:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_atomically(path, content)

    monkeypatch.setattr(services, "write_atomically", write_unless_full)
    operation = region.apprunner.start_deployment({"ServiceArn": arn})["OperationId"]
    for _ in range(2):
        region.wait_until_idle()
        assert region.operations(arn)[0]["Status"] == "IN_PROGRESS"
        region.skip()
    assert region.outcome(arn, operation) == "SUCCEEDED"


def test_deployment_runs_the_image_of_the_tag(region: Region) -> None:
    region.images.app("coach", "v1")
    service = region.create(automatic=False)
    region.images.app("coach", "v2")
    assert version_at(service["ServiceUrl"]) == "v1"
    assert region.deploy(service["ServiceArn"]) == "SUCCEEDED"
    assert version_at(service["ServiceUrl"]) == "v2"
    assert region.describe(service["ServiceArn"])["ServiceUrl"] == service["ServiceUrl"]


def test_deployment_runs_the_image_that_the_tag_had_at_its_start(tmp_path: Path) -> None:
    region = Region(tmp_path, deploy_seconds=0.3)
    with contextlib.closing(region.apprunner):
        region.images.repository("coach")
        region.images.app("coach", "v1")
        answer = region.apprunner.create_service(region.request("coach-service", "coach", automatic=False))
        region.images.app("coach", "v2")
        region.skip()
        region.outcome(answer["Service"]["ServiceArn"], answer["OperationId"])
        assert version_at(answer["Service"]["ServiceUrl"]) == "v1"


@contextlib.contextmanager
def hammering(url: str) -> Iterator[list[str]]:
    """Request the version all the time, at least once before the body runs; collect answers and errors."""
    answers: list[str] = []
    done = threading.Event()

    def hammer() -> None:
        while not done.wait(0.005):
            try:
                answers.append(version_at(url))
            except OSError as error:
                answers.append(repr(error))

    client = threading.Thread(target=hammer)
    client.start()
    try:
        wait_for(lambda: bool(answers))
        yield answers
    finally:
        done.set()
        client.join()


@pytest.mark.parametrize("script", [BROKEN, SILENT])
def test_rollback_fails_no_request(tmp_path: Path, script: str) -> None:
    region = Region(tmp_path)
    with contextlib.closing(region.apprunner):
        region.images.repository("coach")
        region.images.app("coach", "v1")
        service = region.create(automatic=False, HealthCheckConfiguration=IMPATIENT)
        region.images.app("coach", "v2", script=script)
        region.clock.tick = 0.1
        with hammering(service["ServiceUrl"]) as answers:
            assert region.deploy(service["ServiceArn"]) == "ROLLBACK_SUCCEEDED"
        assert set(answers) == {"v1"}
        assert region.describe(service["ServiceArn"])["Status"] == "RUNNING"
        assert region.operations(service["ServiceArn"])[0]["Type"] == "START_DEPLOYMENT"


def test_deployment_fails_no_request(region: Region) -> None:
    region.images.app("coach", "v1")
    service = region.create(automatic=False)
    with hammering(service["ServiceUrl"]) as answers:
        for version in ("v2", "v3"):
            region.images.app("coach", version)
            assert region.deploy(service["ServiceArn"]) == "SUCCEEDED"
            answers.append(f"deployed {version}")
        wait_for(lambda: answers[-1] == "v3")
    assert set(answers) == {"v1", "v2", "v3", "deployed v2", "deployed v3"}
    assert "v2" not in answers[answers.index("deployed v3") :]


def test_log_has_the_reason_of_a_failed_deployment(region: Region) -> None:
    region.images.app("coach", "v1")
    service = region.create(automatic=False)
    region.images.app("coach", "v2", script=BROKEN)
    region.deploy(service["ServiceArn"])
    operation = region.operations(service["ServiceArn"])[0]["Id"]
    lines = region.log(service, f"service/deployment/{operation.replace('-', '')}").splitlines()
    messages = [json.loads(line)["message"] for line in lines]
    assert messages[-1] == (
        f"[AppRunner] Deployment with ID : {operation} failed. Failure reason : Health check failed."
    )
    assert "[AppRunner] Container exit code: 1" in messages
    assert "[AppRunner] Last output : cannot start" in messages
    assert messages[-1] in region.log(service, "service/events")
    instance = re.search(r"Starting instance ([0-9a-f]{32})", lines[1])
    assert instance is not None
    assert region.log(service, f"application/instance/{instance[1]}") == "cannot start\n"


def test_failed_update_restores_the_configuration(region: Region) -> None:
    region.images.app("coach", "v1")
    service = region.create(HealthCheckConfiguration=IMPATIENT)
    arn = service["ServiceArn"]
    wrong = region.request("", "missing")["SourceConfiguration"]
    answer = region.apprunner.update_service({"ServiceArn": arn, "SourceConfiguration": wrong})
    assert answer["Service"]["SourceConfiguration"]["ImageRepository"]["ImageIdentifier"].endswith("/missing:latest")
    assert region.outcome(arn, answer["OperationId"]) == "ROLLBACK_SUCCEEDED"
    assert region.describe(arn)["SourceConfiguration"] == service["SourceConfiguration"]
    assert version_at(service["ServiceUrl"]) == "v1"


def test_update_keeps_settings_that_it_does_not_name(region: Region) -> None:
    region.images.app("coach", "v1")
    service = region.create(automatic=False, HealthCheckConfiguration=IMPATIENT)
    arn = service["ServiceArn"]
    source = region.request("", "coach", image={"RuntimeEnvironmentVariables": {"ENVIRONMENT": "new"}})
    update = {"ServiceArn": arn, "SourceConfiguration": source["SourceConfiguration"]}
    assert region.outcome(arn, region.apprunner.update_service(update)["OperationId"]) == "SUCCEEDED"
    assert ask(service["ServiceUrl"])["ENVIRONMENT"] == "new"
    changed = region.describe(arn)
    assert changed["SourceConfiguration"]["AutoDeploymentsEnabled"] is False
    assert changed["HealthCheckConfiguration"] == service["HealthCheckConfiguration"]


def test_moved_tag_starts_a_deployment(region: Region) -> None:
    region.images.app("coach", "v1")
    service = region.create()
    region.images.app("coach", "v2", tag="v2.0.0")
    region.images.app("coach", "v2")
    wait_for(lambda: version_at(service["ServiceUrl"]) == "v2")
    wait_for(lambda: region.operations(service["ServiceArn"])[0]["Status"] == "SUCCEEDED")
    kinds = [known["Type"] for known in region.operations(service["ServiceArn"])]
    assert kinds == ["START_DEPLOYMENT", "CREATE_SERVICE"]


def test_moved_tag_starts_a_deployment_after_notice_seconds(tmp_path: Path) -> None:
    region = Region(tmp_path, notice_seconds=0.3)
    with contextlib.closing(region.apprunner):
        region.images.repository("coach")
        region.images.app("coach", "v1")
        service = region.create()
        region.images.app("coach", "v2")
        assert [known["Type"] for known in region.operations(service["ServiceArn"])] == ["CREATE_SERVICE"]
        region.skip()
        wait_for(lambda: version_at(service["ServiceUrl"]) == "v2")


def test_moved_tag_is_ignored_without_automatic_deployments(region: Region) -> None:
    region.images.app("coach", "v1")
    service = region.create(automatic=False)
    region.images.app("coach", "v2")
    assert [known["Type"] for known in region.operations(service["ServiceArn"])] == ["CREATE_SERVICE"]


def test_busy_service_deploys_a_moved_tag_afterwards(tmp_path: Path) -> None:
    region = Region(tmp_path, deploy_seconds=0.3)
    with contextlib.closing(region.apprunner):
        region.images.repository("coach")
        region.images.app("coach", "v1")
        answer = region.apprunner.create_service(region.request("coach-service", "coach"))["Service"]
        region.images.app("coach", "v2")
        region.images.app("coach", "v3")
        arn = answer["ServiceArn"]
        region.skip()
        region.skip()
        wait_for(lambda: [known["Status"] for known in region.operations(arn)] == ["SUCCEEDED"] * 2)
        assert version_at(answer["ServiceUrl"]) == "v3"


def test_paused_service_answers_503_and_resumes_with_its_image(region: Region) -> None:
    region.images.app("coach", "v1")
    service = region.create()
    arn = service["ServiceArn"]
    answer = region.apprunner.pause_service({"ServiceArn": arn})
    assert region.outcome(arn, answer["OperationId"]) == "SUCCEEDED"
    assert region.describe(arn)["Status"] == "PAUSED"
    with pytest.raises(urllib.error.HTTPError, match="503"):
        ask(service["ServiceUrl"])
    region.images.app("coach", "v2")
    answer = region.apprunner.resume_service({"ServiceArn": arn})
    assert region.outcome(arn, answer["OperationId"]) == "SUCCEEDED"
    assert version_at(service["ServiceUrl"]) == "v1"
    kinds = [known["Type"] for known in region.operations(arn)]
    assert kinds == ["RESUME_SERVICE", "PAUSE_SERVICE", "CREATE_SERVICE"]


def test_deleted_service_is_not_listed_but_its_operations_are(region: Region) -> None:
    region.images.app("coach", "v1")
    service = region.create()
    arn = service["ServiceArn"]
    answer = region.apprunner.delete_service({"ServiceArn": arn})
    assert region.outcome(arn, answer["OperationId"]) == "SUCCEEDED"
    with pytest.raises(urllib.error.URLError, match="refused"):
        ask(service["ServiceUrl"])
    assert region.apprunner.list_services({})["ServiceSummaryList"] == []
    assert region.describe(arn)["Status"] == "DELETED"
    assert region.describe(arn)["DeletedAt"] is not None
    assert region.create()["Status"] == "RUNNING"


def test_second_operation_is_an_invalid_state_exception(tmp_path: Path) -> None:
    region = Region(tmp_path, deploy_seconds=0.5)
    with contextlib.closing(region.apprunner):
        region.images.repository("coach")
        region.images.app("coach", "v1")
        answer = region.apprunner.create_service(region.request("coach-service", "coach"))
        request = {"ServiceArn": answer["Service"]["ServiceArn"]}
        assert refusal(region, "start_deployment", request) == (
            "InvalidRequestException",
            "Can't start a deployment on the specified service, because it isn't in RUNNING state.",
        )
        for call in ("update_service", "pause_service", "resume_service", "delete_service"):
            code, _ = refusal(region, call, request)
            assert code == "InvalidStateException"


def test_deployment_of_a_paused_service_is_an_invalid_request_exception(region: Region) -> None:
    region.images.app("coach", "v1")
    arn = region.create()["ServiceArn"]
    region.outcome(arn, region.apprunner.pause_service({"ServiceArn": arn})["OperationId"])
    code, message = refusal(region, "start_deployment", {"ServiceArn": arn})
    assert (code, "isn't in RUNNING state" in message) == ("InvalidRequestException", True)
    assert refusal(region, "pause_service", {"ServiceArn": arn})[0] == "InvalidStateException"


def test_instance_that_stops_after_its_health_check_is_replaced(region: Region) -> None:
    region.images.app("coach", "v1")
    service = region.create()
    first = ask(service["ServiceUrl"])["pid"]
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: serves(service["ServiceUrl"]) and ask(service["ServiceUrl"])["pid"] != first)
    assert region.describe(service["ServiceArn"])["Status"] == "RUNNING"
    assert [known["Type"] for known in region.operations(service["ServiceArn"])] == ["CREATE_SERVICE"]
    events = region.log(service, "service/events")
    assert "See logs for more information. Container exit code: 137" in events
    assert events.count("Starting instance") == events.count("Routing traffic to application.") == 2


def test_instance_that_becomes_unhealthy_is_replaced(region: Region) -> None:
    """It keeps listening, but answers 500 after `/break`."""
    broken = SERVER.replace("self.send_response(200)", "self.send_response(500 if os.path.exists('broken') else 200)")
    script = broken.replace("names = (", "open('broken', 'w').close() if self.path == '/break' else None; names = (")
    region.images.app("coach", "v1", script=script)
    check = {"Protocol": "HTTP", "Interval": 5, "Timeout": 1, "UnhealthyThreshold": 2}
    service = region.create(HealthCheckConfiguration=check)
    first = ask(service["ServiceUrl"])["pid"]
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(f"http://{service['ServiceUrl']}/break", timeout=HANG_SECONDS).close()

    def is_reported() -> bool:
        region.clock.reading += 1
        return "Your application is being replaced." in region.log(service, "service/events")

    wait_for(is_reported)
    wait_for(lambda: serves(service["ServiceUrl"]) and ask(service["ServiceUrl"])["pid"] != first)


def test_replacement_is_tried_until_it_starts(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_instances, "_retry_delay", lambda _attempt: 0.01)
    obstacle = region.folder / "obstacle"
    guard = f"import os\nif os.path.exists({str(obstacle)!r}): raise SystemExit(3)\n"
    region.images.app("coach", "v1", script=guard + SERVER)
    service = region.create()
    obstacle.touch()
    os.kill(ask(service["ServiceUrl"])["pid"], signal.SIGKILL)
    wait_for(lambda: "could not be started" in region.log(service, "service/events"))
    assert not serves(service["ServiceUrl"])
    obstacle.unlink()
    wait_for(lambda: serves(service["ServiceUrl"]))


def test_instances_that_end_early_are_replaced_ever_later(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[int] = []

    def retry_delay(attempt: int) -> float:
        attempts.append(attempt)
        return 0.0

    monkeypatch.setattr(service_instances, "_retry_delay", retry_delay)
    region.images.app("coach", "v1")
    url = region.create()["ServiceUrl"]
    processes: list[int] = []

    def has_another_process() -> bool:
        return serves(url) and ask(url)["pid"] not in processes

    for _ in range(3):
        processes.append(ask(url)["pid"])
        os.kill(processes[-1], signal.SIGKILL)
        wait_for(has_another_process)
    assert attempts == [0, 1]


def test_unknown_service_is_a_resource_not_found_exception(region: Region) -> None:
    unknown = f"arn:aws:apprunner:eu-west-1:123456789012:service/none/{'0' * 32}"
    for call in [
        "describe_service",
        "update_service",
        "delete_service",
        "pause_service",
        "resume_service",
        "start_deployment",
        "list_operations",
    ]:
        code, _ = refusal(region, call, {"ServiceArn": unknown})
        assert code == "ResourceNotFoundException"
    request = {"ResourceArn": unknown, "Tags": [], "TagKeys": []}
    for call in ("list_tags_for_resource", "tag_resource", "untag_resource"):
        code, _ = refusal(region, call, request)
        assert code == "ResourceNotFoundException"


def test_second_service_of_a_name_is_refused(region: Region) -> None:
    region.images.app("coach", "v1")
    region.create()
    code, message = refusal(region, "create_service", region.request("coach-service", "coach"))
    assert (code, "already exists" in message) == ("InvalidRequestException", True)


def test_start_command_replaces_the_images_command(region: Region) -> None:
    region.images.app("coach", "v1")
    text = "import os; os.environ['APP_VERSION'] = 'chosen'; exec(open('server.py').read())"
    service = region.create(image={"StartCommand": f'python -c "{text}"'})
    assert version_at(service["ServiceUrl"]) == "chosen"


def test_services_are_listed_in_pages(region: Region) -> None:
    names = [f"missing-{number:02}" for number in range(23)]
    for name in names:
        region.create(name)
    first = region.apprunner.list_services({})
    assert len(first["ServiceSummaryList"]) == 20
    second = region.apprunner.list_services({"NextToken": first["NextToken"], "MaxResults": 2})
    third = region.apprunner.list_services({"NextToken": second["NextToken"]})
    listed = [page["ServiceName"] for answer in (first, second, third) for page in answer["ServiceSummaryList"]]
    assert listed == names
    assert "NextToken" not in third
    code, _ = refusal(region, "list_services", {"NextToken": "made up"})
    assert code == "InvalidRequestException"


def test_operations_are_listed_in_pages_newest_first(region: Region) -> None:
    region.images.app("coach", "v1")
    arn = region.create(automatic=False)["ServiceArn"]
    for kind in ("pause_service", "resume_service", "pause_service"):
        region.outcome(arn, getattr(region.apprunner, kind)({"ServiceArn": arn})["OperationId"])
    first = region.apprunner.list_operations({"ServiceArn": arn, "MaxResults": 3})
    rest = region.apprunner.list_operations({"ServiceArn": arn, "NextToken": first["NextToken"]})
    kinds = [known["Type"] for page in (first, rest) for known in page["OperationSummaryList"]]
    assert kinds == ["PAUSE_SERVICE", "RESUME_SERVICE", "PAUSE_SERVICE", "CREATE_SERVICE"]


def test_tags_can_be_added_and_removed(region: Region) -> None:
    arn = region.create(Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])["ServiceArn"]
    region.apprunner.tag_resource({"ResourceArn": arn, "Tags": [{"Key": "b", "Value": "3"}, {"Key": "c"}]})
    region.apprunner.untag_resource({"ResourceArn": arn, "TagKeys": ["a", "absent"]})
    tags = region.apprunner.list_tags_for_resource({"ResourceArn": arn})["Tags"]
    assert tags == [{"Key": "b", "Value": "3"}, {"Key": "c", "Value": ""}]


def test_restart_runs_the_same_image_on_the_same_port(region: Region) -> None:
    region.images.repository("other")
    region.images.app("coach", "v1")
    region.images.app("other", "v1")
    running = region.create(automatic=False)
    paused = region.create("paused-service", "other")
    region.outcome(
        paused["ServiceArn"], region.apprunner.pause_service({"ServiceArn": paused["ServiceArn"]})["OperationId"]
    )
    region.images.app("coach", "v2")
    region.apprunner.close()
    with pytest.raises(urllib.error.URLError, match="refused"):
        ask(running["ServiceUrl"])
    region.start()
    after = region.describe(running["ServiceArn"])
    assert (after["Status"], after["ServiceUrl"]) == ("RUNNING", running["ServiceUrl"])
    wait_for(lambda: serves(running["ServiceUrl"]))
    assert version_at(running["ServiceUrl"]) == "v1"
    assert region.describe(paused["ServiceArn"])["Status"] == "PAUSED"
    assert not serves(paused["ServiceUrl"])


def serves(url: str) -> bool:
    try:
        ask(url)
    except OSError:
        return False
    return True


def test_interrupted_operation_is_ended_by_the_next_start(tmp_path: Path) -> None:
    region = Region(tmp_path)
    region.images.repository("coach")
    region.images.app("coach", "v1")
    service = region.create(automatic=False)
    region.images.app("coach", "v2", script=SILENT)
    region.apprunner.start_deployment({"ServiceArn": service["ServiceArn"]})
    fresh = region.apprunner.create_service(region.request("second-service", "coach"))["Service"]
    region.apprunner.close()  # the clock does not move: no timeout can end it
    region.start()
    with contextlib.closing(region.apprunner):
        assert region.operations(service["ServiceArn"])[0]["Status"] == "ROLLBACK_SUCCEEDED"
        assert region.describe(service["ServiceArn"])["Status"] == "RUNNING"
        wait_for(lambda: serves(service["ServiceUrl"]))
        assert version_at(service["ServiceUrl"]) == "v1"
        assert region.describe(fresh["ServiceArn"])["Status"] == "CREATE_FAILED"


def test_interrupted_update_is_rolled_back_by_the_next_start(tmp_path: Path) -> None:
    region = Region(tmp_path)
    region.images.repository("coach")
    region.images.repository("other")
    region.images.app("coach", "v1")
    region.images.app("other", "v2", script=SILENT)
    service = region.create()
    source = region.request("", "other")["SourceConfiguration"]
    region.apprunner.update_service({"ServiceArn": service["ServiceArn"], "SourceConfiguration": source})
    region.apprunner.close()
    region.start()
    with contextlib.closing(region.apprunner):
        assert region.describe(service["ServiceArn"])["SourceConfiguration"] == service["SourceConfiguration"]
        wait_for(lambda: serves(service["ServiceUrl"]))


def test_failed_operation_takes_deploy_seconds_too(tmp_path: Path) -> None:
    region = Region(tmp_path, deploy_seconds=0.4)
    with contextlib.closing(region.apprunner):
        answer = region.apprunner.create_service(region.request("coach-service", "coach"))
        arn = answer["Service"]["ServiceArn"]
        region.wait_until_idle()
        assert region.operations(arn)[0]["Status"] == "IN_PROGRESS"
        region.skip()
        assert region.clock.reading == 0.4
        assert region.outcome(arn, answer["OperationId"]) == "FAILED"


def test_deployment_waits_for_the_restart_of_its_service(region: Region) -> None:
    region.images.app("coach", "v1")
    service = region.create(automatic=False)
    region.images.app("coach", "v2", script=BROKEN)
    region.apprunner.close()
    region.start()
    assert region.deploy(service["ServiceArn"]) == "ROLLBACK_SUCCEEDED"
    assert version_at(service["ServiceUrl"]) == "v1"
