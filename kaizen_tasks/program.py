"""The program `kaizen`: the same tasks as `inv`, without a `tasks.py`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

import kaizen_tasks
from kaizen_tasks.cli import make_namespace
from kaizen_tasks.cli.entry_point.program import TaskProgram, print_columns
from kaizen_tasks.cli.entry_point.task_config import TaskConfig
from kaizen_tasks.cli.error_text import error_text
from kaizen_tasks.config import load
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from invoke.collection import Collection

OPTIONS = {
    "dry": ("", "print the plan; change nothing"),
    "list": ("[=GROUP]", "list the tasks, or those of one group such as changelog"),
    "help": ("[=TASK]", "show this help, or that of a task"),
    "config": ("=FILE", "read further configuration, which overrides kaizen.toml"),
    "debug": ("", "show where an error comes from"),
    "version": ("", "show the version"),
    "print-completion-script": ("=SHELL", "print the completion for bash, zsh or fish"),
    "list-depth": ("=NUMBER", "list only so many levels of groups"),
    "list-format": ("=FORMAT", "flat, nested or json"),
}
"""Invoke's options that do something here, where no task runs a shell command through it: values and help."""

HIDDEN_OPTIONS = ("complete",)
"""What only the completion script types."""


class KaizenProgram(TaskProgram):
    """Our program with our tasks; it reads the project's `invoke.yaml`, as `inv` does."""

    def __init__(self, tasks: Collection) -> None:
        super().__init__(
            name="kaizen",
            binary="kaizen",
            binary_names=["kaizen"],
            namespace=tasks,
            version=kaizen_tasks.__version__,
            config_class=TaskConfig,
        )

    def create_config(self) -> None:
        """Read the user's configuration; leave out a home that another user of a container closes, as root does."""
        is_home_open = os.access(os.path.expanduser("~"), os.X_OK)  # noqa: PTH111 - raises nothing without a home
        self.config = self.config_class(user_prefix=None if is_home_open else "/nonexistent/.")

    def core_args(self) -> list[Any]:
        """Return the options that may stand before the first task."""
        return [option for option in super().core_args() if option.name in {*OPTIONS, *HIDDEN_OPTIONS}]

    def parse_core_args(self) -> None:
        """Parse the options, and complete them with the defaults of those left out, which Invoke looks up."""
        super().parse_core_args()
        if shell := self.args["print-completion-script"].value:
            _print_completion_script(shell)
        for option in super().core_args():
            if option.name not in self.args:
                self.core[0].add_arg(option)

    def print_help(self) -> None:
        """Print the options and the tasks."""
        sys.stdout.write("Usage: kaizen [options] TASK [flags] [other tasks ...]\n\nOptions:\n")
        letters = {option.name: option.nicknames for option in self.core_args()}
        print_columns(
            [
                (f"{f'-{letters[name][0]}, ' if letters[name] else '    '}--{name}{value}", text)
                for name, (value, text) in OPTIONS.items()
            ]
        )
        sys.stdout.write("\n")
        self.list_tasks()

    def parse_collection(self) -> None:
        """Load the namespace, then the configuration beside it.

        Invoke reads the project's own configuration only when it has found a `tasks.py` there.
        """
        super().parse_collection()
        self.config.set_project_location(str(load.find_config_file().root))
        self.config.load_project()


def _print_completion_script(shell: str) -> None:
    """Print the script for a shell.

    Raises:
        Exit: always; with an error if there is no script for the shell.
    """
    from kaizen_tasks.cli.entry_point.completion import SHELLS, completion_script  # noqa: PLC0415 - typed once

    if shell not in SHELLS:
        error = UsageError(f"there is no completion for {shell}", hint=f"choose one of {', '.join(SHELLS)}")
        raise Exit(error_text(error), code=error.exit_code)
    sys.stdout.write(completion_script(shell))
    raise Exit


def namespace() -> Collection:
    """Return the tasks of the app in the working directory."""
    return make_namespace()


def main() -> None:
    """Run `kaizen`."""
    try:
        tasks = namespace()
    except Exit as error:  # `inv` catches this one itself
        sys.stderr.write(f"{error.message}\n")
        sys.exit(error.code)
    KaizenProgram(tasks).run()


if __name__ == "__main__":
    main()
