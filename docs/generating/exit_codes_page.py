"""`exit-codes.md`: every failure that is understood, from `kaizen_tasks/errors.py`."""

from __future__ import annotations

import inspect
from itertools import groupby

from docs.generating.markdown import code, page, table
from kaizen_tasks import errors

INTRODUCTION = """\
A command exits with 0 when the release is where it was asked to be, and never otherwise. Every other code says what
kind of failure it was. An error is three lines at most: what went wrong and where, what state things are in, what to
type next. The configuration is the exception: each of its problems has a line.
"""

FIXED = """\
## 0

Done, or already done. Nothing is left to do.

## 1

Something that nobody expected: a bug. Type the command again with `--debug` in front of the task
(`inv --debug deploy --env staging`) and report what it shows. `inv` itself exits with 1 too, when there is no such
task or flag: it parses the line before any task is asked. `kaizen` exits with 2 then.
"""

ADVICE = {
    "UsageError": "Correct the command line. The last line of the error names what would be valid.",
    "ConfigurationError": "Correct every line that is listed; see [configuration](configuration.md).",
    "Refused": "Remove what stands in the way, then type the same command again.",
    "Undeployable": "Bring the service back first; the last line of the error says how.",
    "NotFound": "Create what is missing, or correct the name in the configuration.",
    "Denied": "Use the right `AWS_PROFILE`, log in again, or ask for the permission.",
    "Unreachable": "Check the network and the address, then type the same command again.",
    "Locked": "`inv lock.show` says who and why: wait for the other run, or talk to whoever holds the environment.",
    "BuildFailed": "Read the builder's output, mend it, and type the same command again.",
    "PushFailed": "Type the same command again: what has arrived is not sent twice.",
    "DeployFailed": "Look at the service's own log. The old release is serving; mend the app and release again.",
    "VerifyFailed": "Look at what the app answers at `verify.path`, then verify again, or go back.",
    "Superseded": "Ask who deployed at the same moment; then type the same command again, or leave theirs.",
    "RolloutFailed": "The error says which environments failed and with which command to go on.",
    "RollbackFailed": "Look at the service now. No release is known to be serving.",
    "Interrupted": "Mend what the error names, if it names anything, and type the same command again: it goes on.",
}
"""What to do, by class."""


def render() -> str:
    """Return the page.

    Raises:
        ValueError: a class has no advice, or advice has no class.
    """
    classes = [item for item in vars(errors).values() if inspect.isclass(item)]
    failures = [item for item in classes if issubclass(item, errors.KaizenError) and item is not errors.KaizenError]
    if mismatched := {item.__name__ for item in failures} ^ ADVICE.keys():
        raise ValueError(f"docs/generating/exit_codes_page.py: ADVICE differs from errors.py: {sorted(mismatched)}")
    failures.sort(key=lambda failure: failure.exit_code)
    sections = (_section(number, list(group)) for number, group in groupby(failures, lambda item: item.exit_code))
    return page("Exit codes", INTRODUCTION, FIXED, *sections)


def _section(number: int, failures: list[type[errors.KaizenError]]) -> str:
    rows = ((code(failure.__name__), _meaning(failure), ADVICE[failure.__name__]) for failure in failures)
    return f"## {number}\n\n" + table(("Error", "Meaning", "What to do"), rows)


def _meaning(failure: type[errors.KaizenError]) -> str:
    return (inspect.getdoc(failure) or "").partition("\n\n")[0].replace("\n", " ")
