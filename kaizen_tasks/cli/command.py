"""Makes the tasks: a task imports its handler when it runs, and turns errors into exit codes.

Imported at every start, so it imports nothing heavy.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from contextlib import contextmanager, suppress
from importlib import import_module
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task

from kaizen_tasks.cli import correction, stopped
from kaizen_tasks.cli.error_text import error_text, log_error, text_of_parts
from kaizen_tasks.domain.text.printable import printable_lines
from kaizen_tasks.errors import NOTHING_CHANGED, KaizenError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import FrameType

    from kaizen_tasks.cli.flags import Flag

HANDLERS = "kaizen_tasks.cli.handlers"

NOISY_LOGGERS = ("apprise", "boto3", "botocore", "git", "s3transfer", "urllib3")
"""Libraries whose debug logs contain complete requests and responses: signatures, session tokens, passwords."""

DRY_RUN_NOTE = "note: this plan does not include the effects of the tasks above; nothing has been executed\n"
DRY_RUN_END = "nothing was changed; run it without --dry"
DOCUMENT_FLAGS = ("json", "sarif", "print_iam", "list")
"""Flags of tasks that then print a document or a list, which ends with its own last line."""

TASK_NAMES: set[str] = set()
"""The names of all tasks, without their collections."""

DRY_RUN_COUNT_KEY = "planned"
"""Key in Invoke's configuration, which all tasks of a command line share, for the number of tasks that ran dry."""


def command(
    handler: str,
    text: str | None,
    *flags: Flag,
    name: str = "",
    default: bool = False,
    bound: Mapping[str, object] | None = None,
    read_only: bool | Callable[[Mapping[str, object]], bool] = False,
) -> Any:
    """Make an Invoke task that calls a handler, and exits as the command-line contract says.

    No flag is positional: Invoke lets a missing one swallow `--dry`.

    Args:
        handler: module and function in `kaizen_tasks.cli.handlers`, such as `promote.promote`, which is imported when
            the task runs and called with the flags.
        text: what `--help` says; `--list` shows its first line.
        flags: the flags, in order.
        name: the task's name, when it is not the handler's.
        default: whether the task runs when its collection is named.
        bound: further arguments for the handler, which are no flags.
        read_only: whether the task changes nothing, so that one whose output cannot be written has not either; a
            function of its flags where that depends on them.
    """
    module_name, _, function_name = handler.rpartition(".")
    task_name = (name or function_name).replace("_", "-")

    def body(c: Context, /, **values: object) -> None:
        _quiet_noisy_loggers()
        _warn_about_dry_run(c)
        defaults: dict[str, object] = {flag.name: [] if flag.repeatable else flag.default for flag in flags}
        arguments = {**defaults, **{name: _as_utf8(value) for name, value in values.items()}}
        is_reading = read_only(arguments) if callable(read_only) else read_only
        changes_nothing = is_reading or bool(c.config.run.dry)
        with (
            _failures_on_job_page(task_name, read_only=changes_nothing),
            _errors_as_exits(task_name, read_only=changes_nothing),
            _signals_as_interrupts(),
        ):
            function = getattr(import_module(f"{HANDLERS}.{module_name}"), function_name)
            _check_wait(arguments)
            function(c, **arguments, **(bound or {}))
            if c.config.run.dry and not is_reading and not any(arguments.get(flag) for flag in DOCUMENT_FLAGS):
                _say_nothing_was_changed(task_name)
            sys.stdout.flush()

    TASK_NAMES.add(task_name)
    body.__name__, body.__doc__ = name or function_name, text
    body.__signature__ = _signature(flags)  # type: ignore[attr-defined]  # which Invoke reads the flags from
    return CommandTask(body, flags, default=default)


class CommandTask(Task[Any]):
    """A task of ours, which gives a flag only the letter that it has in every task.

    Attributes:
        flags: its flags, in the order of `--help`.
    """

    def __init__(self, body: Callable[..., None], flags: Sequence[Flag], *, default: bool = False) -> None:
        super().__init__(
            body,
            positional=[],
            default=default,
            auto_shortflags=False,
            help={flag.name: flag.help for flag in flags},
            iterable=[flag.name for flag in flags if flag.repeatable],
        )
        self.flags = tuple(flags)

    def __deepcopy__(self, memo: object) -> CommandTask:
        """Return itself, since nothing changes it: Invoke copies every task of a collection that it loads."""
        return self

    def arg_opts(self, name: str, default: Any, taken_names: set[str]) -> dict[str, Any]:
        """Return what Invoke needs to know about a flag, with its letter."""
        options: dict[str, Any] = super().arg_opts(name, default, taken_names)
        letters = [flag.letter for flag in self.flags if flag.name == name and flag.letter]
        return {**options, "names": [*options["names"], *letters]}


def _check_wait(arguments: Mapping[str, object]) -> None:
    """Check `--wait` before anything else: a usage error must not depend on AWS."""
    if arguments.get("wait"):
        from kaizen_tasks.domain.text.duration import parse_duration  # noqa: PLC0415 - only when the flag is given

        try:
            parse_duration(str(arguments["wait"]))
        except ValueError as error:
            raise UsageError(f"--wait {arguments['wait']}: {error}") from None


