"""Collects the tasks, and gives Invoke the configuration, which Invoke's own sources then override."""

from __future__ import annotations

import os
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from invoke.collection import Collection
from invoke.exceptions import Exit

from kaizen_tasks.cli import commands
from kaizen_tasks.cli.error_text import text_of_parts
from kaizen_tasks.config import checks, env_overrides, load
from kaizen_tasks.domain.text.printable import printable
from kaizen_tasks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

RELEASE_ONLY_KEYS = {"app", "changelog", "release", "lines", "tag", "docs_checklist", "version_files"}
"""Keys of a library, which has versions and a changelog and nothing to deploy."""


def build_namespace(config_file: load.ConfigFile) -> Collection:
    """Return the tasks that a configuration needs, among them one for each stage of the pipeline."""
    if config_file.hint == load.FIX_HINT and config_file.error and {"-l", "--list"} & {*sys.argv[1:]}:
        _warn_about_missing_tasks(config_file.error)
    is_library = not config_file.error and config_file.table.keys() <= RELEASE_ONLY_KEYS
    deploy_tasks = () if is_library else commands.DEPLOY_TASKS
    collection = Collection(
        *commands.LIBRARY_TASKS, *deploy_tasks, *_make_pipeline_tasks(_pipeline_stages(config_file.table))
    )
    collection.configure(_make_configuration(config_file.table))
    return collection


def _make_configuration(table: load.TomlTable) -> load.TomlTable:
    """Return what Invoke's own sources override; a variable overrides only a key that is there."""
    if not any(name.startswith(env_overrides.ENV_PREFIX) for name in os.environ):
        return load.with_table_defaults(table)
    configuration = load.with_defaults(table)
    _prepare_variables(configuration)
    return configuration


@cache  # `from kaizen_tasks import namespace` builds it twice
def _warn_about_missing_tasks(error: str) -> None:
    """Tell above a list of tasks that the stages' own are missing; a task that runs reports the file itself."""
    sys.stderr.write(f"warning: {printable(error)}; the tasks of its stages are not listed\n")


def _prepare_variables(configuration: load.TomlTable) -> None:
    """Prepare environment variables for Invoke, which reads them after the tasks are loaded.

    Raises:
        Exit: a variable cannot override its key.
    """
    if errors := env_overrides.prepare_variables(configuration, os.environ):
        raise Exit(text_of_parts(tuple(errors)), code=ConfigurationError.exit_code)
    if "--complete" not in sys.argv:
        for message in env_overrides.misspelt_variables(configuration, os.environ):
            _warn(message)


@cache  # the namespace is built twice, see above
def _warn(message: str) -> None:
    sys.stderr.write(f"warning: {printable(message)}\n")


def _make_pipeline_tasks(pipeline: tuple[str, ...]) -> Iterator[Any]:
    """Make `release-<first stage>`, `promote-<stage>` for every later one, and those that the command line names."""
    pipeline_task_names = [f"{'promote' if position else 'release'}-{stage}" for position, stage in enumerate(pipeline)]
    task_names_by_cli_name = {
        _cli_name(name): name for name in (*_stage_tasks_in_argv(), *pipeline_task_names)
    }  # the pipeline's own come last, so that they win
    for name in task_names_by_cli_name.values():
        verb, _, stage = name.partition("-")
        yield commands.release_task(stage) if verb == "release" else commands.promote_task(stage)


def _cli_name(name: str) -> str:
    """Return a task's name as Invoke shows and parses it."""
    return name.replace("_", "-")


def _pipeline_stages(table: load.TomlTable) -> tuple[str, ...]:
    """Return the stages that can be task names; a malformed pipeline is reported when a task runs."""
    pipeline = table.get("pipeline", ())
    names = pipeline if isinstance(pipeline, list) else ()
    return tuple(name for name in names if isinstance(name, str) and not checks.name(name))


def _stage_tasks_in_argv() -> tuple[str, ...]:
    """Return the names of release and promote tasks on the command line.

    A stage that the pipeline does not have becomes a task too: its error says what is wrong with the configuration, or
    which stage was probably meant. Invoke's own error would be "No idea what it is".
    """
    words = (word for word in sys.argv[1:] if word.startswith(("release-", "promote-")))
    return tuple(word for word in words if re.fullmatch(r"(release|promote)-[\w-]+", word))
