"""From the flags of a task to what the flows take: a change that is confirmed and locked, a release, a bump."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from kaizen_tasks.cli import params, prompts
from kaizen_tasks.cli.correction import before_dashes
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.release import Release
from kaizen_tasks.flows.execution import Change, execute_change
from kaizen_tasks.flows.release import files
from kaizen_tasks.wiring import Toolbox


def run_change(change: Change, tools: Toolbox, *, yes: bool = False, wait: str = "") -> None:
    """Run a command that changes environments, with the user at the terminal to confirm it.

    Args:
        change: what to do.
        tools: the outside world.
        yes: whether confirmations are skipped.
        wait: the value of `--wait`.
    """

    def confirm(environments: Sequence[Environment], question: str) -> None:
        if question and not tools.dry:
            prompts.confirm_yes_no(question, yes=yes)
        prompts.confirm_protected(environments, tools, yes=yes)

    command = shlex.join(("inv", *before_dashes(sys.argv[1:])))
    execute_change(change, tools, confirm=confirm, command=command, wait=params.parse_duration("--wait", wait))


def env_flags(names: Sequence[str]) -> tuple[str, ...]:
    """Return the words that name environments on a command line."""
    return tuple(word for name in names for word in ("--env", name))


def requested_release(release_name: str, tools: Toolbox) -> Release:
    """Return the release that `--release` names, or the one in VERSION."""
    return Release(version=params.parse_release(release_name) or files.read_version(tools))
