"""The program that parses tasks."""

from __future__ import annotations

import pytest
from invoke.collection import Collection

from kaizen_tasks.cli import commands
from kaizen_tasks.cli.entry_point.program import TaskProgram


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (["cut", "--part", "patch"], ["cut"]),
        (["--help=bump"], ["bump"]),
        (["-hbump"], ["bump"]),
        (["--list"], []),
        (["lock.show", "tag"], ["lock.show", "tag"]),
        (["changelog"], ["changelog.release"]),
    ],
)
def test_the_parser_knows_the_tasks_that_are_typed(words: list[str], known: list[str]) -> None:
    program = TaskProgram(namespace=Collection(*commands.LIBRARY_TASKS, *commands.DEPLOY_TASKS))
    program.create_config()
    program.parse_core(["inv", *words])
    program.parse_collection()

    program.parse_tasks()

    assert sorted(program.parser.contexts) == sorted(known)
