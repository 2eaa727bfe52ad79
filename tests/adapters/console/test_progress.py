"""What is known of several environments side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from kaizen_tasks.adapters.console.progress import ProgressState, RolloutProgress, count_states, environments_that_fit
from tests.fakes.clock import FakeClock

NAMES = ("mark", "shane", "dom", "eve")


def states(board: RolloutProgress) -> list[str]:
    """Return the state of every environment, in order."""
    return [line.state.value for line in board.environments]


def test_everybody_waits_at_first() -> None:
    """And has taken no time."""
    board = RolloutProgress(NAMES, FakeClock().monotonic)

    assert [(line.name, line.state) for line in board.environments] == [(name, ProgressState.WAITING) for name in NAMES]
    assert [line.elapsed(9) for line in board.environments] == [None] * 4


def test_an_environment_takes_time_from_its_first_step_to_its_end() -> None:
    """Whatever steps are between; afterwards it takes no more."""
    clock = FakeClock()
    board = RolloutProgress(NAMES, clock.monotonic)

    board.start_step("mark", "copy", "copy v1")
    clock.sleep(3)
    board.start_step("mark", "deploy", "start it")
    clock.sleep(4)
    while_at_work = board.environments[0]
    board.finish("mark", "")
    clock.sleep(5)

    assert (while_at_work.state, while_at_work.step, while_at_work.elapsed(clock.monotonic())) == (
        "at work",
        "deploy",
        12,
    )
    assert (board.environments[0].state, board.environments[0].elapsed(clock.monotonic())) == ("done", 7)


def test_what_failed_keeps_its_step_and_says_why() -> None:
    """The others are not touched."""
    board = RolloutProgress(NAMES, FakeClock().monotonic)
    board.start_step("dom", "verify", "ask")

    board.finish("dom", "the app answers HTTP 502")

    assert (board.environments[2].step, board.environments[2].text) == ("verify", "the app answers HTTP 502")
    assert states(board) == ["waiting", "waiting", "failed", "waiting"]


def test_counts_every_state() -> None:
    """Those with nobody in them too."""
    board = RolloutProgress(NAMES, FakeClock().monotonic)
    board.start_step("mark", "copy", "")
    board.finish("dom", "no")

    assert count_states(board.environments) == {
        ProgressState.FAILED: 1,
        ProgressState.ACTIVE: 1,
        ProgressState.WAITING: 2,
        ProgressState.DONE: 0,
    }


def test_where_not_all_have_room_trouble_comes_first_and_then_work() -> None:
    """In the order in which they were configured, so that rows do not jump about."""
    board = RolloutProgress(NAMES, FakeClock().monotonic)
    board.finish("mark", "")
    board.start_step("shane", "deploy", "")
    board.finish("eve", "no")

    def shown(room: int) -> list[str]:
        return [line.name for line in environments_that_fit(board.environments, room)]

    assert shown(4) == list(NAMES)
    assert shown(3) == ["shane", "dom", "eve"]
    assert shown(2) == ["shane", "eve"]
    assert shown(1) == ["eve"]
    assert shown(0) == shown(-3) == []


def test_nothing_is_lost_that_many_threads_say_at_once() -> None:
    """Every environment ends as it was told to."""
    names = [f"tenant{number}" for number in range(200)]
    board = RolloutProgress(names, FakeClock().monotonic)

    def go(name: str) -> None:
        for step in ("copy", "deploy", "verify"):
            board.start_step(name, step, "")
            board.update_text(name, step)
        board.finish(name, "no" if name.endswith("7") else "")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(go, names))

    assert states(board) == ["failed" if name.endswith("7") else "done" for name in names]
