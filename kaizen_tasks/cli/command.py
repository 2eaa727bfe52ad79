"""Makes the tasks: a task imports its handler when it runs, and turns errors into exit codes.

Imported at every start, so it imports nothing heavy.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from contextlib import contextmanager
from importlib import import_module
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task

from kaizen_tasks.errors import Interrupted, KaizenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import FrameType

    from kaizen_tasks.cli.flags import Flag

HANDLERS = "kaizen_tasks.cli.handlers"

NOISY_LOGGERS = ("boto3", "botocore", "git", "s3transfer", "urllib3")
"""Libraries whose debug logs contain complete requests and responses: signatures, session tokens, passwords."""

DRY_RUN_NOTE = "note: this plan does not include the effects of the tasks above; nothing has been executed\n"
DRY_RUN_COUNT_KEY = "planned"
"""Key in Invoke's configuration, which all tasks of a command line share, for the number of tasks that ran dry."""


def command(
    handler: str,
    text: str | None,
    *flags: Flag,
    name: str = "",
    default: bool = False,
    bound: Mapping[str, object] | None = None,
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
    """
    module_name, _, function_name = handler.rpartition(".")

    def body(c: Context, /, **values: object) -> None:
        _quiet_noisy_loggers()
        _warn_about_dry_run(c)
        with _errors_as_exits(), _signals_as_interrupts():
            function = getattr(import_module(f"{HANDLERS}.{module_name}"), function_name)
            defaults: dict[str, object] = {flag.name: [] if flag.repeatable else flag.default for flag in flags}
            function(c, **{**defaults, **values}, **(bound or {}))

    body.__name__, body.__doc__ = name or function_name, text
    body.__signature__ = _signature(flags)  # type: ignore[attr-defined]  # which Invoke reads the flags from
    return Task(
        body,
        positional=[],
        default=default,
        help={flag.name: flag.help for flag in flags},
        iterable=[flag.name for flag in flags if flag.repeatable],
    )


def _signature(flags: Iterable[Flag]) -> Signature:
    """Return the signature of a function that takes the flags."""
    parameters = [
        Parameter(flag.name, Parameter.KEYWORD_ONLY, default=Parameter.empty if flag.repeatable else flag.default)
        for flag in flags
    ]
    return Signature([Parameter("c", Parameter.POSITIONAL_ONLY), *parameters])


@contextmanager
def _errors_as_exits() -> Iterator[None]:
    """Turn every error into an exit with its message and its code."""
    try:
        yield
    except KaizenError as error:
        _show_traceback()
        raise Exit(str(error), code=error.exit_code) from error
    except KeyboardInterrupt:
        interruption = Interrupted("interrupted", hint="run the same command again to finish")
        raise Exit(str(interruption), code=interruption.exit_code) from None
    except BrokenPipeError:
        raise _broken_pipe_exit() from None
    except Exit:
        raise
    except Exception as error:
        _show_traceback()
        message = f"unexpected {type(error).__name__}: {error}"
        raise Exit(f"{message}\nthis is a bug of kaizen_tasks\n--debug shows where", code=1) from error


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


def _broken_pipe_exit() -> Exit:
    """Return an interruption, and silence Python's own last flush of stdout, which would fail once more."""
    if sys.__stdout__ is not None and sys.stdout is sys.__stdout__:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
    interruption = Interrupted("interrupted: the output was closed", hint="run the same command again to finish")
    return Exit(str(interruption), code=interruption.exit_code)


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
