"""Invoke's configuration, of which a file that cannot be read or does not fit is an error of ours."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.config import Config
from invoke.exceptions import Exit, UnknownFileType, UnpicklableConfigMember

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILES = ("system", "user", "project", "runtime")
"""What Invoke calls its configuration files, in the order in which later ones override earlier ones."""


class TaskConfig(Config):
    """Reads and merges like Invoke; ends with exit code 2 and the file's name where Invoke shows a traceback."""

    def load_project(self, merge: bool = True) -> None:
        """Read `invoke.yaml`, or another of Invoke's formats, beside `tasks.py`.

        Raises:
            Exit: it cannot be read.
        """
        files = [Path(f"{self._project_prefix}{self.prefix}.{suffix}") for suffix in self._file_suffixes]
        with _reading_errors(next((file.name for file in files if file.exists()), self.prefix)):
            super().load_project(merge=merge)

    def load_runtime(self, merge: bool = True) -> None:
        """Read the file that `--config` names.

        Raises:
            Exit: it cannot be read.
        """
        with _reading_errors(f"--config {self._runtime_path}"):
            super().load_runtime(merge=merge)

    def merge(self) -> None:
        """Override the defaults by the files, and both by environment variables.

        Raises:
            Exit: a file has a table where another value belongs, or the reverse.
        """
        values: dict[str, Any] = {**self._defaults, **self._collection}
        for name in FILES:
            if problem := _find_misfit(values, getattr(self, f"_{name}", None)):
                raise _refusal(f"{os.path.relpath(getattr(self, f'_{name}_path'))}: {problem}")
        super().merge()


def _find_misfit(expected: Mapping[str, Any], actual: object, prefix: str = "") -> str:
    """Return what is wrong with the first value that cannot override the expected one; empty if all can."""
    if actual is None:
        return ""
    if not isinstance(actual, dict):
        return f"{prefix.removesuffix('.') or 'it'} should be a table"
    for key, value in actual.items():
        if key not in expected:
            continue
        if isinstance(expected[key], dict):
            if problem := _find_misfit(expected[key], value if value is not None else "", f"{prefix}{key}."):
                return problem
        elif isinstance(value, dict):
            return f"{prefix}{key} should not be a table"
    return ""


@contextmanager
def _reading_errors(file: str) -> Iterator[None]:
    """Turn what reading a file raises into our error; a Python file may raise anything."""
    try:
        yield
    except Exit:
        raise
    except (UnknownFileType, UnpicklableConfigMember) as error:
        raise _refusal(f"{file}: {error}") from error
    except Exception as error:
        raise _refusal(f"{file}: {type(error).__name__}: {' '.join(str(error).split())}") from error


def _refusal(problem: str) -> Exit:
    from kaizen_tasks.cli.error_text import error_text  # noqa: PLC0415 - only when something is wrong
    from kaizen_tasks.errors import ConfigurationError  # noqa: PLC0415

    error = ConfigurationError((problem,), hint="correct the file, or remove it; then run the same command")
    return Exit(error_text(error), code=error.exit_code)
