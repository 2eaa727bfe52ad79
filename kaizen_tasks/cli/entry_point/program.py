"""Invoke's program with lists, help and errors of ours; `inv` becomes one when it loads our tasks."""

from __future__ import annotations

import shutil
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit, ParseError
from invoke.parser.context import ParserContext
from invoke.parser.parser import Parser
from invoke.program import Program
from invoke.util import helpline

from kaizen_tasks.cli.command import CommandTask
from kaizen_tasks.cli.correction import program_name
from kaizen_tasks.cli.entry_point.task_config import TaskConfig
from kaizen_tasks.cli.error_text import error_text
from kaizen_tasks.cli.flags import LETTERS
from kaizen_tasks.cli.task_groups import group_tasks
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from invoke.tasks import Task

    from kaizen_tasks.cli.flags import Flag

Row = tuple[str, str]
INDENT = "  "
HELP_ROW: Row = ("-h, --help", "show this help")


class TaskProgram(Program):
    """Lists tasks in groups, shows what the value of a flag is, and suggests the nearest name for a wrong one.

    A command line that cannot be parsed exits with 2, as the command-line contract says.
    """

    @property
    def command_name(self) -> str:
        """What to type to run this program: `inv` or `kaizen`."""
        return program_name(self.argv)

    @property
    def initial_context(self) -> ParserContext:
        """Invoke's own options, without the letters that mean a flag of ours; those only count before a task."""
        return ParserContext(
            args=[_without_our_letters(argument) for argument in super().initial_context.args.values()]
        )

    def parse_core(self, argv: list[str] | None) -> None:
        """Parse the options before the first task."""
        with self._usage_errors():
            super().parse_core(argv)

    def parse_tasks(self) -> None:
        """Parse tasks and their flags."""
        with self._usage_errors():
            super().parse_tasks()

    def _make_parser(self) -> Parser:
        """Return a parser of the tasks with which a word ends, as `--help=bump` does: it copies all that it knows."""
        contexts = (
            ParserContext(name, aliases, self._task(name).get_arguments(self.config.tasks.ignore_unknown_help))
            for name, aliases in self.collection.task_names.items()
            if any(word.endswith((name, *aliases)) for word in self.argv)
        )
        return Parser(initial=self.initial_context, contexts=contexts)

    def parse_cleanup(self) -> None:
        """Do what `--help TASK`, `--list` and their like ask for."""
        if self.args.complete.value:
            self._print_completions()
        with self._usage_errors():
            super().parse_cleanup()

    def _print_completions(self) -> None:
        """Print what the command line behind `--` may become.

        Raises:
            Exit: always, as Invoke expects.
        """
        from kaizen_tasks.cli.entry_point.completion import complete  # noqa: PLC0415 - only for a shell that completes

        options = (name for name in self.initial_context.flag_names() if name != "--complete")
        choices = complete(self.core.remainder, self.collection, options)
        sys.stdout.writelines(f"{choice}\n" for choice in choices)
        raise Exit

    def update_config(self, merge: bool = True) -> None:
        """Read the further configuration; Invoke takes a file that is not there for an empty one."""
        path = self.args.config.value
        if path and not Path(path).is_file():
            usage_error = UsageError(f"--config {path}: there is no such file", hint=f"{self.command_name} --help")
            raise Exit(error_text(usage_error), code=usage_error.exit_code)
        super().update_config(merge=merge)

    def list_flat(self) -> None:
        """Print the tasks by group; those of one collection alone, and of a limited depth, as Invoke does."""
        if self.list_root or self.list_depth:
            super().list_flat()
            return
        groups = group_tasks(self.collection.task_names)
        width = max(len(name) for names in groups.values() for name in names)
        for title, names in groups.items():
            sys.stdout.write(f"{title}:\n")
            print_columns([(self._listed_name(name), helpline(self._task(name)) or "") for name in names], width)
            sys.stdout.write("\n")
        sys.stdout.write(f"{self.command_name} --help TASK shows the flags of a task.\n")

    def _task(self, name: str) -> Task[Any]:
        """Return a task; the collection itself merges the configuration for each task that it is asked for."""
        *groups, task_name = name.split(".")
        collection = self.collection
        for group in groups:
            collection = collection.collections[collection.transform(group)]
        task: Task[Any] = collection.tasks[collection.transform(task_name)]
        return task

    def _listed_name(self, name: str) -> str:
        """Return the name of a task as it is usually typed: the default task of a collection by the collection's."""
        group, _, task = name.rpartition(".")
        return group if group and self.collection.collections[group].default == task else name

    def print_task_help(self, name: str) -> None:
        """Print the help of one task; that of an app's own, as Invoke does."""
        task = self.collection[name]
        if not isinstance(task, CommandTask):
            super().print_task_help(name)
            return
        options = "[--options] " if task.flags else ""
        sys.stdout.write(f"Usage: {self.command_name} {name} {options}[other tasks ...]\n\n")
        sys.stdout.write(f"{textwrap.dedent(task.__doc__ or '').strip()}\n\nOptions:\n")
        rows = [*map(_flag_row, task.flags), HELP_ROW]
        print_columns(rows)

    def no_tasks_given(self) -> None:
        """Say what to type first.

        Raises:
            Exit: always, as Invoke expects.
        """
        from kaizen_tasks.cli.entry_point.first_steps import first_steps  # noqa: PLC0415 - only when nothing is typed

        rows = first_steps(self.collection, self.command_name)
        sys.stdout.write("What to type:\n")
        print_columns(rows)
        raise Exit

    @contextmanager
    def _usage_errors(self) -> Iterator[None]:
        """Exit with the code of a wrong command line, and the nearest right one.

        Raises:
            Exit: there is no such task, flag or collection, or a flag lacks its value.
        """
        try:
            yield
        except ParseError as error:
            from kaizen_tasks.cli.entry_point.parse_errors import explain  # noqa: PLC0415 - only when something is wrong

            usage_error = explain(error, self)
            raise Exit(error_text(usage_error), code=usage_error.exit_code) from error
        except Exit as error:
            if not error.message or error.code == UsageError.exit_code:
                raise
            from kaizen_tasks.cli.entry_point.parse_errors import unknown_group_error  # noqa: PLC0415 - as above

            # Invoke's own error: there is no such collection to list.
            usage_error = unknown_group_error(self) or UsageError(error.message, hint=f"{self.command_name} --list")
            raise Exit(error_text(usage_error), code=usage_error.exit_code) from error


