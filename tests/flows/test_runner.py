"""How a flow is walked through."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from attrs import define, evolve, field
from semver import Version

from kaizen_tasks.adapters.host.atomic_write import OverlayFiles
from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.errors import NOTHING_CHANGED, BuildFailed, Cancelled, Interrupted, KaizenError, Refused
from kaizen_tasks.flows.runner import apply_step, dry_run_step, noting_interruptions, run_flow
from kaizen_tasks.flows.step import FileStep
from tests.fakes.release_files import FakeReleaseFiles
from tests.fakes.tools import FakeTools

if TYPE_CHECKING:
    from kaizen_tasks.ports.scm import ReleaseFiles
    from kaizen_tasks.ports.tools import Tools

START = Release(version=Version.parse("1.2.3"))
FAKE = StepLabel("fake")


@define(kw_only=True)
class FakeStep:
    """A step that decides as it is told.

    Attributes:
        decisions: what it decides, one after the other; `act` among them stands for something to do.
        failure: raised instead of acting.
        given: the release that each decision and act was asked with.
    """

    label: StepLabel = FAKE
    decisions: list[str] = field(factory=lambda: ["act", "done"])
    failure: BaseException | None = None
    given: list[Release] = field(factory=list)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Take the next decision; a commit shows that it has been through this step."""
        self.given.append(release)
        after = evolve(release, commit=release.commit + "x")
        decision = self.decisions.pop(0)
        if decision == "refuse":
            return Refuse(reasons=("one reason", "another"), hint="fix it")
        return Done("as it should be", after) if decision == "done" else Act("something to do", after)

    def act(self, release: Release, tools: Tools) -> Release:
        """Do it, or fail; it takes seven seconds."""
        tools.clock.sleep(7)
        if self.failure is not None:
            raise self.failure
        self.given.append(release)
        return evolve(release, digest="sha256:acted")


class FakeFileStep(FileStep, FakeStep):
    """A step that only edits files."""


def test_a_step_that_is_done_is_not_acted_upon() -> None:
    """What it has found out goes on to the next one."""
    tools, first, second = FakeTools(), FakeStep(decisions=["done"]), FakeStep(decisions=["done"])

    after = run_flow((first, second), START, tools)

    assert (second.given[0].commit, after.commit) == ("x", "xx")
    assert tools.reporter.verdicts == [("done", "fake"), ("done", "fake")]


def test_acts_and_looks_again() -> None:
    """The second look is at the release as the act has left it, and its own findings go on."""
    tools, step = FakeTools(), FakeStep()

    after = run_flow((step,), START, tools)

    assert step.given[-1].digest == "sha256:acted"
    assert after == evolve(START, digest="sha256:acted", commit="x")
    assert tools.reporter.verdicts == [("act", "fake"), ("acted", "fake")]


def test_nothing_after_a_refusal_is_looked_at() -> None:
    """The error names the step and every reason, and what to do."""
    tools, last = FakeTools(), FakeStep()

    with pytest.raises(Refused, match="staging: one reason\nalso: another") as refused:
        run_flow((FakeStep(label=StepLabel("push", "staging"), decisions=["refuse"]), last), START, tools)

    assert refused.value.hint == "fix it"
    assert tools.reporter.labels_with("refuse") == ["push staging"]
    assert last.given == []


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        (BuildFailed("no Dockerfile"), "failed"),
        (RuntimeError("a bug"), "failed"),
        (KeyboardInterrupt(), "interrupted"),
        (Cancelled("interrupted while waiting"), "interrupted"),
    ],
)
def test_a_failing_act_is_reported_and_its_error_goes_on(failure: BaseException, verdict: str) -> None:
    """An interruption as well: the spinner must not go on turning."""
    tools, last = FakeTools(), FakeStep()

    with pytest.raises(type(failure)) as raised:
        run_flow((FakeStep(failure=failure), last), START, tools)

    assert raised.value is failure
    assert tools.reporter.verdicts == [("act", "fake"), (verdict, "fake")]
    assert last.given == []


@pytest.mark.parametrize(("failure", "decisions"), [(None, ["act", "done"]), (BuildFailed("no"), ["act"])])
def test_nothing_that_was_seen_before_an_act_counts_after_it(failure: Exception | None, decisions: list[str]) -> None:
    """Whether it went well or not; what only decides ends no look."""
    tools = FakeTools()

    with suppress(BuildFailed):
        run_flow((FakeStep(decisions=["done"]), FakeStep(decisions=decisions, failure=failure)), START, tools)

    assert tools.scm.invalidations == 1


