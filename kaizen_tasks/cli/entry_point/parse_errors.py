"""Explains a command line that Invoke cannot parse: what is wrong with it, and the nearest one that is right."""

from __future__ import annotations

import difflib
import re
import shlex
from typing import TYPE_CHECKING

from invoke.collection import Collection

from kaizen_tasks.cli import commands
from kaizen_tasks.cli.correction import DASHES, corrected_line, program_name
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke.exceptions import ParseError
    from invoke.program import Program

UNKNOWN_WORD = re.compile(r"No idea what (['\"])(?P<word>.*)\1 is!", re.DOTALL)
ADD_ENVIRONMENT_HINT = 'add to kaizen.toml: pipeline = ["staging"], aws.region = "eu-west-1" and [environments.staging]'
OTHER_NAMES = {"hold.list": "lock.show", "hold.show": "lock.show", "holds": "lock.show", "release": "cut"}
"""Names that are typed for tasks which are called differently."""
MISSING_VALUE = re.compile(r"Flag <Argument: (?P<flag>[\w-]+).*needed value")


def explain(error: ParseError, program: Program) -> UsageError:
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
    return UsageError(str(error), hint=f"{program_name(program.argv)} --list")


def unknown_group_error(program: Program) -> UsageError | None:
    """Return the error for a group that `--list` names and that does not exist; None if that is not what is wrong."""
    group = program.args.list.value
    if not isinstance(group, str) or group in program.collection.collections:
        return None
    nearest = difflib.get_close_matches(group, program.collection.collections, n=1, cutoff=0.5)
    list_line = f"{program_name(program.argv)} --list"
    groups = ", ".join(sorted(program.collection.collections))
    return UsageError(
        f"--list {group}: there is no such group of tasks (there are {groups})",
        hint=f"{list_line}={nearest[0]}" if nearest else list_line,
    )


def _unknown_word_error(word: str, task_name: str, error: ParseError, program: Program) -> UsageError:
    if task_name == "run" and DASHES not in program.argv and word in program.argv and not word.startswith("-"):
        typed_words = program.argv[1 : program.argv.index(word)]
        hint = f"{shlex.join((program_name(program.argv), *typed_words))} {DASHES} COMMAND"
        return UsageError(f"run: write the command after {DASHES}", hint=hint)
    if word.startswith("-"):
        message = f"{task_name} has no flag {word}" if task_name else f"there is no option {word}"
        flags = [*error.context.flags] if error.context else []
        nearest = _nearest_flag(word, [flag for flag in flags if len(flag) > len("-x")])
        return UsageError(message, hint=corrected_line(program.argv, word, nearest) or _help_line(task_name, program))
    if error.context and "--env" in error.context.flags and word in _environments(program):
        message = f"{word} is not a task; environments follow --env"
        return UsageError(message, hint=corrected_line(program.argv, word, ("--env", word)))
    if word in program.collection.collections:
        group_names = [f"{word}.{name}" for name in program.collection.collections[word].task_names]
        return UsageError(
            f"{word} is a group of tasks: {', '.join(group_names)}", hint=f"{program_name(program.argv)} --list={word}"
        )
    names = [name for task, aliases in program.collection.task_names.items() for name in (task, *aliases)]
    meant = OTHER_NAMES.get(word, word)
    if meant not in names and meant in Collection(*commands.DEPLOY_TASKS).task_names:
        return UsageError(f"{word} needs an environment, and none is configured", hint=ADD_ENVIRONMENT_HINT)
    nearest = [meant] if meant in names else difflib.get_close_matches(word, names, n=1)
    group, dot, _ = word.partition(".")
    of_group = f"={group}" if dot and group in program.collection.collections else ""
    hint = corrected_line(program.argv, word, nearest) or f"{program_name(program.argv)} --list{of_group}"
    return UsageError(f"there is no task {word!r}", hint=hint)


def _environments(program: Program) -> set[str]:
    """Return the names of environments and groups, as far as the configuration has them."""
    configuration = program.collection.configuration()
    tables = (configuration.get("environments"), configuration.get("groups"))
    return {name for table in tables if isinstance(table, dict) for name in table}


def _nearest_flag(word: str, flags: Sequence[str]) -> list[str]:
    """Return the flag that was probably meant, if any: the nearest, or the only one with this first letter."""
    if re.fullmatch("-[a-z]", word):
        same_letter = [flag for flag in flags if flag.startswith(f"-{word}")]
        return same_letter if len(same_letter) == 1 else []
    names = [flag.removeprefix(DASHES) for flag in flags]  # dashes alone would make a short one look alike
    return [f"{DASHES}{name}" for name in difflib.get_close_matches(word.removeprefix(DASHES), names, n=1)]


def _help_line(task_name: str, program: Program) -> str:
    return f"{program_name(program.argv)} --help {task_name}".rstrip()
