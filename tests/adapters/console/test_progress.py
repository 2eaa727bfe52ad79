"""What is known of several environments side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from kaizen_tasks.adapters.console.progress import Board, State, chosen, counts
from tests.fakes.clock import FakeClock

NAMES = ("mark", "shane", "dom", "eve")


def states(board: Board) -> list[str]:
    """Return the state of every environment, in order."""
    return [line.state.value for line in board.lines]


def test_everybody_waits_at_first() -> None:
    """And has taken no time."""
    board = Board(NAMES, FakeClock().elapsed)

    assert [(line.name, line.state) for line in board.lines] == [(name, State.WAITING) for name in NAMES]
    assert [line.took(9) for line in board.lines] == [None] * 4


def test_an_environment_takes_time_from_its_first_step_to_its_end() -> None:
    """Whatever steps are between; afterwards it takes no more."""
    clock = FakeClock()
    board = Board(NAMES, clock.elapsed)

    board.reach("mark", "copy", "copy v1")
    clock.sleep(3)
    board.reach("mark", "deploy", "start it")
    clock.sleep(4)
    while_at_work = board.lines[0]
    board.end("mark", "")
    clock.sleep(5)

    assert (while_at_work.state, while_at_work.step, while_at_work.took(clock.elapsed())) == ("at work", "deploy", 12)
    assert (board.lines[0].state, board.lines[0].took(clock.elapsed())) == ("done", 7)


def test_what_failed_keeps_its_step_and_says_why() -> None:
    """The others are not touched."""
    board = Board(NAMES, FakeClock().elapsed)
    board.reach("dom", "verify", "ask")

    board.end("dom", "the app answers HTTP 502")

    assert (board.lines[2].step, board.lines[2].text) == ("verify", "the app answers HTTP 502")
    assert states(board) == ["waiting", "waiting", "failed", "waiting"]


def test_counts_every_state() -> None:
    """Those with nobody in them too."""
    board = Board(NAMES, FakeClock().elapsed)
    board.reach("mark", "copy", "")
    board.end("dom", "no")

    assert counts(board.lines) == {State.FAILED: 1, State.ACTIVE: 1, State.WAITING: 2, State.DONE: 0}


def test_where_not_all_have_room_trouble_comes_first_and_then_work() -> None:
    """In the order in which they were configured, so that rows do not jump about."""
    board = Board(NAMES, FakeClock().elapsed)
    board.end("mark", "")
    board.reach("shane", "deploy", "")
    board.end("eve", "no")

    def shown(room: int) -> list[str]:
        return [line.name for line in chosen(board.lines, room)]

    assert shown(4) == list(NAMES)
    assert shown(3) == ["shane", "dom", "eve"]
    assert shown(2) == ["shane", "eve"]
    assert shown(1) == ["eve"]
    assert shown(0) == shown(-3) == []


def test_nothing_is_lost_that_many_threads_say_at_once() -> None:
    """Every environment ends as it was told to."""
    names = [f"tenant{number}" for number in range(200)]
    board = Board(names, FakeClock().elapsed)

    def go(name: str) -> None:
        for step in ("copy", "deploy", "verify"):
            board.reach(name, step, "")
            board.say(name, step)
        board.end(name, "no" if name.endswith("7") else "")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(go, names))

    assert states(board) == ["failed" if name.endswith("7") else "done" for name in names]
