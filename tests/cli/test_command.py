"""The edge between tasks and everything below."""

from __future__ import annotations

import errno
import logging
import signal
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from invoke.config import Config
from invoke.context import Context
from invoke.exceptions import Exit

from kaizen_tasks import errors
from kaizen_tasks.adapters.console.run_log import RunLog
from kaizen_tasks.cli.command import DRY_RUN_END, DRY_RUN_NOTE, HANDLERS, command
from kaizen_tasks.cli.flags import Flag
from kaizen_tasks.errors import (
    NOTHING_CHANGED,
    Cancelled,
    ConfigurationError,
    KaizenError,
    Refused,
    UsageError,
    VerifyFailed,
)
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CODES = {
    "KaizenError": 1,
    "UsageError": 2,
    "ConfigurationError": 2,
    "Refused": 3,
    "NotFound": 3,
    "ClusterMissing": 3,
    "Undeployable": 3,
    "Unsupported": 3,
    "Denied": 3,
    "Undelivered": 3,
    "Unreachable": 3,
    "Locked": 4,
    "BuildFailed": 5,
    "PushFailed": 6,
    "BranchProtected": 6,
    "DeployFailed": 7,
    "VerifyFailed": 8,
    "Superseded": 8,
    "Unproven": 8,
    "RolloutFailed": 9,
    "DriftFound": 9,
    "TargetsFailed": 9,
    "RollbackFailed": 10,
    "Interrupted": 130,
    "Cancelled": 130,
    "ServiceMissing": 130,
}
HOSTILE = "\x1b]0;owned\x9b2J\u202e\n::add-mask::x"


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of handlers, in which tests define them."""
    module = ModuleType("handlers")
    monkeypatch.setitem(sys.modules, f"{HANDLERS}.tested", module)
    return module


def task(body: Callable[[], object], *, read_only: bool = False) -> Any:
    """Make a task that does this."""
    vars(sys.modules[f"{HANDLERS}.tested"])["do"] = lambda _: body()
    return command("tested.do", "Do it.", read_only=read_only)


def fail(error: BaseException, *, read_only: bool = False) -> Exit:
    """Return what a task that raises this exits with."""

    def body() -> object:
        raise error

    with pytest.raises(Exit) as left:
        task(body, read_only=read_only)(Context())
    return left.value


@pytest.mark.parametrize(("name", "code"), CODES.items())
def test_every_error_has_its_exit_code(name: str, code: int) -> None:
    """Scripts depend on the codes."""
    kind = getattr(errors, name)
    error = kind("it is gone", environment="staging") if issubclass(kind, VerifyFailed) else kind("it is gone")
    if kind is ConfigurationError:
        error = kind(("it is gone",))

    left = fail(error)

    assert left.code == code
    help_hint = "\ninv --help do" if kind is UsageError else ""
    assert left.message == ("" if kind is Cancelled else "error: ") + f"it is gone{help_hint}"


def test_exit_codes_are_listed_for_every_error() -> None:
    kinds = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}

    assert {name for name, kind in kinds.items() if issubclass(kind, KaizenError)} == CODES.keys()


def test_error_is_printed_as_message_state_and_hint() -> None:
    """Without empty lines."""
    assert fail(KaizenError("what", state="state", hint="hint")).message == "error: what\nstate\nhint"
    assert fail(KaizenError("what", hint="hint")).message == "error: what\nhint"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_unwinds_the_stack_and_exits_with_130(number: signal.Signals) -> None:
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
def test_signal_handlers_are_restored_after_a_task(number: signal.Signals) -> None:
    """Tasks may run inside another program."""
    before = signal.getsignal(number)

    task(lambda: None)(Context())

    assert signal.getsignal(number) is before


def test_ignored_signal_stays_ignored() -> None:
    """`nohup inv promote-beta` continues when its terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        task(lambda: signal.raise_signal(signal.SIGHUP))(Context())
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_exit_of_a_task_keeps_its_message_and_code() -> None:
    left = fail(Exit("enough", code=42))

    assert (left.message, left.code) == ("enough", 42)


def test_unexpected_exception_is_reported_as_a_bug() -> None:
    """It says how to see the traceback."""
    left = fail(ZeroDivisionError("division by zero"))

    assert left.code == 1
    assert (left.message or "").splitlines() == [
        "error: unexpected ZeroDivisionError: division by zero",
        "this is a bug of kaizen_tasks",
        "see where: inv --debug do",
    ]


def test_bug_hint_has_the_task_as_it_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["inv", "--dry", "lock.do", "--env", "do"])

    assert (fail(ZeroDivisionError("no")).message or "").endswith("see where: inv --debug lock.do")


