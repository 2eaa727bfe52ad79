"""Guarded calls, and what a run reports after it changed something."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import pytest

from kaizen_tasks.domain.lock import LEASE_SECONDS
from kaizen_tasks.errors import (
    Cancelled,
    Denied,
    Interrupted,
    KaizenError,
    Locked,
    NotFound,
    PushFailed,
    Refused,
    Unreachable,
)
from kaizen_tasks.flows.locking.guard import LOCK_CACHE_SECONDS
from kaizen_tasks.flows.locking.lease import ATTEMPT_SAFETY_FRACTION
from kaizen_tasks.flows.locking.mutations import MutationLog, guard_mutations, guarded_calls
from kaizen_tasks.flows.locking.session import acquire_locks
from kaizen_tasks.flows.runner import guarded_executor, run_flow
from kaizen_tasks.flows.step import ProbeStep
from kaizen_tasks.ports.attempts import attempt_seconds
from tests.fakes.platform import FakePlatform
from tests.fakes.tools import FakeTools, settings
from tests.flows.test_runner import START, FakeStep

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.domain.service import Service
    from kaizen_tasks.ports.tools import Tools

ENVIRONMENT = settings().environments["staging"]
CALLS = [(port, call) for port, calls in guarded_calls().items() for call in sorted(calls)]


def refuse() -> float:
    """Raise, as the check of a run that has lost its lock."""
    raise Locked("lost")


def test_the_guarded_calls_are_those_that_change_what_a_lock_protects() -> None:
    assert {port: set(calls) for port, calls in guarded_calls().items()} == {
        "builder": {"push"},
        "registry": {"copy", "move_tag"},
        "platform": {"start_deployment", "stop_deployment"},
        "commands": {"start", "stop"},
        "migration_source": {"pause", "resume", "delete_source"},
        "migration_target": {"create_service", "delete_service"},
        "ledger": {"append", "append_all", "set_operation"},
        "holds": {"add", "remove"},
        "scm": {"claim", "abandon", "push", "withdraw_claim"},
        "secrets": {"write", "restore"},
    }


@pytest.mark.parametrize(("port", "call"), CALLS)
def test_guarded_call_is_refused_without_the_lock(port: str, call: str) -> None:
    with pytest.raises(Locked):
        getattr(getattr(guard_mutations(FakeTools(), refuse, MutationLog()), port), call)()


@pytest.mark.parametrize(("port", "call"), CALLS)
def test_guarded_call_passes_with_the_lock(port: str, call: str) -> None:
    """The call itself complains that its arguments are missing."""
    with pytest.raises(TypeError, match="missing"):
        getattr(getattr(guard_mutations(FakeTools(), lambda: math.inf, MutationLog()), port), call)()


def test_attempts_of_a_guarded_call_end_before_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    tools, seconds = FakeTools(), list[float]()
    monkeypatch.setattr(FakePlatform, "start_deployment", lambda *_: seconds.append(attempt_seconds()))
    with acquire_locks(["prod", "staging"], tools, command="deploy") as guard:
        guarded = guard_mutations(tools, guard.require_lease, MutationLog())
        for waited in (0, 0, 20):
            tools.clock.advance(waited)
            guarded.at(ENVIRONMENT).platform.start_deployment(cast("Service", None), "")

    margin = LEASE_SECONDS * ATTEMPT_SAFETY_FRACTION
    assert seconds == [LEASE_SECONDS - margin, LEASE_SECONDS - margin, LEASE_SECONDS - margin - 20]


def test_lock_that_is_lost_between_two_attempts_ends_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is read, to say who has it now, and that read is not an attempt of the change."""
    tools = FakeTools()

    def try_twice(*_: object) -> str:
        attempt_seconds()
        tools.clock.advance(LEASE_SECONDS)
        attempt_seconds()
        return "it was tried twice"

    monkeypatch.setattr(FakePlatform, "start_deployment", try_twice)
    with acquire_locks(["staging"], tools, command="deploy") as guard:
        guarded = guard_mutations(tools, guard.require_lease, MutationLog())
        with pytest.raises(Locked, match="not renewed in time"):
            guarded.at(ENVIRONMENT).platform.start_deployment(cast("Service", None), "")


def test_reading_passes_without_the_lock() -> None:
    tools = guard_mutations(FakeTools(), refuse, MutationLog())
    assert tools.at(ENVIRONMENT).registry.find_image("staging-web-app", "latest") is None
    assert tools.settings.app == "web"