def equip_invoke() -> None:
    """Make the program that `inv` is running one of ours, and its configuration too.

    Invoke has no other way to change its lists and errors. The program has read its own options by now; it has still to
    parse, list and run the tasks.
    """
    invoke_main = sys.modules.get("invoke.main")
    if invoke_main and type(invoke_main.program) is Program:
        invoke_main.program.__class__ = TaskProgram
        object.__setattr__(invoke_main.program.config, "__class__", TaskConfig)


def _without_our_letters(argument: Any) -> Any:
    argument.names = tuple(name for name in argument.names if name not in LETTERS.values())
    return argument


def _flag_row(flag: Flag) -> Row:
    """Return how a flag is typed, and its help: `-e, --env=ENV`."""
    value = flag.placeholder
    letter = f"-{flag.letter}, " if flag.letter else "    "
    return f"{letter}{flag.typed}{f'={value}' if value else ''}", flag.help


def print_columns(rows: Sequence[Row], width: int = 0) -> None:
    """Print rows of two columns, the second one wrapped to fit the terminal.

    Args:
        rows: the texts of both.
        width: that of the first column; 0 for its longest text.
    """
    width = width or max(len(first) for first, _ in rows)
    margin = len(INDENT) + width + 2
    terminal_width = shutil.get_terminal_size().columns
    for first, second in rows:
        width_left = max(20, terminal_width - margin)
        lines = textwrap.wrap(second, width_left) if len(second) > width_left else [second]  # which takes long
        sys.stdout.write(f"{INDENT}{first:{width}}  {lines[0]}".rstrip() + "\n")
        sys.stdout.writelines(f"{'':{margin}}{line}\n" for line in lines[1:])