@pytest.mark.parametrize(
    ("notes", "read_only", "code", "state"),
    [
        ((), False, 130, []),
        ((), True, 3, [NOTHING_CHANGED]),
        ((NOTHING_CHANGED, NOTHING_CHANGED), False, 3, [NOTHING_CHANGED]),
        (("done so far: the image is pushed", NOTHING_CHANGED), False, 130, ["done so far: the image is pushed"]),
    ],
)
def test_full_disk_exits_by_what_has_been_changed(
    *, notes: tuple[str, ...], read_only: bool, code: int, state: list[str]
) -> None:
    """See decision 0020."""
    error = OSError(28, "No space left on device")
    for note in notes:
        error.add_note(note)

    left = fail(error, read_only=read_only)

    assert left.code == code
    assert (left.message or "").splitlines() == [
        "error: cannot write the output: No space left on device",
        *state,
        "fix that, then run the same command again",
    ]


def test_file_that_cannot_be_written_is_named() -> None:
    left = fail(PermissionError(13, "Permission denied", "/app/VERSION"))

    assert (left.message or "").splitlines()[0] == "error: /app/VERSION: Permission denied"


def test_interruption_tells_what_has_been_changed() -> None:
    interrupt = KeyboardInterrupt()
    interrupt.add_note("done so far: the image is pushed")
    interrupt.add_note(NOTHING_CHANGED)

    message = fail(interrupt).message or ""

    assert message.splitlines() == [
        "interrupted",
        "done so far: the image is pushed",
        "run the same command again to finish",
    ]


def test_error_after_an_echoed_ctrl_c_starts_on_a_new_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")

    assert (fail(KeyboardInterrupt()).message or "").startswith("\ninterrupted\n")
    assert (fail(KaizenError("known")).message or "") == "error: known"


def test_full_disk_is_noticed_when_the_task_has_succeeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text that is still in Python's buffer would fail at exit, with a code of Python's own."""

    def flush() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.stdout.flush", flush)

    with pytest.raises(Exit) as left:
        task(lambda: None)(Context())

    assert left.value.code == 130


def test_closed_output_is_an_interruption() -> None:
    """As for Ctrl-C, the exit code is 130."""
    left = fail(BrokenPipeError(32, "Broken pipe"))

    assert left.code == 130
    assert "the output was closed" in (left.message or "")


def test_closed_output_of_a_task_that_changes_nothing_is_no_failure() -> None:
    """As in `inv status | head -1`; a task may change something with one flag only."""
    left = fail(BrokenPipeError(32, "Broken pipe"), read_only=True)

    assert (left.code, left.message) == (0, None)


@pytest.mark.parametrize("error", [KaizenError("known"), ZeroDivisionError("unknown")])
@pytest.mark.parametrize(("level", "shown"), [(logging.DEBUG, True), (logging.WARNING, False)])
def test_debug_prints_the_traceback_of_every_error(
    *, error: Exception, level: int, shown: bool, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(level, logger="invoke")

    fail(error)

    assert ("Traceback (most recent call last)" in capsys.readouterr().err) is shown


def test_error_is_the_end_of_the_log(tmp_path: Path) -> None:
    log = RunLog("coach", FakeClock(), folder=lambda: tmp_path)
    log.open()

    fail(KaizenError("2 of 60 do not have v1.2.3", state="done: ann", hint="continue: inv promote-beta"))

    (file,) = tmp_path.iterdir()
    assert [line[21:] for line in file.read_text(encoding="utf-8").splitlines()] == [
        "error: 2 of 60 do not have v1.2.3",
        "done: ann",
        "continue: inv promote-beta",
    ]


def test_task_passes_flags_defaults_and_bound_arguments_to_its_handler(handlers: ModuleType) -> None:
    """A list is a new one each time: handlers may change it."""
    calls: list[dict[str, Any]] = []
    vars(handlers)["say"] = lambda _, **arguments: calls.append(arguments)
    flags = (Flag("env", "where", repeatable=True), Flag("shard", "which", default=None), Flag("text", "what"))
    say = command("tested.say", "Say something.", *flags, bound={"stage": "prod"})

    say(Context(), text="hello")
    say(Context(), env=["staging"])

    assert calls == [
        {"env": [], "shard": None, "text": "hello", "stage": "prod"},
        {"env": ["staging"], "shard": None, "text": "", "stage": "prod"},
    ]
    calls[0]["env"].append("beta")
    say(Context())
    assert calls[2]["env"] == []


def test_task_has_the_name_of_its_handler_and_flags_with_help() -> None:
    """None of the flags is positional: Invoke would let a missing one swallow `--dry`."""
    flags = (Flag("set_file", "a file", repeatable=True), Flag("yes", "do not ask", default=False), Flag("text", "any"))

    say = command("tested.say", "Say something.", *flags)

    assert (say.name, say.__doc__) == ("say", "Say something.")
    assert [(each.names, each.kind, each.help, each.positional) for each in say.get_arguments()] == [
        (("set-file",), list, "a file", False),
        (("yes", "y"), bool, "do not ask", False),
        (("text",), str, "any", False),
    ]


@pytest.mark.parametrize("dry", [True, False])
def test_dry_run_of_several_tasks_prints_one_note(*, dry: bool, capsys: pytest.CaptureFixture[str]) -> None:
    config = Config(overrides={"run": {"dry": dry}})
    said = []

    for _ in range(3):
        task(lambda: None)(Context(config))
        said.append(capsys.readouterr().err)

    assert [bool(each) for each in said] == [False, dry, False]
    assert said[1] == (DRY_RUN_NOTE if dry else "")


@pytest.mark.parametrize(
    ("words", "is_last"), [("--dry do", True), ("--dry do bump", False), ("--dry bump do --reason=bump", True)]
)
def test_dry_run_ends_with_what_to_type_instead(
    *, words: str, is_last: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for several tasks: after the last of them."""
    monkeypatch.setattr("sys.argv", ["inv", *words.split()])
    monkeypatch.setattr("kaizen_tasks.cli.command.TASK_NAMES", {"bump"})
    config = Config(overrides={"run": {"dry": True}})

    task(lambda: None)(Context(config))
    assert capsys.readouterr().out == (f"{DRY_RUN_END}\n" if is_last else "")

    task(lambda: None, read_only=True)(Context(config))
    assert capsys.readouterr().out == ""