def test_lock_lost_in_the_middle_of_an_act_stops_it() -> None:
    class Drowsy(FakeStep):
        def act(self, release: Release, tools: Tools) -> Release:
            tools.clock.sleep(LEASE_SECONDS)
            platform = tools.at(ENVIRONMENT).platform
            platform.start_deployment(platform.get_service("staging-web-service"), "")
            return release

    tools = FakeTools()
    with (
        pytest.raises(Locked, match="not renewed in time"),
        acquire_locks(["staging"], tools, command="deploy") as guard,
    ):
        run_flow((Drowsy(),), START, tools, guarded_executor(guard))
    assert tools.platform.list_operations(tools.platform.get_service("staging-web-service")) == ()


def test_step_that_only_asks_the_app_reads_no_lock() -> None:
    class Probe(ProbeStep, FakeStep):
        def act(self, release: Release, tools: Tools) -> Release:
            assert tools.clock.monotonic() >= LOCK_CACHE_SECONDS
            return super().act(release, tools)

    tools = FakeTools()
    with acquire_locks(["staging"], tools, command="deploy") as guard:
        tools.clock.advance(LOCK_CACHE_SECONDS)
        run_flow((Probe(),), START, tools, guarded_executor(guard))
        assert [call for call, _ in tools.locks.calls] == ["acquire"]
        run_flow((FakeStep(),), START, tools, guarded_executor(guard))
        assert [call for call, _ in tools.locks.calls] == ["acquire", "get"]


def begun(error: KaizenError) -> Callable[[Tools], None]:
    """Return an act that starts a deployment and then raises this."""

    def act(tools: Tools) -> None:
        platform = tools.at(ENVIRONMENT).platform
        platform.start_deployment(platform.get_service("staging-web-service"), "")
        raise error

    return act


def ended(act: Callable[[Tools], None]) -> KaizenError:
    """Return the error of a run with this act."""
    trace = MutationLog()
    with pytest.raises(KaizenError) as caught, trace.reclassify_errors():
        act(guard_mutations(FakeTools(), lambda: math.inf, trace))
    return caught.value


@pytest.mark.parametrize("kind", [Denied, Unreachable, Refused])
def test_refusal_after_a_change_is_an_interruption(kind: type[Refused]) -> None:
    """The exit code of a refusal says that nothing has been changed."""
    error = ended(begun(kind("the token has expired", hint="log in again")))

    assert type(error) is Interrupted
    assert str(error).splitlines() == [
        "the token has expired",
        "the same command goes on from here: a deployment was started",
        "log in again",
    ]


@pytest.mark.parametrize("error", [PushFailed("cut off"), NotFound("there is no service"), Locked("lost")])
def test_other_errors_after_a_change_stay(error: KaizenError) -> None:
    assert ended(begun(error)) is error


def test_refusal_before_the_first_change_stays() -> None:
    refusal = Denied("the token has expired")

    def act(tools: Tools) -> None:
        assert tools.at(ENVIRONMENT).registry.find_image("staging-web-app", "latest") is None
        raise refusal

    assert ended(act) is refusal


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Denied("no permission"), ""),
        (Unreachable("no answer"), "the same command goes on from here: perhaps a deployment was started"),
    ],
)
def test_rejected_change_is_not_remembered(error: Refused, state: str) -> None:
    """A change without an answer may have taken effect."""

    class Refusing(FakePlatform):
        def start_deployment(self, service: Service, image: str) -> str:
            raise error

    tools, trace = FakeTools(), MutationLog()
    service, tools.platform = tools.platform.get_service("staging-web-service"), Refusing()

    guarded = guard_mutations(cast("Tools", tools), lambda: math.inf, trace)
    with pytest.raises(KaizenError) as caught, trace.reclassify_errors():
        guarded.at(ENVIRONMENT).platform.start_deployment(service, "")

    assert caught.value.state == state


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")], ids=type)
@pytest.mark.parametrize(
    ("changes", "note"),
    [((), "nothing has been changed"), (("a is pushed", "b is moved"), "done so far: a is pushed, b is moved")],
)
def test_interruption_gets_a_note_of_what_has_been_changed(
    error: BaseException, changes: tuple[str, ...], note: str
) -> None:
    log, interruption = MutationLog(), type(error)(*error.args)
    for change in changes:
        log.add(change)
    with pytest.raises(type(error)) as caught, log.reclassify_errors():
        raise interruption

    assert caught.value.__notes__ == [note]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Cancelled("interrupted while waiting")], ids=type)
def test_call_that_is_interrupted_may_have_had_an_effect(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> str:
        raise error

    tools, log = FakeTools(), MutationLog()
    monkeypatch.setattr(tools.platform, "start_deployment", interrupt)
    guarded = guard_mutations(tools, lambda: math.inf, log)
    with pytest.raises(type(error)):
        guarded.at(ENVIRONMENT).platform.start_deployment(cast("Service", None), "")

    assert not log.is_empty
