"""Tasks that an app makes of the public steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from kaizen_tasks import flow
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.flows import steps
from tests.cli.handlers.test_promote import world

if TYPE_CHECKING:
    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.flows.step import Flow
    from tests.fakes.tools import FakeTools


@flow
def bring_back(environment: Environment, _settings: Settings) -> Flow:
    """Deploy once more."""
    return (steps.FindImage(environment=environment), steps.Deploy(environment=environment))


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> FakeTools:
    """A world in which v0.2.0 is verified in staging."""
    return world(monkeypatch)


def test_flow_task_has_name_and_docstring_of_its_function() -> None:
    assert (bring_back.name, bring_back.__doc__) == ("bring-back", "Deploy once more.")


def test_flow_task_runs_its_steps_with_the_named_release(tools: FakeTools) -> None:
    tools.ledger.all_entries.clear()
    bring_back.body(Context(), env=["staging"], release="0.2.0")
    assert [entry.event for entry in tools.ledger.entries("staging")] == [Event.DEPLOYED, Event.STARTED]


def test_protected_environment_needs_confirmation(tools: FakeTools) -> None:
    with pytest.raises(Exit, match="prod is protected") as refused:
        bring_back.body(Context(), env=["prod"], release="0.2.0")
    assert (refused.value.code, tools.running_versions["prod"]) == (3, "v0.1.0")


def test_flow_task_exits_as_its_steps_fail(tools: FakeTools) -> None:
    with pytest.raises(Exit, match=r"there is no prod-web-app:v0\.2\.0") as refused:
        bring_back.body(Context(), env=["prod"], release="0.2.0", yes=True)
    assert (refused.value.code, tools.latest("prod")) == (3, "")
