"""The status and the history of environments."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import define, evolve, field
from semver import Version

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.health import ProbeResponse, VersionReport
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Denied, Unreachable
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.views import status
from tests.contracts.locks import wanted
from tests.fakes.ledger import FakeLedger
from tests.fakes.platform import FakePlatform
from tests.fakes.tools import FakeIdentity, FakeTools, settings
from tests.flows.release.test_release import release

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaizen_tasks.domain.ledger import LedgerEntry
    from kaizen_tasks.domain.status import EnvironmentStatus


def look(tools: FakeTools) -> dict[str, EnvironmentStatus]:
    """Return the status of every environment, by name."""
    rows = status.collect_status(tuple(tools.settings.environments.values()), tools)
    return {row.environment.name: row for row in rows}


@define
class DeafLedger(FakeLedger):
    """A ledger that does not answer."""

    def entries(self, environment: str, *, limit: int = 20) -> tuple[LedgerEntry, ...]:
        """Fail."""
        raise Unreachable("DynamoDB does not answer", hint="check the network")


@define
class PatientLedger(FakeLedger):
    """A ledger that answers when it is allowed to."""

    may_answer: threading.Event = field(factory=threading.Event)

    def recent_entries(self, environments: Iterable[str], *, limit: int = 20) -> dict[str, tuple[LedgerEntry, ...]]:
        """Answer when it is allowed."""
        assert self.may_answer.wait(timeout=10)
        return super().recent_entries(environments, limit=limit)


@define(kw_only=True)
class DeafPlatform(FakePlatform):
    """A platform that does not answer."""

    def service_urls(self) -> dict[str, str]:
        """Fail."""
        raise Unreachable("App Runner does not answer")


class StrangersIdentity(FakeIdentity):
    """Credentials of another account."""

    def account_id(self) -> str:
        """Deny."""
        raise Denied("these credentials are of 999999999999")


def test_status_has_every_environment_in_the_configured_order() -> None:
    assert list(look(FakeTools())) == ["staging", "prod", "mark", "shane", "dom"]


def test_apps_are_asked_while_the_ledger_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many environments there are for one thread."""
    monkeypatch.setattr(status, "MAX_CONCURRENT_ENVIRONMENTS", 2)
    ledger = PatientLedger()
    tools = FakeTools(ledger=ledger)
    addresses = {f"https://{name}.example/version" for name in tools.settings.environments}

    def answer() -> ProbeResponse:
        if {*tools.prober.urls} >= addresses:
            ledger.may_answer.set()
        return ProbeResponse(error="refuses the connection")

    tools.prober.answers = dict.fromkeys(addresses, answer)
    look(tools)

    assert sorted(tools.prober.urls) == sorted(addresses)


def test_sources_agree_after_a_release() -> None:
    tools = FakeTools()
    released = release(tools)

    staging = look(tools)["staging"]

    assert staging.followed_image is not None
    assert staging.last_entry is not None
    assert staging.followed_image.digest == staging.last_entry.digest == released.digest
    assert staging.version_report == VersionReport(version="v0.2.0", environment="staging")
    assert staging.url == "https://staging.example"
    assert staging.drift == ()


def test_deployment_without_these_tasks_is_shown() -> None:
    prod = look(FakeTools())["prod"]

    assert (prod.followed_image, prod.last_entry) == (None, None)
    assert (prod.state, prod.drift) == ("new", ())
    assert prod.notes == ("nothing was released to it yet",)


@pytest.mark.parametrize(
    ("missing", "drift"),
    [
        ("repository", ("there is no image repository elsewhere",)),
        ("service", ("there is no service elsewhere", "the app has no address")),
    ],
)
def test_missing_resource_is_an_error_of_one_environment(missing: str, drift: tuple[str, ...]) -> None:
    tools = FakeTools()
    configured = tools.settings.environments["staging"]
    lost = Environment(
        name="staging",
        platform="apprunner",
        repository="elsewhere" if missing == "repository" else configured.repository,
        service="elsewhere" if missing == "service" else configured.service,
    )

    new, whole = status.collect_status((lost, tools.settings.environments["prod"]), tools)
    release(tools)
    broken, _ = status.collect_status((lost, tools.settings.environments["prod"]), tools)

    assert (new.drift, new.notes) == ((), (f"nothing was released to it yet; {drift[0]}",))
    assert broken.drift == drift
    assert (whole.errors, whole.missing) == ((), ())


