"""The edge between tasks and everything below: errors become exit codes, signals become errors.

Imported at every start, so it imports nothing heavy.
"""

from __future__ import annotations

import functools
import logging
import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from invoke.exceptions import Exit
from invoke.tasks import task

from kaizen_tasks.errors import Interrupted, KaizenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from invoke.context import Context

P = ParamSpec("P")
R = TypeVar("R")

ENV_HELP = "environment or group; may be repeated"
RELEASE_HELP = "the release: v1.2.3 or 1.2.3"
YES_HELP = "answer every question with yes"
JSON_HELP = "print one JSON document on stdout, and everything for people on stderr"
TO_HELP = "exactly this version"
SKIP_HELD_HELP = "succeed although held environments were left out"
WAIT_HELP = "how long to wait for another run that is at work there: 10m"
SHARD_HELP = "which part of the environments, as 2/8: for several machines at once"
WITHOUT_EVIDENCE_HELP = "why it goes further without having been verified in the stage before; goes into the ledger"
NO_ROLLBACK_HELP = "leave a release that does not prove itself in service"
SKIP_DOCS_HELP = "why the documentation checklist does not apply this time; goes into the tag's message"
NOISY_LOGGERS = ("boto3", "botocore", "git", "s3transfer", "urllib3")
"""Libraries whose debug logs repeat requests and answers whole: signatures, session tokens, registry passwords."""

DRY_RUN_COUNT_KEY = "planned"
"""Where Invoke's configuration, which all tasks of a command line share, keeps how many were planned only."""

FORCE_HELP = "go ahead although the notes ask for a higher part"
PART_HELP = "auto, patch, feature, major or rc"


def command(**options: Any) -> Callable[[Callable[..., None]], Any]:
    """Make an Invoke task that exits as the command-line contract says.

    No argument is positional: Invoke lets a missing one swallow `--dry`.

    Args:
        options: what Invoke's own `task` takes.
    """

    def decorate(body: Callable[..., None]) -> Any:
        return task(positional=[], **options)(_with_exit_codes(body))

    return decorate


def _with_exit_codes(body: Callable[Concatenate[Context, P], R]) -> Callable[Concatenate[Context, P], R]:
    @functools.wraps(body)
    def wrapper(c: Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
        _quiet_noisy_loggers()
        _warn_about_dry_run(c)
        try:
            with _signals_as_interrupts():
                return body(c, *args, **kwargs)
        except KaizenError as error:
            _show_traceback()
            raise Exit(str(error), code=error.exit_code) from error
        except KeyboardInterrupt:
            interruption = Interrupted("interrupted", hint="type the same command again to finish")
            raise Exit(str(interruption), code=interruption.exit_code) from None
        except BrokenPipeError:
            raise _broken_pipe_exit() from None
        except Exit:
            raise
        except Exception as error:
            _show_traceback()
            message = f"unexpected {type(error).__name__}: {error}"
            raise Exit(f"{message}\nthis is a bug of kaizen_tasks\n--debug shows where", code=1) from error

    return wrapper


def _quiet_noisy_loggers() -> None:
    """Keep secrets out of what Invoke's `--debug` shows, which wants to hear from everybody."""
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)


def _warn_about_dry_run(c: Context) -> None:
    """Say before the second task of a dry run what it and those after it cannot see."""
    if not c.config.run.dry:
        return
    planned_count = c.config.get(DRY_RUN_COUNT_KEY, 0)
    if planned_count == 1:
        sys.stdout.flush()
        sys.stderr.write("what follows is planned from the world as it is: what stands above was not done\n")
    c.config.update({DRY_RUN_COUNT_KEY: planned_count + 1})


def _broken_pipe_exit() -> Exit:
    """Say on stderr that nobody reads on; Python's own last flush of stdout would complain once more."""
    if sys.__stdout__ is not None and sys.stdout is sys.__stdout__:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
    interruption = Interrupted(
        "interrupted: nobody reads the output any more", hint="type the same command again to finish"
    )
    return Exit(str(interruption), code=interruption.exit_code)


def _show_traceback() -> None:
    """Show where an error came from, under Invoke's `--debug`."""
    if logging.getLogger("invoke").isEnabledFor(logging.DEBUG):
        import traceback

        traceback.print_exc(file=sys.stderr)


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """Let a request to stop unwind the stack as Ctrl-C does, so that what was begun is left in order.

    What is ignored stays ignored: `nohup inv promote-beta` goes on when its terminal is closed.
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
