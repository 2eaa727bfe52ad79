"""The edge between tasks and everything below."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING, Any

import pytest
from invoke.config import Config
from invoke.context import Context
from invoke.exceptions import Exit

from kaizen_tasks import errors
from kaizen_tasks.cli.command import DRY_RUN_NOTE, command
from kaizen_tasks.errors import ConfigurationError, KaizenError, VerifyFailed

if TYPE_CHECKING:
    from collections.abc import Callable

CODES = {
    "KaizenError": 1,
    "UsageError": 2,
    "ConfigurationError": 2,
    "Refused": 3,
    "NotFound": 3,
    "Undeployable": 3,
    "Denied": 3,
    "Unreachable": 3,
    "Locked": 4,
    "BuildFailed": 5,
    "PushFailed": 6,
    "DeployFailed": 7,
    "VerifyFailed": 8,
    "Superseded": 8,
    "RolloutFailed": 9,
    "RollbackFailed": 10,
    "Interrupted": 130,
}


def task(body: Callable[[], object]) -> Any:
    """Make a task that does this."""

    @command()
    def made(_: Context) -> None:
        """Do it."""
        body()

    return made


def fail(error: BaseException) -> Exit:
    """Return what a task that raises this exits with."""

    def body() -> object:
        raise error

    with pytest.raises(Exit) as left:
        task(body)(Context())
    return left.value


@pytest.mark.parametrize(("name", "code"), CODES.items())
def test_every_kind_of_failure_has_its_exit_code(name: str, code: int) -> None:
    """The codes are a contract: scripts depend on them."""
    kind = getattr(errors, name)
    error = kind("it is gone", environment="staging") if issubclass(kind, VerifyFailed) else kind("it is gone")
    if kind is ConfigurationError:
        error = kind(("it is gone",))

    left = fail(error)

    assert left.code == code
    assert left.message == "it is gone"


def test_the_table_above_names_every_kind() -> None:
    """A new kind of failure needs a code that is known."""
    kinds = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}

    assert {name for name, kind in kinds.items() if issubclass(kind, KaizenError)} == CODES.keys()


def test_says_what_went_wrong_what_state_things_are_in_and_what_to_type() -> None:
    """Three lines, and none that is empty."""
    assert fail(KaizenError("what", state="state", hint="hint")).message == "what\nstate\nhint"
    assert fail(KaizenError("what", hint="hint")).message == "what\nhint"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_unwinds_and_exits_as_interrupted(number: signal.Signals) -> None:
    """What was begun is left in order, and the same command finishes it."""
    unwound = []

    def body() -> object:
        try:
            signal.raise_signal(number)
        finally:
            unwound.append(number)
        return None

    with pytest.raises(Exit) as left:
        task(body)(Context())

    assert left.value.code == 130
    assert left.value.message == "interrupted\nrun the same command again to finish"
    assert unwound == [number]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_are_again_what_they_were_afterwards(number: signal.Signals) -> None:
    """Tasks run inside somebody else's program too."""
    before = signal.getsignal(number)

    task(lambda: None)(Context())

    assert signal.getsignal(number) is before


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    """`nohup inv promote-beta` goes on when its terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        task(lambda: signal.raise_signal(signal.SIGHUP))(Context())
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_exit_of_a_task_stays_as_it_is() -> None:
    """Invoke's own way out."""
    left = fail(Exit("enough", code=42))

    assert (left.message, left.code) == ("enough", 42)


def test_anything_unexpected_is_called_a_bug_of_ours() -> None:
    """With the way to a traceback, and none by itself."""
    left = fail(ZeroDivisionError("division by zero"))

    assert left.code == 1
    assert (left.message or "").splitlines() == [
        "unexpected ZeroDivisionError: division by zero",
        "this is a bug of kaizen_tasks",
        "--debug shows where",
    ]


def test_a_reader_who_has_seen_enough_is_no_bug() -> None:
    """A closed pipe interrupts, as Ctrl-C does."""
    left = fail(BrokenPipeError(32, "Broken pipe"))

    assert left.code == 130
    assert "the output was closed" in (left.message or "")


@pytest.mark.parametrize("error", [KaizenError("known"), ZeroDivisionError("unknown")])
@pytest.mark.parametrize(("level", "shown"), [(logging.DEBUG, True), (logging.WARNING, False)])
def test_debug_shows_where_an_error_came_from(
    *, error: Exception, level: int, shown: bool, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A known error's as well."""
    caplog.set_level(level, logger="invoke")

    fail(error)

    assert ("Traceback (most recent call last)" in capsys.readouterr().err) is shown


def test_no_argument_of_a_task_is_positional() -> None:
    """Invoke makes one of every argument without a default, and lets a missing one swallow `--dry`."""

    @command()
    def say(_: Context, text: str) -> None:
        """Say something."""
        raise AssertionError(text)

    assert [(argument.name, argument.positional) for argument in say.get_arguments()] == [("text", False)]


def test_a_task_keeps_its_name_its_help_and_its_result() -> None:
    """`inv --list` shows them."""

    @command(help={"text": "anything"})
    def say(_: Context, text: str = "") -> None:
        """Say something."""
        said.append(text)

    said: list[str] = []
    say(Context(), text="hello")

    assert (say.name, say.__doc__, say.help) == ("say", "Say something.", {"text": "anything"})
    assert said == ["hello"]


@pytest.mark.parametrize("dry", [True, False])
def test_a_dry_run_of_several_tasks_says_once_what_the_later_ones_do_not_see(
    *, dry: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tasks hand on their work through the world, where a dry run leaves nothing."""
    config = Config(overrides={"run": {"dry": dry}})
    said = []

    for _ in range(3):
        task(lambda: None)(Context(config))
        said.append(capsys.readouterr().err)

    assert [bool(each) for each in said] == [False, dry, False]
    assert said[1] == (DRY_RUN_NOTE if dry else "")
