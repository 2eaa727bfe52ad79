"""Collects the tasks, and puts the configuration under them where Invoke's own layers can override it."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

from invoke.collection import Collection
from invoke.exceptions import Exit

from kaizen_tasks.cli.handlers import changelog, lock, promote, release, rollback, runtime, setup, status, steps
from kaizen_tasks.cli.handlers.doctor import doctor
from kaizen_tasks.cli.handlers.init import init
from kaizen_tasks.cli.handlers.local import cloud as local
from kaizen_tasks.cli.handlers.local.demo import demo
from kaizen_tasks.cli.handlers.local.rehearse import rehearse
from kaizen_tasks.config import load
from kaizen_tasks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

RELEASE_ONLY_KEYS = {"app", "release", "tag", "docs_checklist"}
"""Keys of an app that has versions and a changelog, and nothing to deploy."""


def build_namespace() -> Collection:
    """Return every task that the configuration has a use for, with those that the pipeline gives names to."""
    config_file = load.find_config_file()
    collection = Collection(
        steps.bump,
        steps.commit,
        steps.cut,
        steps.tag,
        demo,
        doctor,
        init,
        changelog=changelog.collection(),
        local=local.collection(),
    )
    if config_file.error or not config_file.table.keys() <= RELEASE_ONLY_KEYS:
        _add_deploy_tasks(collection)
    pipeline = _pipeline_stages(config_file.table)
    for pipeline_task in _make_pipeline_tasks(pipeline):
        collection.add_task(pipeline_task)
    configuration = load.with_defaults(config_file.table)
    if any(name.startswith("INVOKE_") for name in os.environ):
        _prepare_variables(configuration)
    collection.configure(configuration)
    return collection


def _prepare_variables(configuration: load.TomlTable) -> None:
    """Prepare environment variables for Invoke, which reads them after the tasks are loaded.

    Raises:
        Exit: a variable cannot override its key.
    """
    from kaizen_tasks.config import env_overrides

    if errors := env_overrides.prepare_variables(configuration, os.environ):
        raise Exit("\n".join(errors), code=ConfigurationError.exit_code)


def _add_deploy_tasks(collection: Collection) -> None:
    for deploy_task in (
        steps.build,
        steps.push,
        promote.deploy,
        promote.verify,
        promote.promote,
        release.hotfix,
        rollback.rollback,
        status.status,
        status.history,
        setup.setup,
        rehearse,
    ):
        collection.add_task(deploy_task)
    collection.add_collection(runtime.collection(), name="runtime")
    collection.add_collection(lock.lock_collection(), name="lock")
    collection.add_collection(lock.hold_collection(), name="hold")


def _make_pipeline_tasks(pipeline: tuple[str, ...]) -> Iterator[Any]:
    """Make `release-<first stage>`, a `promote-<stage>` for every later one, and one for each other that was typed."""
    pipeline_task_names = [f"{'promote' if position else 'release'}-{stage}" for position, stage in enumerate(pipeline)]
    task_names_by_cli_name = {
        _cli_name(name): name for name in (*_stage_tasks_in_argv(), *pipeline_task_names)
    }  # those of the pipeline last: they prevail
    for name in task_names_by_cli_name.values():
        verb, _, stage = name.partition("-")
        yield release.release_task(stage) if verb == "release" else promote.promote_task(stage)


def _cli_name(name: str) -> str:
    """Return a task's name as Invoke shows and takes it."""
    return name.replace("_", "-")


def _pipeline_stages(table: load.TomlTable) -> tuple[str, ...]:
    """Return the stages that can be task names; a malformed pipeline is reported when a task runs."""
    pipeline = table.get("pipeline", ())
    return tuple(name for name in pipeline if isinstance(name, str) and name) if isinstance(pipeline, list) else ()


def _stage_tasks_in_argv() -> tuple[str, ...]:
    """Return the flows that the command line names.

    One that the pipeline does not have becomes a task all the same, which says what is wrong with the configuration,
    or which stage was meant; Invoke alone would say that it has no idea.
    """
    return tuple(word for word in sys.argv[1:] if re.fullmatch(r"(release|promote)-[\w-]+", word))
