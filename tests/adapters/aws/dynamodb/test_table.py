"""The table that other versions use too, and environments with another name than before."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.adapters.aws.dynamodb.holds import DynamoHolds
from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger
from kaizen_tasks.adapters.aws.dynamodb.locks import DynamoLocks
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import Refused
from tests.adapters.conftest import REGION
from tests.contracts.holds import hold
from tests.contracts.ledger import NOON, entry
from tests.contracts.locks import wanted
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.local_cloud import Cloud

RENAMED = {"mark": ("mark-older", "mark-old")}


class State:
    """Ledger, locks and holds of one app, as one run has them."""

    def __init__(self, app: str, former_names: Mapping[str, tuple[str, ...]]) -> None:
        self.aws = Aws(region=REGION, profile="", account="")
        self.ledger = DynamoLedger(self.aws, app=app, clock=FakeClock(), former_names=former_names)
        self.locks = DynamoLocks(self.aws, app=app, environ={}, former_names=former_names)
        self.holds = DynamoHolds(self.aws, app=app, clock=FakeClock(), former_names=former_names)


@pytest.fixture
def app(aws: Aws) -> str:
    """The name of an app with a table."""
    name = f"coach-{secrets.token_hex(4)}"
    DynamoLedger(aws, app=name, clock=FakeClock()).create()
    return name


@pytest.fixture
def old(app: str) -> State:
    """A run with the configuration from before the environment was renamed."""
    return State(app, {})


@pytest.fixture
def new(app: str) -> State:
    return State(app, RENAMED)


def set_format(app: str, number: int) -> None:
    item = {"pk": {"S": "format"}, "sk": {"S": "format"}, "number": {"N": str(number)}}
    Aws(region=REGION, profile="", account="").dynamodb().put_item(TableName=f"kaizen-{app}", Item=item)


@pytest.mark.parametrize(
    "write",
    [
        lambda state: state.holds.get("mark") or state.ledger.append(entry()),
        lambda state: state.locks.acquire(wanted()),
        lambda state: state.holds.add(hold()),
        lambda state: state.holds.remove("mark"),
    ],
    ids=["append", "acquire", "add", "remove"],
)
def test_table_of_a_later_format_is_read_and_not_written(app: str, write: Callable[[State], object]) -> None:
    earlier = State(app, {})
    earlier.ledger.append(entry())
    set_format(app, 2)
    state = State(app, {})

    with pytest.raises(Refused) as refused:
        write(state)

    assert str(refused.value).splitlines() == [
        f"the table kaizen-{app} has format 2, and this version writes format 1",
        "nothing has been changed",
        "use the version that the others use: python -m pip install --upgrade kaizen-tasks",
    ]
    assert state.ledger.entries("staging") == (entry(),)
    assert (state.locks.get("staging"), state.holds.get_many(["mark"])) == (None, {})


def test_own_lock_is_released_whatever_the_format(app: str) -> None:
    held = (state := State(app, {})).locks.acquire(wanted())
    set_format(app, 2)

    assert state.locks.renew(held, expires=NOON)
    assert State(app, {}).locks.release(held)


def test_table_without_a_format_is_of_the_first(app: str) -> None:
    """Earlier versions did not write it."""
    assert State(app, {}).locks.acquire(wanted()).fence == 1


def test_format_of_the_table_is_written_once(app: str) -> None:
    set_format(app, 2)
    State(app, {}).ledger.write_format()

    with pytest.raises(Refused, match="has format 2"):
        State(app, {}).locks.acquire(wanted())


def test_written_format_is_ours(app: str, aws: Aws) -> None:
    State(app, {}).ledger.write_format()

    (item,) = aws.dynamodb().scan(TableName=f"kaizen-{app}")["Items"]
    assert item == {"pk": {"S": "format"}, "sk": {"S": "format"}, "number": {"N": "1"}}
    assert State(app, {}).locks.acquire(wanted()).fence == 1


def test_format_is_read_with_the_holds(app: str, cloud: Cloud) -> None:
    """A run reads them first, so that the format costs no call."""
    state = State(app, {})
    state.aws.account_id()
    before = len(cloud.requests)

    state.holds.get_many(["staging", "mark"])
    state.locks.acquire(wanted())
    state.ledger.append(entry())

    operations = [each["operation"] for each in cloud.requests[before:]]
    assert operations == ["BatchGetItem", "UpdateItem", "Query", "TransactWriteItems"]


def test_renamed_environment_keeps_its_history(old: State, new: State) -> None:
    written = [old.ledger.append(entry("mark-older", at=NOON + timedelta(minutes=minute))) for minute in range(2)]

    assert new.ledger.entries("mark") == tuple(evolve(each, environment="mark") for each in reversed(written))


def test_runs_before_and_after_the_renaming_see_each_others_entries(old: State, new: State) -> None:
    old.ledger.append(entry("mark-older", event=Event.STARTED, at=NOON))
    intent = new.ledger.append(evolve(entry("mark", event=Event.STARTED, at=NOON), operation=""))
    new.ledger.set_operation(intent, "6c-7e")
    old.ledger.append(entry("mark-older", event=Event.VERIFIED, at=NOON - timedelta(days=1)))

    assert [each.number for each in new.ledger.entries("mark")] == [3, 2, 1]
    assert [each.operation for each in new.ledger.entries("mark")][1] == "6c-7e"
    assert [each.environment for each in old.ledger.entries("mark-older")] == ["mark-older"] * 3


def test_entries_under_every_name_are_one_history(old: State, new: State) -> None:
    """Such as those from after the renaming and before `formerly` was written."""
    for minute, name in enumerate(("mark-older", "mark-old", "mark", "mark")):
        old.ledger.append(entry(name, at=NOON + timedelta(minutes=minute)))
    new.ledger.append(entry("mark", event=Event.VERIFIED, at=NOON + timedelta(hours=1)))

    history = new.ledger.entries("mark")

    assert [each.at for each in history] == sorted((each.at for each in history), reverse=True)
    assert (len(history), history[0].event) == (5, Event.VERIFIED)
    assert len(new.ledger.entries("mark", limit=2)) == 2
    assert new.ledger.entries_since("mark", NOON + timedelta(minutes=1)) == history[:-1]


def test_runs_before_and_after_the_renaming_exclude_each_other(old: State, new: State) -> None:
    theirs = old.locks.acquire(wanted("a1", "mark-older"))

    assert new.locks.acquire(wanted("b2", "mark")) == evolve(theirs, environment="mark")
    assert new.locks.get_many(["mark", "staging"]) == {"mark": evolve(theirs, environment="mark")}
    assert old.locks.release(theirs)
    ours = new.locks.acquire(wanted("b2", "mark"))
    assert (ours.token, ours.environment) == ("b2", "mark")
    assert new.locks.renew(ours, expires=NOON + timedelta(hours=1))
    assert old.locks.acquire(wanted("c3", "mark-older")).token == "b2"


@pytest.mark.parametrize("name", ["mark-older", "mark-old", "mark"])
def test_renamed_environment_keeps_its_hold(old: State, new: State, name: str) -> None:
    """Under whatever name it was placed."""
    old.holds.add(hold(name))

    assert new.holds.get("mark") == hold("mark")
    assert new.holds.remove("mark") == hold("mark")
    assert old.holds.get(name) is None


def test_hold_after_the_renaming_is_seen_before_it(old: State, new: State) -> None:
    new.holds.add(hold("mark"))

    assert old.holds.get("mark-older") == hold("mark-older")