def test_each_part_of_an_error_is_one_line_that_no_terminal_obeys() -> None:
    """Messages repeat what AWS, registries and other people wrote."""
    error = fail(Refused(HOSTILE, state=HOSTILE, hint=HOSTILE))

    assert error.message == "error: " + "\n".join(["?]0;owned?2J??::add-mask::x"] * 3)


def test_every_problem_of_a_configuration_keeps_its_line() -> None:
    error = fail(ConfigurationError(("one\x1b", "two"), hint="three"))

    assert error.message == "error: one?\nerror: two\nthree"


def test_unexpected_error_is_sanitised() -> None:
    assert (fail(ZeroDivisionError(HOSTILE)).message or "").startswith(
        "error: unexpected ZeroDivisionError: ?]0;owned?2J??::"
    )


def test_debug_sanitises_the_traceback(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="invoke")
    fail(Refused(HOSTILE))

    traceback = capsys.readouterr().err
    assert "?]0;owned?2J?\n" in traceback
    assert "\x1b" not in traceback


@pytest.mark.parametrize(("read_only", "code", "state"), [(True, 3, [NOTHING_CHANGED]), (False, 130, [])])
def test_missing_temporary_folder_is_no_bug(*, read_only: bool, code: int, state: list[str]) -> None:
    error = FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    exit_ = fail(error, read_only=read_only)

    assert exit_.code == code
    assert (exit_.message or "").splitlines() == [
        "error: No usable temporary directory found in ['/tmp']",
        *state,
        "set TMPDIR to a folder that you can write to",
    ]


def test_error_is_on_the_page_of_the_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    monkeypatch.setattr(sys, "argv", ["inv", "do"])

    fail(Refused("prod has no image", state=NOTHING_CHANGED, hint="inv doctor"))
    fail(ZeroDivisionError("a bug"))

    first, second = page.read_text(encoding="utf-8").split("\n### ")[1:]
    assert first.startswith("❌ inv do failed (exit code 3)")
    assert f"error: prod has no image\n{NOTHING_CHANGED}\ninv doctor\n" in first
    assert second.startswith("❌ inv do failed (exit code 1)")


def test_error_below_the_table_of_its_command_has_no_title(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    error = KaizenError("dom is held")
    error.is_on_job_page = True

    fail(error)

    assert "### " not in page.read_text(encoding="utf-8")
    assert "failed (exit code 1)\n\n```text\nerror: dom is held\n" in page.read_text(encoding="utf-8")


def test_error_of_a_task_that_only_reads_is_not_on_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A workflow may write what such a task prints there itself."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))

    fail(Refused("the changelog has problems"), read_only=True)

    assert not (tmp_path / "summary.md").exists()


def test_page_that_cannot_be_written_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))

    assert fail(Refused("prod has no image")).code == 3
    assert capsys.readouterr().err == f"note: the job's summary cannot be written: {tmp_path}: Is a directory\n"
