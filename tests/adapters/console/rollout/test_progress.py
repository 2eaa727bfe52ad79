"""The state of the environments of a rollout."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from kaizen_tasks.adapters.console.rollout.progress import (
    ProgressState,
    RolloutProgress,
    count_states,
    environments_that_fit,
)
from tests.fakes.clock import FakeClock

NAMES = ("mark", "shane", "dom", "eve")


def states(rollout: RolloutProgress) -> list[str]:
    """Return the state of every environment, in order."""
    return [line.state.value for line in rollout.environments]


def test_every_environment_waits_at_first() -> None:
    rollout = RolloutProgress(NAMES, FakeClock().monotonic)

    assert [(line.name, line.state) for line in rollout.environments] == [
        (name, ProgressState.WAITING) for name in NAMES
    ]
    assert [line.elapsed(9) for line in rollout.environments] == [None] * 4


def test_elapsed_runs_from_the_first_step_to_the_end() -> None:
    clock = FakeClock()
    rollout = RolloutProgress(NAMES, clock.monotonic)

    rollout.start_step("mark", "copy", "copy v1")
    clock.sleep(3)
    rollout.start_step("mark", "deploy", "start it")
    clock.sleep(4)
    running = rollout.environments[0]
    rollout.finish("mark", "")
    clock.sleep(5)

    assert (running.state, running.step, running.elapsed(clock.monotonic())) == (
        "running",
        "deploy",
        12,
    )
    assert (rollout.environments[0].state, rollout.environments[0].elapsed(clock.monotonic())) == ("done", 7)


def test_a_failed_environment_keeps_its_step_and_shows_the_error() -> None:
    rollout = RolloutProgress(NAMES, FakeClock().monotonic)
    rollout.start_step("dom", "verify", "ask")

    rollout.finish("dom", "the app answers HTTP 502")

    assert (rollout.environments[2].step, rollout.environments[2].text) == ("verify", "the app answers HTTP 502")
    assert states(rollout) == ["waiting", "waiting", "failed", "waiting"]


def test_count_states_includes_empty_states() -> None:
    rollout = RolloutProgress(NAMES, FakeClock().monotonic)
    rollout.start_step("mark", "copy", "")
    rollout.finish("dom", "no")

    assert count_states(rollout.environments) == {
        ProgressState.FAILED: 1,
        ProgressState.INTERRUPTED: 0,
        ProgressState.ACTIVE: 1,
        ProgressState.WAITING: 2,
        ProgressState.DONE: 0,
    }


def test_environments_that_fit_prefers_failed_then_running_and_keeps_the_order() -> None:
    rollout = RolloutProgress(NAMES, FakeClock().monotonic)
    rollout.finish("mark", "")
    rollout.start_step("shane", "deploy", "")
    rollout.finish("eve", "no")

    def visible(height: int) -> list[str]:
        return [line.name for line in environments_that_fit(rollout.environments, height)]

    assert visible(4) == list(NAMES)
    assert visible(3) == ["shane", "dom", "eve"]
    assert visible(2) == ["shane", "eve"]
    assert visible(1) == ["eve"]
    assert visible(0) == visible(-3) == []


def test_updates_of_many_threads_are_all_kept() -> None:
    names = [f"tenant{number}" for number in range(200)]
    rollout = RolloutProgress(names, FakeClock().monotonic)

    def run_steps(name: str) -> None:
        for step in ("copy", "deploy", "verify"):
            rollout.start_step(name, step, "")
            rollout.update_text(name, step)
        rollout.finish(name, "no" if name.endswith("7") else "")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(run_steps, names))

    assert states(rollout) == ["failed" if name.endswith("7") else "done" for name in names]
