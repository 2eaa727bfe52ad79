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

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")

ENV = "environment or group; may be repeated"
RELEASE = "the release: v1.2.3 or 1.2.3"
YES = "answer every question with yes"
JSON = "print one JSON document on stdout, and everything for people on stderr"
TO = "exactly this version"
SKIP_HELD = "succeed although held environments were left out"
WAIT = "how long to wait for another run that is at work there: 10m"
SHARD = "which part of the environments, as 2/8: for several machines at once"
WITHOUT_EVIDENCE = "why it goes further without having been verified in the stage before; goes into the ledger"
NO_ROLLBACK = "leave a release that does not prove itself in service"
SKIP_DOCS = "why the documentation checklist does not apply this time; goes into the tag's message"
TALKATIVE = ("boto3", "botocore", "git", "s3transfer", "urllib3")
"""Libraries whose debug logs repeat requests and answers whole: signatures, session tokens, registry passwords."""

PLANNED = "planned"
"""Where Invoke's configuration, which all tasks of a command line share, keeps how many were planned only."""

FORCE = "go ahead although the notes ask for a higher part"
PART = "auto, patch, feature, major or rc"


def command(**options: Any) -> Callable[[Callable[..., None]], Any]:
    """Make an Invoke task that exits as the command-line contract says.

    No argument is positional: Invoke lets a missing one swallow `--dry`.

    Args:
        options: what Invoke's own `task` takes.
    """

    def decorate(body: Callable[..., None]) -> Any:
        return task(positional=[], **options)(_guarded(body))

    return decorate


def _guarded(body: Callable[Concatenate[Context, Asked], Answer]) -> Callable[Concatenate[Context, Asked], Answer]:
    @functools.wraps(body)
    def guarded(c: Context, /, *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        _hush()
        _remind(c)
        try:
            with _signals():
                return body(c, *args, **kwargs)
        except KaizenError as error:
            _show_traceback()
            raise Exit(str(error), code=error.exit_code) from error
        except KeyboardInterrupt:
            stopped = Interrupted("interrupted", hint="type the same command again to finish")
            raise Exit(str(stopped), code=stopped.exit_code) from None
        except BrokenPipeError:
            raise _unread() from None
        except Exit:
            raise
        except Exception as error:
            _show_traceback()
            what = f"unexpected {type(error).__name__}: {error}"
            raise Exit(f"{what}\nthis is a bug of kaizen_tasks\n--debug shows where", code=1) from error

    return guarded


def _hush() -> None:
    """Keep secrets out of what Invoke's `--debug` shows, which wants to hear from everybody."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.INFO)


def _remind(c: Context) -> None:
    """Say before the second task of a dry run what it and those after it cannot see."""
    if not c.config.run.dry:
        return
    planned = c.config.get(PLANNED, 0)
    if planned == 1:
        sys.stdout.flush()
        sys.stderr.write("what follows is planned from the world as it is: what stands above was not done\n")
    c.config.update({PLANNED: planned + 1})


def _unread() -> Exit:
    """Say on stderr that nobody reads on; Python's own last flush of stdout would complain once more."""
    if sys.__stdout__ is not None and sys.stdout is sys.__stdout__:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
    stopped = Interrupted("interrupted: nobody reads the output any more", hint="type the same command again to finish")
    return Exit(str(stopped), code=stopped.exit_code)


def _show_traceback() -> None:
    """Show where an error came from, under Invoke's `--debug`."""
    if logging.getLogger("invoke").isEnabledFor(logging.DEBUG):
        import traceback

        traceback.print_exc(file=sys.stderr)


@contextmanager
def _signals() -> Iterator[None]:
    """Let a request to stop unwind the stack as Ctrl-C does, so that what was begun is left in order.

    What is ignored stays ignored: `nohup inv promote-beta` goes on when its terminal is closed.
    """
    heeded = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, _interrupt) for number in heeded}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