def _as_utf8(value: object) -> object:
    """Return the text of a flag, which is UTF-8 even where the locale has no encoding for it."""
    if not isinstance(value, str) or value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        with suppress(UnicodeDecodeError):
            return os.fsencode(value).decode()
    return value


def _signature(flags: Iterable[Flag]) -> Signature:
    """Return the signature of a function that takes the flags."""
    parameters = [
        Parameter(flag.name, Parameter.KEYWORD_ONLY, default=Parameter.empty if flag.repeatable else flag.default)
        for flag in flags
    ]
    return Signature([Parameter("c", Parameter.POSITIONAL_ONLY), *parameters])


@contextmanager
def _failures_on_job_page(task_name: str, *, read_only: bool) -> Iterator[None]:
    """Add the error of a task that changes something to the page of its CI job, where people look first."""
    try:
        yield
    except Exit as error:
        if error.message and not read_only:
            _show_on_job_page(task_name, error)
        raise


@contextmanager
def _errors_as_exits(task_name: str, *, read_only: bool) -> Iterator[None]:
    """Turn every error into an exit with its message and its code."""
    try:
        yield
    except KaizenError as error:
        _show_traceback()
        if isinstance(error, UsageError):
            correction.complete_hint(error, _typed_name(task_name))
        log_error(error)
        raise Exit(_new_line_after_echo(error.__context__) + error_text(error), code=error.exit_code) from error
    except KeyboardInterrupt as error:
        interruption = stopped.signal_error(error)
        log_error(interruption)
        raise Exit(_new_line_after_echo(error) + error_text(interruption), code=interruption.exit_code) from None
    except Exit:
        raise
    except Exception as error:
        _show_traceback()
        if isinstance(error, OSError) and stopped.is_environment_error(error):
            output_error = stopped.output_error(error, read_only=read_only)
            log_error(output_error)
            if isinstance(error, BrokenPipeError) and output_error.state == NOTHING_CHANGED:
                raise Exit from error  # its reader has enough, as in `inv status | head -1`
            raise Exit(error_text(output_error), code=output_error.exit_code) from error
        message = f"unexpected {type(error).__name__}: {error}"
        log_error(KaizenError(message))
        hint = f"see where: inv --debug {_typed_name(task_name)}"
        raise Exit(text_of_parts((message,), "this is a bug of kaizen_tasks", hint), code=1) from error


def _show_on_job_page(task_name: str, error: Exit) -> None:
    from kaizen_tasks.adapters.host.job_page import add_to_job_page, has_job_page  # noqa: PLC0415 - only for an error

    if not has_job_page(os.environ):
        return
    from kaizen_tasks.domain.run_summary import failure_markdown  # noqa: PLC0415 - only in CI

    command_line = f"{correction.program_name()} {_typed_name(task_name)}"
    has_title = isinstance(error.__cause__, KaizenError) and error.__cause__.is_on_job_page
    markdown = failure_markdown(command_line, error.message or "", code=error.code, has_title=has_title)
    if problem := add_to_job_page(markdown, is_success=False, environ=os.environ):
        sys.stderr.write(f"note: {problem}\n")


def _quiet_noisy_loggers() -> None:
    """Keep secrets out of the output of Invoke's `--debug`, which enables the logs of every library."""
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)


def _warn_about_dry_run(c: Context) -> None:
    """Print a note before the second task of a dry run: the effects of the first are not there to be seen."""
    if not c.config.run.dry:
        return
    planned_count = c.config.get(DRY_RUN_COUNT_KEY, 0)
    if planned_count == 1:
        sys.stdout.flush()
        sys.stderr.write(DRY_RUN_NOTE)
    c.config.update({DRY_RUN_COUNT_KEY: planned_count + 1})


def _say_nothing_was_changed(task_name: str) -> None:
    """End the output of a dry run, after the last of its tasks."""
    typed_names = [word.rpartition(".")[2] for word in correction.before_dashes(sys.argv[1:])]
    position = max((index for index, name in enumerate(typed_names) if name == task_name), default=len(typed_names))
    if not TASK_NAMES.intersection(typed_names[position + 1 :]):
        sys.stdout.write(f"{DRY_RUN_END}\n")


def _typed_name(task_name: str) -> str:
    """Return the name under which a task is on the command line: `lock.show` for `show`."""
    words = (
        word
        for word in correction.before_dashes(sys.argv[1:])
        if word.rpartition(".")[2].replace("_", "-") == task_name
    )
    return next(words, task_name)


def _new_line_after_echo(error: BaseException | None) -> str:
    """Return a line end when the terminal has just shown `^C`."""
    return "\n" if isinstance(error, KeyboardInterrupt) and sys.stderr.isatty() else ""


def _show_traceback() -> None:
    """Print the traceback of an error under Invoke's `--debug`."""
    if logging.getLogger("invoke").isEnabledFor(logging.DEBUG):
        sys.stderr.write(printable_lines(traceback.format_exc()))


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into KeyboardInterrupt, so that the stack is unwound as after Ctrl-C.

    An ignored signal stays ignored: `nohup inv promote-beta` continues when its terminal is closed.
    """
    signal_numbers = [
        candidate for candidate in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(candidate) is not signal.SIG_IGN
    ]
    previous_handlers = {number: signal.signal(number, _raise_interrupt) for number in signal_numbers}
    try:
        yield
    finally:
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)


def _raise_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
