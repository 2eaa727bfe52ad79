"""The text of an error: plain in logs and files, in colour and wrapped on a terminal.

Imported at every start, so it imports nothing heavy.
"""

from __future__ import annotations

import sys

from kaizen_tasks.domain.text.printable import disarm_commands, printable
from kaizen_tasks.errors import Cancelled, ConfigurationError, KaizenError

LABEL = "error: "
RUN_LOG = "kaizen_tasks.adapters.console.run_log"


def error_text(error: KaizenError) -> str:
    """Return an error as it is printed on stderr, each of its parts on a line of its own."""
    return text_of_parts(_problems(error), error.state, error.hint, label=_label(error))


def text_of_parts(problems: tuple[str, ...], state: str = "", hint: str = "", *, label: str = LABEL) -> str:
    """Return the text of an error that is given by its parts, see `KaizenError`."""
    from kaizen_tasks.adapters.host.program_path import typeable  # noqa: PLC0415 - only for an error

    problems, state, hint = tuple(map(printable, problems)), typeable(printable(state)), typeable(printable(hint))
    if sys.stderr.isatty():
        from kaizen_tasks.adapters.console.error_report import render_error  # noqa: PLC0415 - rich is slow to import
        from kaizen_tasks.adapters.console.terminal import is_interactive  # noqa: PLC0415

        if is_interactive(sys.stderr):
            return render_error(label, problems, state, hint, stream=sys.stderr)
    return _plain_text(problems, state, hint, label)


def log_error(error: KaizenError) -> None:
    """Write an error into the log of the run, if it has one, as it is printed in a pipe."""
    run_log = sys.modules.get(RUN_LOG)  # not imported for it: without a run there is no log
    if run_log is None:
        return
    problems = tuple(map(printable, _problems(error)))
    run_log.end_logs(_plain_text(problems, printable(error.state), printable(error.hint), _label(error)))


def _problems(error: KaizenError) -> tuple[str, ...]:
    return error.problems if isinstance(error, ConfigurationError) else (error.message,)


def _label(error: KaizenError) -> str:
    return "" if isinstance(error, Cancelled) else LABEL


def _plain_text(problems: tuple[str, ...], state: str, hint: str, label: str) -> str:
    lines = (*(f"{label}{problem}" for problem in problems), state, hint)
    return "\n".join(disarm_commands(line) for line in lines if line)


def text_of_output(output: str) -> str:
    """Return the error that another command of ours has printed into a pipe, as it is printed here."""
    lines = output.splitlines()
    problems = tuple(line.removeprefix(LABEL) for line in lines if line.startswith(LABEL))
    others = [line for line in lines if not line.startswith(LABEL)]
    if not problems or len(others) > 2:
        return output  # there is more than an error in it
    return text_of_parts(problems, *others) if len(others) == 2 else text_of_parts(problems, hint="".join(others))
