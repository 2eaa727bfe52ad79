"""The old service is retired once others can pull the configuration that names the new one."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaizen_tasks.config.load import CONFIG_FILE_NAME, ConfigFile
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.migration import configuration
from tests.fakes.tools import FakeTools

COMMAND = "inv migrate --env mark --retire"


@pytest.fixture
def tools() -> FakeTools:
    tools = FakeTools()
    _commit(tools, b"app = 'web'")
    return tools


def _commit(tools: FakeTools, content: bytes) -> str:
    tools.scm.working_tree.write(CONFIG_FILE_NAME, content)
    parent = tools.scm.head().commit
    commit = tools.scm.write_commit(parent=parent, files={CONFIG_FILE_NAME: content}, message="Move mark")
    tools.scm.fast_forward(commit, paths=(CONFIG_FILE_NAME,))
    return commit


def _push(tools: FakeTools) -> None:
    tools.scm.replace_branch("main", tools.scm.head().commit, expected=tools.scm.upstream.branches["main"])  # type: ignore[union-attr]


def _require(tools: FakeTools) -> None:
    configuration.require_shared(ConfigFile(Path("/app"), CONFIG_FILE_NAME, {}), tools, command_line=COMMAND)


def test_a_change_that_is_not_committed_is_refused(tools: FakeTools) -> None:
    tools.scm.working_tree.write(CONFIG_FILE_NAME, b"app = 'other'")

    with pytest.raises(Refused, match=r"kaizen\.toml is changed and not committed") as caught:
        _require(tools)

    assert caught.value.hint == f"git commit kaizen.toml && git push, then: {COMMAND}"


def test_a_change_that_no_branch_of_the_remote_has_is_refused_until_it_is_pushed(tools: FakeTools) -> None:
    with pytest.raises(Refused, match="no branch of the remote has the last change") as caught:
        _require(tools)
    assert caught.value.hint == f"git push, then: {COMMAND}"

    _push(tools)

    _require(tools)


def test_without_a_remote_a_commit_is_enough(tools: FakeTools) -> None:
    tools.scm.upstream = None

    _require(tools)
