"""Explains a command line that Invoke cannot parse: what is wrong with it, and the nearest one that is right."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from kaizen_tasks.cli.entry_point.correction import corrected_line
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke.exceptions import ParseError

    from kaizen_tasks.cli.entry_point.program import TaskProgram

UNKNOWN_WORD = re.compile(r"No idea what (['\"])(?P<word>.*)\1 is!", re.DOTALL)
MISSING_VALUE = re.compile(r"Flag <Argument: (?P<flag>[\w-]+).*needed value")


def explain(error: ParseError, program: TaskProgram) -> UsageError:
    """Return an error that says what is wrong, with a command to type.

    Args:
        error: Invoke's own, with the task in which the parser was, if any.
        program: with the tasks, and the words that were typed.
    """
    task_name = error.context.name if error.context else ""
    if unknown := UNKNOWN_WORD.fullmatch(str(error)):
        return _unknown_word_error(unknown["word"], task_name or "", error, program)
    if missing := MISSING_VALUE.match(str(error)):
        return UsageError(f"--{missing['flag']} needs a value", hint=_help_line(task_name or "", program))
    return UsageError(str(error), hint=f"{program.command_name} --list")


def _unknown_word_error(word: str, task_name: str, error: ParseError, program: TaskProgram) -> UsageError:
    if word.startswith("-"):
        message = f"{task_name} has no flag {word}" if task_name else f"there is no option {word}"
        flags = [*error.context.flags] if error.context else []
        nearest = _nearest_flag(word, [flag for flag in flags if len(flag) > len("-x")])
        return UsageError(message, hint=corrected_line(program.argv, word, nearest) or _help_line(task_name, program))
    if error.context and "--env" in error.context.flags and word in _environments(program):
        message = f"{word} is not a task; environments follow --env"
        return UsageError(message, hint=corrected_line(program.argv, word, ("--env", word)))
    names = [name for task, aliases in program.collection.task_names.items() for name in (task, *aliases)]
    nearest = difflib.get_close_matches(word, names, n=1)
    hint = corrected_line(program.argv, word, nearest) or f"{program.command_name} --list"
    return UsageError(f"there is no task {word!r}", hint=hint)


def _environments(program: TaskProgram) -> set[str]:
    """Return the names of environments and groups, as far as the configuration has them."""
    configuration = program.collection.configuration()
    tables = (configuration.get("environments"), configuration.get("groups"))
    return {name for table in tables if isinstance(table, dict) for name in table}


def _nearest_flag(word: str, flags: Sequence[str]) -> list[str]:
    """Return the flag that was probably meant, if any: the nearest, or the only one with this first letter."""
    if re.fullmatch("-[a-z]", word):
        same_letter = [flag for flag in flags if flag.startswith(f"-{word}")]
        return same_letter if len(same_letter) == 1 else []
    return difflib.get_close_matches(word, flags, n=1)


def _help_line(task_name: str, program: TaskProgram) -> str:
    return f"{program.command_name} --help {task_name}".rstrip()
