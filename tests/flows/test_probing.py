"""Where an app is asked, and what its answer proves."""

from __future__ import annotations

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.config.settings import SmokeCheck
from kaizen_tasks.domain.health import Answer, Running
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import NotFound
from kaizen_tasks.flows import probing
from tests.fakes.tools import FakeTools

RELEASE = Release(version=Version.parse("1.2.3"))


@pytest.fixture
def tools() -> FakeTools:
    """A world whose services have addresses of the platform's."""
    return FakeTools()


@pytest.mark.parametrize(
    ("configured", "own", "asked"),
    [
        ("", "https://x1.awsapprunner.com", "https://x1.awsapprunner.com"),
        ("https://www.example", "https://x1.awsapprunner.com", "https://www.example"),
        ("https://www.example", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://www.example", "http://localhost:8080", "http://localhost:8080"),
        ("https://www.example", "http://[::1]:8080", "http://[::1]:8080"),
        ("http://127.0.0.1:9", "http://127.0.0.1:8080", "http://127.0.0.1:9"),
        ("http://localhost:9", "https://x1.awsapprunner.com", "http://localhost:9"),
    ],
)
def test_asks_users_address_unless_the_service_runs_on_this_machine(
    tools: FakeTools, configured: str, own: str, asked: str
) -> None:
    """The same configuration works against AWS and the local cloud."""
    staging = evolve(tools.settings.environments["staging"], url=configured)
    tools.platform.add(staging.service, image="any", url=own)

    assert probing.address(staging, tools) == asked


def test_there_is_no_address_without_a_service(tools: FakeTools) -> None:
    """Even where one is configured: nothing of ours can answer there."""
    nowhere = evolve(tools.settings.environments["staging"], service="elsewhere", url="https://www.example")

    with pytest.raises(NotFound):
        probing.address(nowhere, tools)


def test_asks_the_configured_path_once(tools: FakeTools) -> None:
    """Repeating is the step's business."""
    running = probing.running("https://staging.example", tools)

    assert running == Running(version="v0.1.0", environment="staging")
    assert tools.prober.asked == ["https://staging.example/version"]


@pytest.mark.parametrize(
    ("said", "right"),
    [
        (Running(version="v1.2.3", environment="staging"), True),
        (Running(version="1.2.3", environment="staging"), False),
        (Running(version="v1.2.2", environment="staging"), False),
        (Running(version="v1.2.3", environment="prod"), False),
        (Running(version="v1.2.3"), False),
        (Running(version="v1.2.3", environment="staging", fault="answers HTTP 503"), False),
    ],
)
def test_only_the_version_in_its_own_environment_is_proof(tools: FakeTools, *, said: Running, right: bool) -> None:
    """A load balancer that leads elsewhere must not prove anything."""
    assert probing.is_right(said, tools.settings.environments["staging"], RELEASE) is right


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(status=200), ""),
        (Answer(status=302), "/login answers HTTP 302, not 200"),
        (Answer(status=200, fault="resets the connection"), "/login resets the connection"),
    ],
)
def test_a_smoke_check_wants_exactly_its_status(tools: FakeTools, answer: Answer, fault: str) -> None:
    """No redirect is followed."""
    tools.prober.answers["https://staging.example/login"] = answer

    assert probing.fault("https://staging.example", SmokeCheck(path="/login"), tools) == fault


def test_a_page_of_usual_size_passes_a_smoke_check(tools: FakeTools) -> None:
    """Only its status counts, and a page is larger than an answer to `/version`."""
    tools.prober.answers["https://staging.example/"] = Answer(status=200, body=b"x" * 500_000)

    assert probing.fault("https://staging.example", SmokeCheck(path="/"), tools) == ""


def test_an_error_page_can_be_what_is_wanted(tools: FakeTools) -> None:
    """A page behind a login answers 401, and must."""
    tools.prober.answers["https://staging.example/admin"] = Answer(status=401)

    assert probing.fault("https://staging.example", SmokeCheck(path="/admin", status=401), tools) == ""
