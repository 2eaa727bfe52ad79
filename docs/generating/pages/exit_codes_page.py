"""Renders `exit-codes.md`: every error class of `kaizen_tasks/errors.py`."""

from __future__ import annotations

import inspect
from itertools import groupby

from docs.generating.pages.markdown import code, page, table
from kaizen_tasks import errors

INTRODUCTION = """\
A command exits with 0 only if the release is where it was meant to be. Every other code is a kind of failure.
An error has three lines at most: what went wrong and where, the current state, and what to type next. Problems of the
configuration are an exception: each of them has a line.
"""

FIXED = """\
## 0

Done, or already done.

## 1

An unexpected error: a bug. Run the command again with `--debug` in front of the task
(`inv --debug deploy --env staging`) and report what it prints. `inv` itself also exits with 1 when there is no such
task or flag, before any task runs; `kaizen` exits with 2 then.
"""

ADVICE = {
    "UsageError": "Correct the command line. The last line of the error shows a valid one.",
    "ConfigurationError": "Correct every line that is listed; see [configuration](configuration.md).",
    "Refused": "Fix what the error names, then run the same command again.",
    "Undelivered": "Correct the address of the target, or wait: what was not delivered goes out with the next command.",
    "Unsupported": "Use an emulator or a region that has the operation; `setup` and `doctor` do without it.",
    "Undeployable": "Repair the service first; the last line of the error says how.",
    "NotFound": "Create what is missing, or correct the name in the configuration.",
    "ClusterMissing": "Correct `cluster` in the configuration, or create the cluster.",
    "Denied": "Use the right `AWS_PROFILE`, log in again, or ask for the permission.",
    "Unreachable": "Check the network and the address, then run the same command again.",
    "Locked": "`inv lock.show` says who and why: wait for the other run, or talk to the person who holds it.",
    "BuildFailed": "Read the builder's output, fix the build, and run the same command again.",
    "PushFailed": "Run the same command again: layers that have arrived are not sent twice.",
    "BranchProtected": "Merge the branch that the error names by a pull request, then run the same command again.",
    "DeployFailed": "Fix the app and release again; if the platform refused, get the permission and try again.",
    "VerifyFailed": "Check what the app answers at `verify.path`, then verify again, or roll back.",
    "Superseded": "Find out who deployed at the same time; then run the same command again, or keep their release.",
    "Unproven": "Correct what the error names, the proxy or the cache for example; then verify again.",
    "RolloutFailed": "The error names the environments that failed, and the command that continues.",
    "TargetsFailed": "`inv notify.test` shows what each target has answered; the error says what the first one needs.",
    "DriftFound": "`inv status` shows the whole picture; the error names what differs, and where.",
    "RollbackFailed": "Check the service now: it may not be serving any release.",
    "ServiceMissing": "Create the service with the command that the error names, then run the same command again.",
    "Cancelled": "Run the same command again: it continues.",
    "Interrupted": "Fix what the error names, if anything, and run the same command again: it continues.",
}
"""What to do about each error class."""


def render() -> str:
    """Return the page.

    Raises:
        ValueError: an error class has no advice, or an advice has no class.
    """
    classes = [item for item in vars(errors).values() if inspect.isclass(item)]
    failures = [item for item in classes if issubclass(item, errors.KaizenError) and item is not errors.KaizenError]
    if mismatched := {item.__name__ for item in failures} ^ ADVICE.keys():
        raise ValueError(f"pages/exit_codes_page.py: ADVICE differs from errors.py: {sorted(mismatched)}")
    failures.sort(key=lambda failure: failure.exit_code)
    sections = (_section(number, list(group)) for number, group in groupby(failures, lambda item: item.exit_code))
    return page("Exit codes", INTRODUCTION, FIXED, *sections)


def _section(number: int, failures: list[type[errors.KaizenError]]) -> str:
    rows = ((code(failure.__name__), _meaning(failure), ADVICE[failure.__name__]) for failure in failures)
    return f"## {number}\n\n" + table(("Error", "Meaning", "What to do"), rows)


def _meaning(failure: type[errors.KaizenError]) -> str:
    return (inspect.getdoc(failure) or "").partition("\n\n")[0].replace("\n", " ")
