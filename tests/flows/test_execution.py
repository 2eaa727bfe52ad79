"""The sequence of every command that changes environments: announce, preflight, holds, evidence, confirm, lock, run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, evolve, field, frozen
from semver import Version

from kaizen_tasks.domain.decision import Act, Decision, Done
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.errors import Denied, DeployFailed, Interrupted, KaizenError, Locked, NotFound, Refused
from kaizen_tasks.flows.execution import HOLD_CACHE_SECONDS, Change, Execution, HoldPolicy, execute_change
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.outcome import Outcome
from kaizen_tasks.flows.runner import apply_step, dry_run_step, run_flow
from kaizen_tasks.ports.images import Login
from kaizen_tasks.ports.secrets import Secret
from tests.fakes.tools import FakeTools

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.ports.tools import Tools

RELEASE = Release(version=Version.parse("1.2.3"), commit="4f2a9c81", digest="sha256:" + "ab" * 32)

LOCAL = "http://127.0.0.1:4566"


@frozen(kw_only=True)
class Write:
    """A step that writes into the ledger, unless that was done."""

    environment: Environment

    @property
    def label(self) -> StepLabel:
        """Its name and environment."""
        return StepLabel("write", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look into the ledger."""
        written = entries.read_latest_entry(self.environment, tools) is not None
        return Done("it is there", release) if written else Act("write it", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Write."""
        entries.append(Event.VERIFIED, self.environment, release, tools)
        return release


@define(kw_only=True)
class Recorder:
    """Notes in which order a change calls what it is given."""

    tools: FakeTools = field(factory=FakeTools)
    calls: list[str] = field(factory=list)

    def change(self, *names: str, **changes: Any) -> Change:
        """Return a change of environments that notes everything."""
        environments = tuple(self.tools.settings.environments[name] for name in names or ("staging",))
        options: dict[str, Any] = {
            "title": "change it",
            "environments": environments,
            "preflight": lambda: self.calls.append("preflight"),
            "check_evidence": lambda checked: self.calls.append(f"evidence {_names(checked)}"),
            "run": self._note_run,
            **changes,
        }
        return Change(**options)

    def _note_run(self, execution: Execution) -> None:
        locks = self.tools.locks.get_many(self.tools.settings.environments)
        self.calls.append(f"run, locked: {' '.join(sorted(locks))}, left out: {' '.join(execution.holds)}")

    def confirm(self, environments: Sequence[Environment], question: str, /) -> None:
        """Note what is to be confirmed."""
        self.calls.append(f"confirm {_names(environments)}{question}")

    def execute(self, change: Change, *, wait: float = 0) -> None:
        """Execute a change."""
        execute_change(change, self.tools, confirm=self.confirm, command="inv x", wait=wait)

    def hold(self, name: str) -> Hold:
        """Hold an environment."""
        hold = Hold(environment=name, reason="a hotfix", actor="ada@laptop", since=self.tools.clock.now())
        return self.tools.holds.add(hold)


def _names(environments: Sequence[Environment]) -> str:
    return " ".join(environment.name for environment in environments)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_everything_that_can_refuse_comes_before_confirmation_and_lock(recorder: Recorder) -> None:
    recorder.execute(recorder.change("mark", "shane", question="; sure"))

    assert recorder.tools.reporter.lines == ["web: change it   (account 123456789012, eu-west-1)"]
    assert recorder.calls == [
        "preflight",
        "evidence mark shane",
        "confirm mark shane; sure",
        "run, locked: mark shane, left out: ",
    ]
    assert recorder.tools.locks.get("mark") is None


@pytest.mark.parametrize(
    ("url", "is_stand_in", "says"),
    [(LOCAL, True, True), (LOCAL, False, False), ("https://registry.example", True, False)],
    ids=["stand-in", "the app", "outside of a local cloud"],
)
def test_a_stand_in_that_was_deployed_is_called_one(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, url: str, is_stand_in: bool, says: bool
) -> None:
    image = Image(version="1.2.3", revision="4f2a9c81", digest=RELEASE.digest, media_type="", is_stand_in=is_stand_in)
    recorder.tools.registry.put("staging-web-app", "latest", image)
    monkeypatch.setattr(
        type(recorder.tools.registry), "credentials", lambda _: Login(url=url, username="AWS", password=Secret("-"))
    )

    recorder.execute(recorder.change(verifies=True))

    line = "the image is a stand-in, which only answers: nothing about the app itself is proven"
    assert (line in recorder.tools.reporter.lines) is says


def test_wrong_account_stops_before_the_heading(recorder: Recorder) -> None:
    recorder.tools.identity.failure = Denied("these credentials are of 999999999999")

    with pytest.raises(Denied):
        recorder.execute(recorder.change())

    assert (recorder.calls, recorder.tools.reporter.lines) == ([], [])


def test_hold_of_any_environment_refuses_all_of_them(recorder: Recorder) -> None:
    holds = [recorder.hold("shane"), recorder.hold("mark")]

    with pytest.raises(Locked) as refused:
        recorder.execute(recorder.change("dom", "mark", "shane"))

    assert recorder.calls == ["preflight"]
    assert str(refused.value).splitlines() == [
        f"mark is {holds[1]}; shane is {holds[0]}",
        "nothing has been changed",
        "when that no longer applies: inv hold.remove --env mark --env shane",
    ]


def test_held_environments_are_neither_confirmed_nor_locked_when_they_are_left_out(recorder: Recorder) -> None:
    recorder.hold("shane")

    recorder.execute(recorder.change("mark", "shane", hold_policy=HoldPolicy.LEAVE_OUT))

    assert recorder.calls[1:] == ["evidence mark", "confirm mark", "run, locked: mark, left out: shane"]


def test_nothing_is_asked_when_every_environment_is_left_out(recorder: Recorder) -> None:
    recorder.hold("mark")

    recorder.execute(recorder.change("mark", hold_policy=HoldPolicy.LEAVE_OUT))

    assert recorder.calls[1:] == ["run, locked: , left out: mark"]


def test_holds_do_not_matter_to_a_change_that_ignores_them(recorder: Recorder) -> None:
    recorder.hold("mark")

    recorder.execute(recorder.change("mark", hold_policy=HoldPolicy.IGNORE))

    assert recorder.calls[-1] == "run, locked: mark, left out: "


@pytest.mark.parametrize(
    ("policy", "outcome"),
    [(HoldPolicy.REFUSE, "refused"), (HoldPolicy.LEAVE_OUT, "run, locked: mark, left out: mark")],
)
def test_hold_that_was_added_during_the_confirmation_is_respected(
    recorder: Recorder, policy: HoldPolicy, outcome: str
) -> None:
    """Another run's rollback or hotfix ends with one, while this run waits for the user or for its lock."""

    def confirm_slowly(_environments: Sequence[Environment], _question: str, /) -> None:
        recorder.tools.clock.advance(HOLD_CACHE_SECONDS)
        recorder.hold("mark")

    change = recorder.change("mark", hold_policy=policy)
    try:
        execute_change(change, recorder.tools, confirm=confirm_slowly, command="inv x")
    except Locked:
        recorder.calls.append("refused")

    assert recorder.calls[-1] == outcome


def test_git_state_is_read_again_once_the_locks_are_held(recorder: Recorder) -> None:
    """Another run may have released from this clone while this one waited."""
    invalidations = recorder.tools.scm.invalidations
    recorder.execute(recorder.change(run=lambda _: recorder.calls.append(str(recorder.tools.scm.invalidations))))

    assert recorder.calls[-1] == str(invalidations + 1)


def test_dry_run_locks_nothing_and_changes_nothing(recorder: Recorder) -> None:
    recorder.tools.dry = True
    executors = []

    recorder.execute(recorder.change(run=lambda execution: executors.append(execution.execute)))

    assert executors == [dry_run_step]
    assert recorder.tools.locks.get("staging") is None


def test_ledger_is_cached_for_changed_and_evidence_environments_while_locked(recorder: Recorder) -> None:
    cached: list[tuple[str, ...]] = []
    staging = recorder.tools.settings.environments["staging"]

    recorder.execute(
        recorder.change(
            "prod",
            evidence_environments=(staging,),
            run=lambda _: cached.append(
                (*recorder.tools.cached_environments, str(recorder.tools.locks.get("staging")))
            ),
        )
    )

    assert cached == [("prod", "staging", "None")]


def test_change_without_locks_neither_locks_nor_asks(recorder: Recorder) -> None:
    recorder.execute(recorder.change("mark", locks=False, asks=False))

    assert recorder.calls[1:] == ["evidence mark", "run, locked: , left out: "]


def write_then_fail(recorder: Recorder, error: KaizenError, *, failing: str, locks: bool = True) -> Change:
    """Return a change that writes into each environment's ledger, and fails before it does so in one."""

    def run_one(environment: Environment, execution: Execution) -> None:
        if environment.name == failing:
            raise error
        run_flow((Write(environment=environment),), RELEASE, recorder.tools, execution.execute)

    environments = recorder.tools.settings.stage("beta").environments
    return recorder.change(
        "mark", "shane", "dom", locks=locks, run=lambda execution: execution.run_one_by_one(environments, run_one)
    )


@pytest.mark.parametrize("locks", [True, False])
@pytest.mark.parametrize("error", [Refused("shane: no", hint="do it"), NotFound("no such service"), Denied("expired")])
def test_refusal_after_another_environment_was_changed_is_an_interruption(
    recorder: Recorder, error: Refused, *, locks: bool
) -> None:
    """Exit code 3 would say that nothing has been changed."""
    with pytest.raises(Interrupted) as failed:
        recorder.execute(write_then_fail(recorder, error, failing="shane", locks=locks))

    assert failed.value.exit_code == 130
    assert failed.value.message == (error.message if "shane" in error.message else f"shane: {error.message}")
    assert (failed.value.state, failed.value.hint) == ("done: mark; failed: shane; untouched: dom", error.hint)


def test_refusal_before_anything_was_changed_stays_a_refusal(recorder: Recorder) -> None:
    error = Refused("no")
    with pytest.raises(Refused) as refused:
        recorder.execute(write_then_fail(recorder, error, failing="mark"))
    assert refused.value is error

    for name in ("mark", "shane", "dom"):  # these are done, so that a second run changes nothing in them
        entries.append(Event.VERIFIED, recorder.tools.settings.environments[name], RELEASE, recorder.tools)
    with pytest.raises(Refused) as refused:
        recorder.execute(write_then_fail(recorder, error, failing="shane"))
    assert refused.value is error


def test_ctrl_c_before_the_change_notes_that_nothing_has_been_changed(recorder: Recorder) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        recorder.execute(recorder.change(preflight=interrupt))

    assert caught.value.__notes__ == ["nothing has been changed"]


def test_ctrl_c_notes_which_environments_are_done(recorder: Recorder) -> None:
    def run(environment: Environment, execution: Execution) -> None:
        if environment.name == "prod":
            raise KeyboardInterrupt
        run_flow((Write(environment=environment),), RELEASE, execution.tools, execution.execute)

    environments = tuple(recorder.tools.settings.environments[name] for name in ("staging", "prod"))
    change = recorder.change("staging", "prod", run=lambda execution: execution.run_one_by_one(environments, run))

    with pytest.raises(KeyboardInterrupt) as caught:
        recorder.execute(change)

    assert set(caught.value.__notes__) == {"nothing has been changed", "done: staging"}


def test_failure_in_one_of_several_environments_keeps_its_exit_code_and_says_what_is_done(recorder: Recorder) -> None:
    with pytest.raises(DeployFailed):
        recorder.execute(write_then_fail(recorder, DeployFailed("shane is down"), failing="shane"))

    assert recorder.tools.reporter.lines[-1] == "done: mark; failed: shane; untouched: dom"


def test_many_environments_one_by_one_are_shown_as_a_rollout() -> None:
    tools = FakeTools()
    staging = tools.settings.environments["staging"]
    environments = [evolve(staging, name=f"tenant{number}") for number in range(9)]

    def run(environment: Environment, _execution: Execution) -> None:
        if environment.name == "tenant2":
            raise DeployFailed("it does not start")

    with pytest.raises(DeployFailed):
        Execution(tools=tools).run_one_by_one(environments, run)

    assert [[*names] for names in tools.reporter.rollouts] == [[each.name for each in environments]]
    assert tools.reporter.outcomes == {"tenant0": "", "tenant1": "", "tenant2": "it does not start"}
    tools.reporter.outcomes.clear()
    Execution(tools=tools).run_one_by_one(environments[3:], run)
    assert tools.reporter.outcomes == {}


def test_real_run_without_locks_still_applies_steps(recorder: Recorder) -> None:
    executors = []
    recorder.execute(recorder.change(locks=False, run=lambda execution: executors.append(execution.execute)))

    assert executors not in ([dry_run_step], [apply_step])


def test_run_is_reported_once_the_locks_are_free(recorder: Recorder) -> None:
    """The pages of a forge may be slow, and another run waits for the locks."""
    report = recorder.tools.run_report

    def run(execution: Execution) -> Outcome:
        run_flow((Write(environment=environment),), RELEASE, execution.tools, execution.execute)
        assert report.ends == []
        return Outcome(text="staging serves v1.2.3", next_step="next: inv promote-prod")

    environment = recorder.tools.settings.environments["staging"]
    report.on_finish = lambda: recorder.calls.append(f"locked: {recorder.tools.locks.get('staging')}")
    report.problems = ("GitHub does not show it",)
    recorder.execute(recorder.change(run=run))

    assert report.entries == list(recorder.tools.ledger.entries("staging"))
    assert report.ends == [("change it", "staging serves v1.2.3", "next: inv promote-prod")]
    assert recorder.calls[-1] == "locked: None"
    assert recorder.tools.reporter.lines[-1] == "note: GitHub does not show it"


def test_failed_run_is_reported_too(recorder: Recorder) -> None:
    def run(_: Execution) -> None:
        raise DeployFailed("it did not start")

    with pytest.raises(DeployFailed) as failed:
        recorder.execute(recorder.change(run=run))

    assert recorder.tools.run_report.ends == [("change it", "", "")]
    assert failed.value.is_on_job_page


def test_held_environments_are_reported_with_the_others(recorder: Recorder) -> None:
    hold = recorder.hold("mark")

    recorder.execute(recorder.change("mark", "shane", hold_policy=HoldPolicy.LEAVE_OUT))

    assert recorder.tools.run_report.rows == [{"mark": str(hold), "shane": ""}]
