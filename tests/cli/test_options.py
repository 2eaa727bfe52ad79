"""From flags to what runs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pytest
from attrs import define
from semver import Version

from kaizen_tasks.cli import options
from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows.runner import apply_step, dry_run_step
from kaizen_tasks.flows.steps import Bump
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kaizen_tasks.wiring import Toolbox


@define(kw_only=True)
class FakeToolbox(FakeTools):
    """A world that knows whether acts are only announced."""

    dry: bool = False
    remembered: tuple[str, ...] = ()

    @contextmanager
    def caching_ledger(self, environments: Iterable[str]) -> Iterator[None]:
        """Say what the ledger is read once of."""
        self.remembered = tuple(environments)
        yield
        self.remembered = ()


def toolbox(*, dry: bool) -> Toolbox:
    """Return a toolbox of fakes."""
    return cast("Toolbox", FakeToolbox(dry=dry))


def test_a_dry_run_displays_and_any_other_performs() -> None:
    """It is another executor, and not a flag that is handed down."""
    assert options.choose_executor(toolbox(dry=True)) is dry_run_step
    assert options.choose_executor(toolbox(dry=False)) is apply_step


def test_a_dry_run_takes_no_lock() -> None:
    """It would be a change."""
    tools = toolbox(dry=True)

    with options.locked_execution(tuple(tools.settings.environments.values()), tools) as execute:
        held = [tools.locks.get(name) for name in tools.settings.environments]

    assert execute is dry_run_step
    assert set(held) == {None}


def test_evidence_is_read_once_and_not_locked() -> None:
    """Every environment of a stage asks for the same."""
    tools, environments = toolbox(dry=False), settings().environments

    with options.locked_execution((environments["prod"],), tools, evidence_environments=(environments["staging"],)):
        remembered = cast("FakeToolbox", tools).remembered
        standing = tools.locks.get("staging")

    assert remembered == ("prod", "staging")
    assert standing is None


def test_a_real_run_holds_the_locks_while_it_lasts() -> None:
    """Of the environments that it changes, and of no others."""
    tools = toolbox(dry=False)

    with options.locked_execution((tools.settings.environments["staging"],), tools):
        during = tools.locks.get("staging")
        elsewhere = tools.locks.get("prod")
        remembered = cast("FakeToolbox", tools).remembered

    assert remembered == ("staging",)
    assert during is not None
    assert during.actor == "ada@laptop"
    assert elsewhere is None
    assert tools.locks.get("staging") is None


def test_says_what_is_wrong_with_a_time_to_wait() -> None:
    """Before anything is locked."""
    tools = toolbox(dry=False)

    with (
        pytest.raises(UsageError, match="--wait soon: 'soon' is not a duration"),
        options.locked_execution((), tools, wait="soon"),
    ):
        pass


@pytest.mark.parametrize(
    ("part", "to", "force", "wanted"),
    [
        ("auto", "", False, Bump(accept_released=True)),
        ("minor", "", True, Bump(part="feature", accept_released=True, force=True)),
        ("auto", "v1.2.3", False, Bump(to=Version.parse("1.2.3"), accept_released=True)),
        ("auto", "1.2.3-rc.1", False, Bump(to=Version.parse("1.2.3-rc.1"), accept_released=True)),
    ],
)
def test_understands_which_version_is_asked_for(*, part: str, to: str, force: bool, wanted: Bump) -> None:
    """With or without `v`."""
    assert options.make_bump(part, to, force=force) == wanted


@pytest.mark.parametrize(
    ("part", "to", "what"),
    [("pacth", "", "--part pacth: no such part"), ("auto", "1.2", "--to: '1.2' is not a version")],
)
def test_names_the_flag_that_it_does_not_understand(part: str, to: str, what: str) -> None:
    """Of the two, the wrong one."""
    with pytest.raises(UsageError, match=what):
        options.make_bump(part, to, force=False)
