"""A deployment that is verified right after it: one write of the ledger says both, and no run loses the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.service import OperationState
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.rollback.automatic import run_with_auto_rollback
from kaizen_tasks.flows.runner import apply_step, run_flow
from kaizen_tasks.flows.steps import Deploy
from tests.fakes.ledger import FakeLedger
from tests.flows.steps.test_deploy import NEW, NEXT, OLD, clock, told, tools

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.health import ProbeResponse
    from kaizen_tasks.domain.ledger import LedgerEntry
    from tests.fakes.tools import FakeTools

__all__ = ["clock", "tools"]


class Killed(BaseException):
    """The run ends without a word."""


def staging(tools: FakeTools) -> Environment:
    return tools.settings.environments["staging"]


def kill_in_verify(tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deploy the next release, and kill the run while the app is asked."""

    def kill(*_: object, **__: object) -> ProbeResponse:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(type(tools.prober), "probe", kill)
        with pytest.raises(Killed):
            run_flow(catalogue.deploy_and_verify(staging(tools)), NEW, tools)


def test_outcome_is_written_with_the_verification(tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
    writes, append_all = list[list[Event]](), tools.ledger.append_all

    def note_and_append(new: Sequence[LedgerEntry]) -> tuple[LedgerEntry, ...]:
        writes.append([entry.event for entry in new])
        return append_all(new)

    monkeypatch.setattr(FakeLedger, "append_all", lambda _, new: note_and_append(new))
    tools.platform.operation_seconds = 240

    after = run_flow(catalogue.deploy_and_verify(staging(tools)), NEW, tools)

    assert writes == [[Event.STARTED], [Event.DEPLOYED, Event.VERIFIED]]
    deployed, verified = tools.ledger.all_entries[-2:]
    assert (deployed.took, deployed.operation) == (240, "staging-web-service-2")
    assert (deployed.at < verified.at, deployed.number + 1) == (True, verified.number)
    assert after.outcome is None
    assert {deployed, verified} <= {*tools.run_report.entries}


def test_outcome_of_a_deployment_alone_is_written_at_once(tools: FakeTools) -> None:
    run_flow((Deploy(environment=staging(tools)),), NEW, tools)

    assert told(tools) == ["started v0.2.0", "deployed v0.2.0"]


def test_flow_without_the_verification_writes_the_outcome_at_its_end(tools: FakeTools) -> None:
    """An app may compose a flow of some steps of another one."""
    deploy, *_ = catalogue.deploy_and_verify(staging(tools))

    after = run_flow((deploy,), NEW, tools)

    assert told(tools) == ["started v0.2.0", "deployed v0.2.0"]
    assert after.outcome is None


@pytest.mark.parametrize("rolls_back", [True, False])
def test_failed_verification_leaves_the_outcome(tools: FakeTools, *, rolls_back: bool) -> None:
    del tools.prober.answers["https://staging.example/version"]

    with pytest.raises(KaizenError):
        run_with_auto_rollback(
            catalogue.deploy_and_verify(staging(tools)), NEW, tools, apply_step, auto_rollback=rolls_back
        )

    assert told(tools)[:2] == ["started v0.2.0", "deployed v0.2.0"]


def test_interrupted_verification_leaves_the_outcome(tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> ProbeResponse:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(tools.prober), "probe", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_flow(catalogue.deploy_and_verify(staging(tools)), NEW, tools)

    assert told(tools) == ["started v0.2.0", "deployed v0.2.0"]


def test_killed_verification_is_resumed_without_another_deployment(
    tools: FakeTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_in_verify(tools, monkeypatch)
    assert told(tools) == ["started v0.2.0"]

    run_flow(catalogue.deploy_and_verify(staging(tools)), NEW, tools.next_command())

    assert told(tools) == ["started v0.2.0", "deployed v0.2.0", "verified v0.2.0"]
    assert tools.platform.started_services == ["staging-web-service"]


def test_release_after_a_killed_verification_records_that_the_first_is_deployed(
    tools: FakeTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_in_verify(tools, monkeypatch)

    run_flow(catalogue.deploy_and_verify(staging(tools)), NEXT, tools.next_command())

    assert told(tools) == [
        *("started v0.2.0", "deployed v0.2.0"),
        *("started v0.3.0", "deployed v0.3.0", "verified v0.3.0"),
    ]


def test_release_after_a_killed_deployment_that_failed_abandons_it(
    tools: FakeTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_in_verify(tools, monkeypatch)
    newest = tools.platform.history["staging-web-service"][0]
    tools.platform.history["staging-web-service"][0] = evolve(newest, state=OperationState.ROLLED_BACK)

    run_flow(catalogue.deploy_and_verify(staging(tools)), NEXT, tools.next_command())

    assert told(tools)[:2] == ["started v0.2.0", "abandoned v0.2.0"]


def test_rollback_after_a_killed_verification_can_be_repeated(
    tools: FakeTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves a release whose outcome is not recorded; `deployed` after `rollback` would seem to be a later one."""
    kill_in_verify(tools, monkeypatch)

    run_flow(catalogue.redeploy_previous(staging(tools), reason="slow"), OLD, tools.next_command())

    assert told(tools) == [
        *("started v0.2.0", "rollback v0.1.0", "abandoned v0.2.0"),
        *("started v0.1.0", "deployed v0.1.0", "verified v0.1.0"),
    ]


def test_verification_by_somebody_else_meanwhile_does_not_hide_the_outcome(tools: FakeTools) -> None:
    """`inv verify` takes no lock."""
    deploy, *verification = catalogue.deploy_and_verify(staging(tools))
    deployed = deploy.act(NEW, tools)
    entries.append(Event.VERIFIED, staging(tools), NEW, tools)

    run_flow(tuple(verification), deployed, tools)

    assert told(tools)[1:] == ["verified v0.2.0", "deployed v0.2.0", "verified v0.2.0"]