@pytest.mark.parametrize(
    ("release_files", "invalidations"), [(OverlayFiles(FakeReleaseFiles()), 0), (FakeReleaseFiles(), 1)]
)
def test_edits_in_memory_leave_what_was_seen_of_the_repository(release_files: ReleaseFiles, invalidations: int) -> None:
    tools = FakeTools()
    tools.release_files = release_files

    run_flow((FakeFileStep(),), START, tools)

    assert tools.scm.invalidations == invalidations


@pytest.mark.parametrize(("second", "seen"), [("act", "something to do"), ("refuse", "one reason; another")])
def test_an_act_that_cannot_be_seen_has_failed(second: str, seen: str) -> None:
    """Success is what a second look finds, and not that nothing was raised."""
    tools = FakeTools()

    with pytest.raises(KaizenError, match=f"fake: it reported success, but a second check finds: {seen}") as failed:
        run_flow((FakeStep(decisions=["act", second]),), START, tools)

    assert failed.value.hint == "run the same command again"
    assert tools.reporter.labels_with("failed") == ["fake"]


def test_a_dry_run_goes_on_as_if_it_had_acted() -> None:
    """It shows the whole plan, acts upon nothing, and looks once."""
    tools, first, second = FakeTools(), FakeStep(), FakeStep()

    after = run_flow((first, second), START, tools, dry_run_step)

    assert after == evolve(START, commit="xx")
    assert (len(first.given), len(second.given)) == (1, 1)
    assert tools.reporter.verdicts == [("act", "fake"), ("act", "fake")]
    assert tools.clock.sleeps == []


def test_a_dry_run_refuses_as_the_real_one_does() -> None:
    """What would stop it stops its plan."""
    with pytest.raises(Refused):
        run_flow((FakeStep(decisions=["refuse"]),), START, FakeTools(), dry_run_step)


@pytest.mark.parametrize(
    ("names", "without_effect", "note"),
    [
        (["commit", "tag"], (), "done so far: commit, perhaps tag"),
        (["tag"], (), "done so far: perhaps tag"),
        (["bump", "commit"], ("bump", "commit"), NOTHING_CHANGED),
    ],
)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_interruption_says_what_the_steps_did(
    names: list[str], without_effect: tuple[str, ...], note: str, error: BaseException
) -> None:
    flow = [FakeStep(label=StepLabel(name)) for name in names]
    interruption = type(error)(*error.args)
    flow[-1].failure = interruption

    with (
        pytest.raises(type(error)),
        noting_interruptions(apply_step, without_effect=without_effect) as execute,
    ):
        run_flow(tuple(flow), START, FakeTools(), execute)

    assert interruption.__notes__ == [note]


@pytest.mark.parametrize(
    ("names", "without_effect", "error", "state"),
    [
        (["push", "tag"], (), Interrupted, "the same command goes on from here: push"),
        (["bump", "tag"], ("bump",), Refused, "as before"),
        (["tag"], (), Refused, "as before"),
    ],
)
def test_refusal_after_a_change_is_an_interruption(
    names: list[str], without_effect: tuple[str, ...], error: type[KaizenError], state: str
) -> None:
    flow = [FakeStep(label=StepLabel(name)) for name in names]
    flow[-1].failure = Refused("the tag is locked", state="as before", hint="remove the lock")

    with (
        pytest.raises(KaizenError) as caught,
        noting_interruptions(apply_step, without_effect=without_effect) as execute,
    ):
        run_flow(tuple(flow), START, FakeTools(), execute)

    assert type(caught.value) is error
    assert (caught.value.message, caught.value.state, caught.value.hint) == (
        "the tag is locked", state, "remove the lock"
    )  # fmt: skip


def test_interrupted_dry_run_has_changed_nothing() -> None:
    interruption = KeyboardInterrupt()

    with suppress(KeyboardInterrupt), noting_interruptions(dry_run_step) as execute:
        run_flow((FakeStep(),), START, FakeTools(), execute)
        raise interruption

    assert interruption.__notes__ == [NOTHING_CHANGED]
