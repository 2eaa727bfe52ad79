"""Flows that are refused before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaizen_tasks.cli import commands, flags
from kaizen_tasks.errors import UsageError
from kaizen_tasks.rehearsal import flow_check
from tests.fakes.tools import settings


@pytest.mark.parametrize(
    ("flow", "message", "hint"),
    [
        ("rollback --env prd", "'prd' is neither", "did you mean prod?"),
        ("rollback -e nowhere", "'nowhere' is neither", "choose from staging, prod"),
        ("deploy --env staging --release=latest", "--release", ""),
        ("hotfix --reason 'it", "No closing quotation", "close the quotes"),
        ("release-staging --part huge", "huge", ""),
        ("release-staging --to=latest", "--to", ""),
        ("promote --env beta --shard 3", "--shard", ""),
    ],
)
def test_wrong_values_are_refused(flow: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as failure:
        flow_check.check_values(flow, settings())
    assert hint in failure.value.hint


@pytest.mark.parametrize(("flow", "right"), [("rollback --env prd", "rollback --env prod"), ("status -e xyz", "")])
def test_the_corrected_flow_is_known(flow: str, right: str) -> None:
    with pytest.raises(UsageError) as failure:
        flow_check.check_values(flow, settings())
    assert (failure.value.wrong, failure.value.right) == (flow, (right,) if right else ())


@pytest.mark.parametrize(
    ("flow", "right"),
    [
        ("rollback", "rollback --env staging"),
        ("promote", "promote --env prod"),
        ("hotfix --reason pace", "hotfix --reason pace --env mark"),
        ("runtime.set --set A=1", "runtime.set --set A=1 --env staging"),
    ],
)
def test_flow_without_the_environment_that_it_needs_is_completed(flow: str, right: str) -> None:
    with pytest.raises(UsageError, match="--env is missing") as failure:
        flow_check.check_values(flow, settings())
    assert (failure.value.wrong, failure.value.right) == (flow, (right,))


def test_tasks_that_need_an_environment_are_those_whose_flag_does_not_stand_for_all() -> None:
    tasks = {
        f"{prefix}{task.name.replace('_', '-')}"
        for prefix, collected in (
            ("", (commands.deploy, commands.verify, commands.push, commands.promote, commands.rollback)),
            ("runtime.", commands.runtime.tasks.values()),
            ("lock.", commands.lock.tasks.values()),
            ("hold.", commands.hold.tasks.values()),
        )
        for task in collected
        if flags.ENV in task.flags
    }

    assert {*tasks, "hotfix"} == flow_check.TASKS_WITH_ENVIRONMENT


def test_right_values_are_accepted() -> None:
    flow_check.check_values("deploy --env staging -e beta --release v1.2.3 -r 1.2.3", settings())


TASKS = """\
from invoke import Collection, task

@task
def ship_it(c, env="staging"):
    raise RuntimeError("is not run")

@task(default=True)
def release(c):
    pass

namespace = Collection(ship_it, Collection("changelog", release))
"""


@pytest.mark.integration
@pytest.mark.parametrize(
    ("flow", "message", "hint"),
    [
        ("shipit --env prod", "--flow shipit: the app has no such task", "did you mean ship-it?"),
        ("changelog.relase", "the app has no such task", "did you mean changelog.release?"),
        ("xyz", "the app has no such task", "inv --list"),
        ("ship-it --environment prod", "--environment", "inv --help ship-it"),
    ],
)
def test_tasks_and_flags_are_those_of_the_app(tmp_path: Path, flow: str, message: str, hint: str) -> None:
    (tmp_path / "tasks.py").write_text(TASKS)

    with pytest.raises(UsageError, match=message) as failure:
        flow_check.check_tasks(flow, tmp_path)

    assert (failure.value.state, failure.value.hint) == ("nothing was started", hint)
    flow_check.check_tasks("ship-it --env prod changelog", tmp_path)


@pytest.mark.integration
def test_a_broken_tasks_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("import absent_package\n")

    with pytest.raises(UsageError, match="absent_package"):
        flow_check.check_tasks("ship-it", tmp_path)
