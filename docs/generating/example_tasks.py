"""The tasks of the example app, as Invoke's parser sees them."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from invoke.collection import Collection

    from kaizen_tasks.cli.flags import Flag as DeclaredFlag

ROOT = Path(__file__).absolute().parents[2]
EXAMPLE = ROOT / "examples" / "coach"


@frozen(kw_only=True)
class Flag:
    """One flag of a task.

    Attributes:
        name: as it is typed: `--env`.
        letter: its letter: `-e`; empty when it has none.
        value: what `--help` calls its value; empty for a switch.
        default: its default as Python writes it; empty when there is none.
        help: its help text.
    """

    name: str
    letter: str
    value: str
    default: str
    help: str


@frozen(kw_only=True)
class Task:
    """One task.

    Attributes:
        name: its name on the command line.
        aliases: other names.
        summary: its first docstring line.
        description: the rest of its docstring.
        flags: in the order of its `--help`.
    """

    name: str
    aliases: tuple[str, ...]
    summary: str
    description: str
    flags: tuple[Flag, ...]

    def takes(self, flag: str) -> bool:
        """Return whether it has a flag of this name."""
        return any(flag == own_flag.name for own_flag in self.flags)


def collection() -> Collection:
    """Return the example app's collection; an app is found by the first entry of `sys.path`, as Invoke sets it."""
    from kaizen_tasks.cli import make_namespace

    sys.path.insert(0, str(EXAMPLE))
    try:
        return make_namespace()
    finally:
        sys.path.remove(str(EXAMPLE))


def tasks() -> tuple[Task, ...]:
    """Return every task of the example app, in the order of the collection: its stages in that of the pipeline."""
    task_collection = collection()
    return tuple(_task(task_collection, context) for context in task_collection.to_contexts())


def _task(task_collection: Collection, context: Any) -> Task:
    task = task_collection[context.name]
    summary, _, description = (inspect.getdoc(task) or "").partition("\n")
    return Task(
        name=context.name,
        aliases=tuple(context.aliases),
        summary=summary,
        description=description.strip(),
        flags=tuple(map(_flag, task.flags)),
    )


def _flag(flag: DeclaredFlag) -> Flag:
    return Flag(
        name=flag.typed,
        letter=f"-{flag.letter}" if flag.letter else "",
        value=flag.placeholder,
        default=str(flag.default or ""),
        help=flag.help,
    )
