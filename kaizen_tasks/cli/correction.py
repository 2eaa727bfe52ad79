"""The command line that was probably meant, to be pasted."""

from __future__ import annotations

import shlex
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.errors import UsageError

RUNTIME_VALUE_FLAG = "--set"
"""The flag whose value may be a secret, which no message repeats."""

DASHES = "--"
"""Ends the tasks and flags of a command line. What follows is the command of `run`, which may have secrets in it."""

PROGRAM_NAMES = ("inv", "invoke", "kaizen")


def complete_hint(error: UsageError, task_name: str) -> None:
    """Make the hint of an error the corrected command line, or the help of the task if it has no hint.

    Args:
        error: what is wrong.
        task_name: the task, as it is typed.
    """
    error.hint = (
        corrected_line(sys.argv, error.wrong, error.right) or error.hint or f"{program_name()} --help {task_name}"
    )


def corrected_line(argv: Sequence[str], wrong: str, right: Sequence[str]) -> str:
    """Return what was typed with other words in place of a wrong one.

    Empty if there are none, or if the line has a value of the runtime configuration, which may be a secret.

    Args:
        argv: the words that were typed, the program's name first.
        wrong: a word, a flag, the value of a flag, or the stage in the name of a task such as `promote-prdo`.
        right: the words to put in its place.
    """
    words = before_dashes(argv[1:])
    if not wrong or not right or any(word.partition("=")[0] == RUNTIME_VALUE_FLAG for word in words):
        return ""
    for position, word in enumerate(words):
        flag, equals, value = word.partition("=")
        head, dash, tail = word.partition("-")
        if word == wrong:
            words[position : position + 1] = right
        elif equals and flag == wrong:
            words[position : position + 1] = [*right[:-1], f"{right[-1]}={value}"]
        elif equals and value == wrong:
            words[position : position + 1] = [f"{flag}={right[0]}", *right[1:]]
        elif dash and head in {"release", "promote"} and tail == wrong and len(right) == 1:
            words[position] = f"{head}-{right[0]}"
        else:
            continue
        command = (DASHES, "COMMAND") if DASHES in argv else ()
        return shlex.join((program_name(argv), *words, *command))
    return ""


def before_dashes(words: Sequence[str]) -> list[str]:
    """Return the words of a command line before `--`."""
    return list(words[: words.index(DASHES)] if DASHES in words else words)


def typed_line(*more_words: str) -> str:
    """Return what was typed, with more words behind it; only what to add, if it has a value that may be a secret."""
    if DASHES in sys.argv:
        return f"add {shlex.join(more_words)} before {DASHES}"
    if not sys.argv[1:] or any(word.partition("=")[0] == RUNTIME_VALUE_FLAG for word in sys.argv):
        return f"add {shlex.join(more_words)}"
    return shlex.join((program_name(), *sys.argv[1:], *more_words))


def program_name(argv: Sequence[str] = ()) -> str:
    """Return the name under which this program is typed: `inv`, or `kaizen` also for `python -m kaizen_tasks`."""
    path = PurePath((argv or sys.argv)[0])
    if path.name in PROGRAM_NAMES:
        return path.name
    return "kaizen" if path.parent.name == "kaizen_tasks" else "inv"