def test_run_that_renews_its_lock_is_deploying() -> None:
    tools = FakeTools()
    released = release(tools)
    entries.append(Event.STARTED, tools.settings.environments["staging"], released, tools)
    assert look(tools)["staging"].drift == ("v0.2.0 is started, not verified",)

    tools.locks.acquire(evolve(wanted(environment="staging"), expires=tools.clock.now() + timedelta(minutes=1)))
    staging = look(tools)["staging"]

    assert (staging.state, staging.drift) == ("deploying", ())
    tools.clock.sleep(3600)
    assert look(tools)["staging"].state == "drift"


def test_run_that_died_on_this_machine_is_not_deploying() -> None:
    tools = FakeTools()
    released = release(tools)
    entries.append(Event.STARTED, tools.settings.environments["staging"], released, tools)
    lock = evolve(wanted(environment="staging"), expires=tools.clock.now() + timedelta(minutes=1), process="boot/1")
    tools.locks.acquire(lock)
    tools.host.dead_processes.add("boot/1")

    staging = look(tools)["staging"]

    assert (staging.state, staging.drift) == ("drift", ("v0.2.0 is started, not verified",))
    assert staging.notes[0].endswith("; that run has died; the next one takes over")


def test_locks_and_holds_are_shown() -> None:
    tools = FakeTools()
    standing = tools.locks.acquire(wanted(environment="mark"))
    hold = Hold(environment="dom", reason="race day", actor="ada@laptop", since=tools.clock.now())
    tools.holds.add(hold)

    rows = look(tools)

    assert {name: row.lock for name, row in rows.items() if row.lock} == {"mark": standing}
    assert {name: row.hold for name, row in rows.items() if row.hold} == {"dom": hold}


def test_failing_shared_lookup_is_an_error_of_every_environment() -> None:
    tools = FakeTools()
    tools.locks.unreachable_calls.add("get")

    rows = look(tools)

    assert {row.errors for row in rows.values()} == {("cannot get the lock of staging: nobody answers",)}
    assert {row.version_report.version for row in rows.values()} == {"v0.1.0"}


def test_app_is_probed_at_its_configured_url_when_the_platform_fails() -> None:
    tools = FakeTools()
    tools.platform = DeafPlatform()
    environment = evolve(tools.settings.environments["prod"], url="https://prod.example")

    (row,) = status.collect_status([environment], tools)

    assert row.version_report.version == "v0.1.0"
    assert row.errors == ("App Runner does not answer",)


def test_failing_ledger_hides_nothing_else() -> None:
    """App and image are still shown, and it is not claimed that nothing was ever deployed."""
    tools = FakeTools(ledger=DeafLedger())

    staging = look(tools)["staging"]

    assert staging.version_report.version == "v0.1.0"
    assert staging.drift == ("DynamoDB does not answer",)


def test_wrong_answer_of_an_app_is_shown() -> None:
    tools = FakeTools()
    tools.prober.answers["https://prod.example/version"] = ProbeResponse(status=502)

    assert look(tools)["prod"].notes == ("nothing was released to it yet; the app answers HTTP 502",)


def test_credentials_of_another_account_read_nothing() -> None:
    """The wrong account is refused before anything is read from it."""
    tools = FakeTools(identity=StrangersIdentity())

    with pytest.raises(Denied):
        look(tools)

    assert tools.prober.urls == []


@pytest.mark.parametrize(
    ("name", "version", "line", "drift"),
    [
        ("mark", "v1.2.4", "1.x", ""),
        ("mark", "v2.0.0", "1.x", "stays on the line 1.x, and has v2.0.0"),
        ("prod", "v1.2.4", "1.x", ""),
        ("prod", "v2.0.0", "2.x", ""),
        ("mark", "", "1.x", ""),
        ("prod", "", "", ""),
    ],
)
def test_line_of_an_environment_is_shown(name: str, version: str, line: str, drift: str) -> None:
    lines = {"1.x": {"branch": "stable/1.x", "environments": ["mark"]}}
    tools = FakeTools(settings=settings(lines=lines))
    if version:
        deployed = Release(version=Version.parse(version.removeprefix("v")), commit="c" * 40, digest="sha256:1")
        entries.append(Event.VERIFIED, tools.settings.environments[name], deployed, tools)

    row = look(tools)[name]

    assert (row.line, row.line_drift) == (line, drift)
    assert (drift in row.drift) is bool(drift)


def test_no_line_is_shown_where_none_is_configured() -> None:
    assert {row.line for row in look(FakeTools()).values()} == {""}
