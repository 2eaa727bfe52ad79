"""The decorator of all tasks: it imports the handler when the task runs, and turns errors into exit codes.

Imported at every start, so it imports nothing heavy.
"""

from __future__ import annotations

import functools
import inspect
import logging
import signal
import sys
import traceback
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from kaizen_tasks.cli import stopped
from kaizen_tasks.errors import KaizenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

P = ParamSpec("P")
R = TypeVar("R")

HANDLERS = "kaizen_tasks.cli.handlers"

NOISY_LOGGERS = ("boto3", "botocore", "git", "s3transfer", "urllib3")
"""Libraries whose debug logs contain complete requests and responses: signatures, session tokens, passwords."""

DRY_RUN_NOTE = "note: this plan does not include the effects of the tasks above; nothing has been executed\n"
DRY_RUN_COUNT_KEY = "planned"
"""Key in Invoke's configuration, which all tasks of a command line share, for the number of tasks that ran dry."""


def command(
    *, handler: str = "", bound: Mapping[str, object] | None = None, read_only: bool = False, **options: Any
) -> Callable[[Callable[..., None]], Any]:
    """Make an Invoke task that exits as the command-line contract says.

    No argument is positional: Invoke lets a missing one swallow `--dry`.

    Args:
        handler: module and function in `kaizen_tasks.cli.handlers`, such as `promote.promote`, which is imported when
            the task runs and called with the flags; empty when the decorated function itself does the work.
        bound: further arguments for the handler, which are no flags.
        read_only: whether the task changes nothing, so that one whose output cannot be written has not either.
        options: what Invoke's own `task` takes.
    """

    def decorate(function: Callable[..., None]) -> Any:
        body = _load_lazily(function, handler, bound or {}) if handler else function
        task_name = options.get("name", function.__name__).replace("_", "-")
        return task(positional=[], **options)(_with_exit_codes(body, task_name, read_only=read_only))

    return decorate


def _load_lazily(declaration: Callable[..., None], handler: str, bound: Mapping[str, object]) -> Callable[..., None]:
    """Return a function with the flags of a declaration that calls its handler."""
    module_name, _, function_name = handler.rpartition(".")

    @functools.wraps(declaration)
    def call_handler(c: Context, /, *args: object, **kwargs: object) -> None:
        flags = inspect.signature(declaration).bind(c, *args, **kwargs)
        flags.apply_defaults()
        _, *names = flags.arguments
        function = getattr(import_module(f"{HANDLERS}.{module_name}"), function_name)
        function(c, **{name: flags.arguments[name] for name in names}, **bound)

    return call_handler


def _with_exit_codes(
    body: Callable[Concatenate[Context, P], R], task_name: str, *, read_only: bool
) -> Callable[Concatenate[Context, P], R]:
    @functools.wraps(body)
    def wrapper(c: Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
        _quiet_noisy_loggers()
        _warn_about_dry_run(c)
        try:
            with _signals_as_interrupts():
                result = body(c, *args, **kwargs)
                sys.stdout.flush()
                return result
        except KaizenError as error:
            _show_traceback()
            raise Exit(_new_line_after_echo(error.__context__) + str(error), code=error.exit_code) from error
        except KeyboardInterrupt as error:
            interruption = stopped.signal_error(error)
            raise Exit(_new_line_after_echo(error) + str(interruption), code=interruption.exit_code) from None
        except Exit:
            raise
        except Exception as error:
            _show_traceback()
            if isinstance(error, OSError) and error.errno in stopped.ENVIRONMENT_ERRNOS:
                output_error = stopped.output_error(error, read_only=read_only)
                raise Exit(str(output_error), code=output_error.exit_code) from error
            message = f"unexpected {type(error).__name__}: {error}"
            hint = f"inv --debug {_typed_name(task_name)} shows where"
            raise Exit(f"{message}\nthis is a bug of kaizen_tasks\n{hint}", code=1) from error

    return wrapper


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


def _typed_name(task_name: str) -> str:
    """Return the name under which a task is on the command line: `lock.show` for `show`."""
    words = (word for word in sys.argv[1:] if word.rpartition(".")[2].replace("_", "-") == task_name)
    return next(words, task_name)


def _new_line_after_echo(error: BaseException | None) -> str:
    """Return a line end when the terminal has just shown `^C`."""
    return "\n" if isinstance(error, KeyboardInterrupt) and sys.stderr.isatty() else ""


def _show_traceback() -> None:
    """Print the traceback of an error under Invoke's `--debug`."""
    if logging.getLogger("invoke").isEnabledFor(logging.DEBUG):
        traceback.print_exc(file=sys.stderr)


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
