"""Checks the flow that is to be rehearsed before anything is started for it."""

from __future__ import annotations

import difflib
import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.rollout import parse_shard
from kaizen_tasks.errors import UsageError
from kaizen_tasks.rehearsal.commands import ERROR_LABEL, run_task
from kaizen_tasks.rehearsal.plan import flag_values

if TYPE_CHECKING:
    from kaizen_tasks.config.settings import Settings

NOTHING_STARTED = "nothing was started"
TASKS_WITH_ENVIRONMENT = frozenset(
    (
        *("deploy", "verify", "push", "promote", "rollback", "hotfix", "runtime.set", "runtime.rollback"),
        *("runtime.deploy", "lock.release", "hold.add", "hold.remove"),
    )
)
"""The tasks that cannot do without `--env`."""


def check_values(flow: str, settings: Settings) -> None:
    """Check the values of a command's flags, and that it names an environment where it must.

    Raises:
        UsageError: one of them is wrong, or the command cannot be split into words.
    """
    try:
        shlex.split(flow)
    except ValueError as error:
        raise UsageError(f"--flow {flow!r}: {error}", state=NOTHING_STARTED, hint="close the quotes") from error
    for name in flag_values(flow, "--env", "-e"):
        try:
            settings.stage(name)
        except UsageError as error:
            error.wrong, error.right = _correct_flow(flow, name, error.right)
            raise
    for text in flag_values(flow, "--release", "-r"):
        versions.parse_version(text, origin="--release")
    for text in flag_values(flow, "--to"):
        versions.parse_version(text, origin="--to")
    for text in flag_values(flow, "--part"):
        versions.parse_part(text)
    for text in flag_values(flow, "--shard"):
        parse_shard(text)
    _check_environment(flow, settings)


def _check_environment(flow: str, settings: Settings) -> None:
    """Check that a command whose task needs an environment names one.

    Raises:
        UsageError: it names none; the corrected command names one that is likely.
    """
    task = flow.split(maxsplit=1)[0] if flow else ""
    if task not in TASKS_WITH_ENVIRONMENT or flag_values(flow, "--env", "-e"):
        return
    choices = ", ".join([*settings.environments, *settings.groups])
    likely = {"promote": settings.pipeline[1:2], "hotfix": settings.pipeline[-1:]}.get(task) or settings.pipeline[:1]
    stage = settings.stage(likely[0] if likely else next(iter(settings.environments)))
    name = stage.environments[0].name if task == "hotfix" else stage.name
    raise UsageError(
        f"--flow {flow!r}: --env is missing; choose from {choices}",
        state=NOTHING_STARTED,
        wrong=flow,
        right=(f"{flow.rstrip()} --env {name}",),
    )


def check_tasks(flow: str, app_folder: Path) -> None:
    """Check that the app has the task of a command with its flags, by its own `tasks.py`.

    Raises:
        UsageError: it has not; the nearest name is in the hint.
    """
    if not flow:
        return
    listing = _list_tasks(app_folder)
    if listing.returncode:
        raise UsageError(
            f"inv --list fails: {_error_line(listing, last=True)}", state=NOTHING_STARTED, hint="correct tasks.py"
        )
    name, names = shlex.split(flow)[0], tuple(_task_names(json.loads(listing.stdout)))
    if name not in names:
        matches = tuple(difflib.get_close_matches(name, names, n=1))
        hint = f"did you mean {matches[0]}?" if matches else "inv --list"
        wrong, right = _correct_flow(flow, name, matches)
        message = f"--flow {name}: the app has no such task"
        raise UsageError(message, state=NOTHING_STARTED, hint=hint, wrong=wrong, right=right)
    parsed = _list_tasks(app_folder, flow) if flow != name else listing
    if parsed.returncode:
        message = f"--flow {flow!r}: {_error_line(parsed)}"
        raise UsageError(message, state=NOTHING_STARTED, hint=f"inv --help {name}")


def _correct_flow(flow: str, wrong: str, right: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return a flow, which is one word of the command line, and that flow with another word in place of a wrong one."""
    words = (" ".join(right) if word == wrong else word for word in flow.split())
    return flow, (" ".join(words),) if right else ()


def _error_line(process: subprocess.CompletedProcess[str], *, last: bool = False) -> str:
    """Return the first line of what a program wrote to stderr, or the last one, as in a traceback."""
    lines = process.stderr.strip().splitlines() or [f"exit code {process.returncode}"]
    return lines[-1 if last else 0].removeprefix(ERROR_LABEL)


def _list_tasks(app_folder: Path, flow: str = "") -> subprocess.CompletedProcess[str]:
    """List the tasks as JSON; with a command, Invoke parses it first and fails if it does not know a task or a flag."""
    command = f"--list --list-format json {flow}"
    return run_task(command, app_folder, {}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _task_names(collection: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the names and aliases of all tasks of a collection."""
    for task in collection["tasks"]:
        yield from (prefix + name for name in (task["name"], *task["aliases"]))
    for inner in collection["collections"]:
        yield from _task_names(inner, f"{prefix}{inner['name']}.")
        if inner.get("default"):
            yield f"{prefix}{inner['name']}"
