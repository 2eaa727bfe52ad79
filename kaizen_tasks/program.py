"""The program `kaizen`: the same tasks as `inv`, without a `tasks.py`."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invoke.exceptions import Exit, ParseError
from invoke.program import Program

import kaizen_tasks
from kaizen_tasks.cli import make_namespace
from kaizen_tasks.cli.error_text import text_of_parts
from kaizen_tasks.config import load
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoke.collection import Collection


class KaizenProgram(Program):
    """Invoke's program with our namespace; it reads the project's `invoke.yaml`, as `inv` does.

    A command line that cannot be parsed exits with 2, as the command-line contract says; `inv` exits with 1.
    """

    def create_config(self) -> None:
        """Read the user's configuration; leave out a home that another user of a container closes, as root does."""
        is_home_open = os.access(os.path.expanduser("~"), os.X_OK)  # noqa: PTH111 - raises nothing without a home
        self.config = self.config_class(user_prefix=None if is_home_open else "/nonexistent/.")

    def parse_core(self, argv: list[str] | None) -> None:
        """Parse the flags before the first task."""
        with _exit_on_usage_error():
            super().parse_core(argv)

    def parse_collection(self) -> None:
        """Load the namespace, then the configuration beside it.

        Invoke reads the project's own configuration only when it has found a `tasks.py` there.
        """
        super().parse_collection()
        self.config.set_project_location(str(load.find_config_file().root))
        self.config.load_project()

    def parse_tasks(self) -> None:
        """Parse tasks and their flags."""
        with _exit_on_usage_error():
            super().parse_tasks()

    def parse_cleanup(self) -> None:
        """Do what `--help TASK`, `--list` and their like ask for."""
        with _exit_on_usage_error():
            super().parse_cleanup()


@contextmanager
def _exit_on_usage_error() -> Iterator[None]:
    """Exit with the code of a wrong command line, and say how to list tasks and flags.

    Raises:
        Exit: there is no such task, flag or collection, or a flag lacks its value.
    """
    try:
        yield
    except ParseError as error:
        task_name = error.context.name if error.context else None
        flags_hint = f"kaizen --help {task_name} shows its flags; " if task_name else ""
        text = text_of_parts((str(error),), hint=f"{flags_hint}kaizen --list shows every task")
        raise Exit(text, code=UsageError.exit_code) from error
    except Exit as error:
        if error.message:  # Invoke's own: there is no such collection to list
            raise Exit(text_of_parts((error.message,)), code=UsageError.exit_code) from error
        raise


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
    KaizenProgram(name="kaizen", binary="kaizen", namespace=tasks, version=kaizen_tasks.__version__).run()


if __name__ == "__main__":
    main()
