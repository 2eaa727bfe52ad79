"""The tasks of the example app, as Invoke's parser sees them."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from invoke.collection import Collection

ROOT = Path(__file__).absolute().parents[2]
EXAMPLE = ROOT / "examples" / "coach"
TYPE_NAMES = {str: "text", int: "whole number", bool: "switch", list: "text, repeatable"}


@frozen(kw_only=True)
class Flag:
    """One flag of a task.

    Attributes:
        names: long name first.
        kind: the type of its value, in words.
        default: its default as Python writes it; empty when there is none.
        help: its help text.
    """

    names: tuple[str, ...]
    kind: str
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
        return any(flag in own_flag.names for own_flag in self.flags)


def collection() -> Collection:
    """Return the example app's collection; an app is found by the first entry of `sys.path`, as Invoke sets it."""
    from kaizen_tasks.cli import make_namespace

    sys.path.insert(0, str(EXAMPLE))
    try:
        return make_namespace()
    finally:
        sys.path.remove(str(EXAMPLE))


def tasks() -> tuple[Task, ...]:
    """Return every task of the example app, by name."""
    task_collection = collection()
    return tuple(
        sorted(
            (_task(task_collection, context) for context in task_collection.to_contexts()), key=lambda task: task.name
        )
    )


def _task(task_collection: Collection, context: Any) -> Task:
    summary, _, description = (inspect.getdoc(task_collection[context.name]) or "").partition("\n")
    flags = {id(argument): _flag(argument) for argument in context.args.values()}
    return Task(
        name=context.name,
        aliases=tuple(context.aliases),
        summary=summary,
        description=description.strip(),
        flags=tuple(sorted(flags.values(), key=lambda flag: flag.names)),
    )


def _flag(argument: Any) -> Flag:
    names = sorted(argument.names, key=len, reverse=True)
    is_empty = argument.default in (None, False, "", []) or argument.default is inspect.Parameter.empty
    return Flag(
        names=tuple(f"--{name}" if len(name) > 1 else f"-{name}" for name in names),
        kind=TYPE_NAMES[argument.kind],
        default="" if is_empty else str(argument.default),
        help=argument.help or "",
    )
