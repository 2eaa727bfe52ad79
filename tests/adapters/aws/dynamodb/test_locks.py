"""Locks in DynamoDB, on the local cloud."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from kaizen_tasks.adapters.aws.dynamodb.items import sortable_timestamp
from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger
from kaizen_tasks.adapters.aws.dynamodb.locks import DynamoLocks
from kaizen_tasks.errors import NotFound
from tests.contracts.ledger import entry
from tests.contracts.locks import LEASE, NOON, LocksContract, by_hand, wanted
from tests.fakes.clock import FakeClock
from tests.support.waiting import HANG_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.adapters.aws.dynamodb.items import Item
    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.domain.lock import Lock

ROOT = Path(__file__).parents[4]


def _update(aws: Aws, locks: DynamoLocks, expression: str, values: Item | None = None) -> None:
    """Change the item of staging's lock as another version of this program would."""
    key = {"pk": {"S": "lock#staging"}, "sk": {"S": "lock"}}
    arguments: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
    if "#token" in expression:
        arguments["ExpressionAttributeNames"] = {"#token": "token"}
    aws.dynamodb().update_item(TableName=locks.table_name, Key=key, UpdateExpression=expression, **arguments)


@pytest.fixture
def environ() -> dict[str, str]:
    return {"KAIZEN_LOCK": "", "PATH": "/bin"}


@pytest.fixture
def absent(aws: Aws, environ: dict[str, str]) -> DynamoLocks:
    """Locks without a table."""
    return DynamoLocks(aws, app=f"coach-{secrets.token_hex(4)}", environ=environ)


@pytest.fixture
def ledger(absent: DynamoLocks, aws: Aws) -> DynamoLedger:
    """The ledger in the same table."""
    return DynamoLedger(aws, app=absent.table_name.removeprefix("kaizen-"), clock=FakeClock())


@pytest.fixture
def locks(absent: DynamoLocks, ledger: DynamoLedger) -> DynamoLocks:
    ledger.create()
    return absent


class TestDynamo(LocksContract):
    def test_keeps_the_item_of_a_lock_that_was_released(self, locks: DynamoLocks, aws: Aws) -> None:
        locks.release(locks.acquire(wanted()))

        (item,) = aws.dynamodb().scan(TableName=locks.table_name)["Items"]

        assert item == {"pk": {"S": "lock#staging"}, "sk": {"S": "lock"}, "fence": {"N": "1"}}

    def test_manual_lock_has_no_expiry(self, locks: DynamoLocks, aws: Aws) -> None:
        locks.acquire(by_hand("b2"), replacing=locks.acquire(wanted("a1")))

        (item,) = aws.dynamodb().scan(TableName=locks.table_name)["Items"]

        assert "expires" not in item

    def test_lock_of_an_earlier_version_is_replaced_unless_it_was_renewed(self, locks: DynamoLocks, aws: Aws) -> None:
        """Such a lock has neither a lease nor a heartbeat; its renewal changes when it expires."""
        old = locks.acquire(wanted("a1"))
        _update(aws, locks, "REMOVE heartbeat, lease")
        seen = locks.get("staging")
        _update(aws, locks, "SET expires = :expires", {":expires": {"S": sortable_timestamp(NOON + 2 * LEASE)}})

        assert seen == old
        assert locks.acquire(wanted("b2"), replacing=seen) == evolve(old, expires=NOON + 2 * LEASE)
        assert locks.acquire(wanted("b2"), replacing=locks.get("staging")) == evolve(wanted("b2"), fence=2)

    def test_length_of_the_lease_is_the_owners(self, locks: DynamoLocks) -> None:
        taken = locks.acquire(evolve(wanted(), lease=7.5))

        assert locks.get("staging") == taken == evolve(wanted(), lease=7.5, fence=1)

    def test_lock_of_a_later_version_is_a_lock(self, locks: DynamoLocks, aws: Aws) -> None:
        """Whatever it leaves out or writes otherwise."""
        values: Item = {":token": {"S": "a1"}, ":since": {"N": "7"}, ":lease": {"S": "long"}, ":new": {"BOOL": True}}
        _update(aws, locks, "SET #token = :token, since = :since, lease = :lease, novelty = :new", values)

        current = locks.get("staging")

        assert current is not None
        assert (current.token, current.actor, current.is_manual) == ("a1", "", True)
        assert locks.acquire(wanted("b2")).token == "a1"
        assert locks.release(current)

    def test_leaves_the_ledger_alone(self, locks: DynamoLocks, ledger: DynamoLedger) -> None:
        ledger.append(entry("staging"))

        stale = locks.acquire(wanted("a1"))
        locks.release(locks.acquire(wanted("b2"), replacing=stale))
        locks.release(stale)

        assert ledger.entries("staging") == (entry("staging"),)

    def test_tokens_are_exported_in_a_variable(self, locks: DynamoLocks, environ: dict[str, str]) -> None:
        locks.export_tokens({"staging": "a1", "prod": "b2"})
        assert environ["KAIZEN_LOCK"] == "prod=b2 staging=a1"
        locks.export_tokens({})

        assert environ == {"PATH": "/bin"}


@pytest.mark.parametrize(
    "use",
    [
        lambda locks: locks.acquire(wanted()),
        lambda locks: locks.acquire_together([wanted()]),
        lambda locks: locks.get("staging"),
        lambda locks: locks.renew(wanted(), expires=NOON),
        lambda locks: locks.release(wanted()),
        lambda locks: locks.release_together([wanted()]),
    ],
    ids=["acquire", "acquire together", "get", "renew", "release", "release together"],
)
def test_missing_table_hints_at_setup(absent: DynamoLocks, use: Callable[[DynamoLocks], object]) -> None:
    with pytest.raises(NotFound) as caught:
        use(absent)

    assert caught.value.hint == "create it: inv setup"


class Holder:
    """A process that holds the lock of staging."""

    def __init__(self, locks: DynamoLocks, *words: str, lease: float = 60) -> None:
        app = locks.table_name.removeprefix("kaizen-")
        command = [sys.executable, "-m", "tests.adapters.aws.holder", app, str(lease), *words]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "holds\n"

    def end(self, last_words: str = "") -> str:
        """Send a line, wait for the process to end, and return its output after it held the lock."""
        try:
            return self.process.communicate(last_words, timeout=HANG_SECONDS)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def renewed(locks: DynamoLocks, lock: Lock) -> Lock:
    """Wait until a lease has been renewed, and return the renewed lock."""
    wait_for(lambda: locks.get(lock.environment) != lock)
    now = locks.get(lock.environment)
    assert now is not None
    return now


class TestProcesses:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_terminated_process_releases_its_lock(self, locks: DynamoLocks, number: signal.Signals) -> None:
        holder = Holder(locks)
        assert locks.get("staging") is not None

        holder.process.send_signal(number)
        holder.end()

        assert holder.process.returncode == 130
        assert locks.get("staging") is None

    def test_killed_process_leaves_a_lock_whose_heartbeat_stands_still(self, locks: DynamoLocks) -> None:
        holder = Holder(locks, lease=1.5)
        holder.process.kill()
        holder.end()
        seen = locks.get("staging")

        taken = locks.acquire(wanted("b2"), replacing=seen)

        assert (taken.token, taken.fence) == ("b2", 2)

    def test_heartbeat_keeps_a_lock_for_longer_than_a_lease(self, locks: DynamoLocks) -> None:
        holder = Holder(locks)
        first = locks.get("staging")
        assert first is not None
        assert renewed(locks, first).heartbeat > first.heartbeat

        assert locks.acquire(wanted("b2"), replacing=first).actor == "holder@workshop"
        assert holder.end("now\n") == "changes\n"
        assert locks.get("staging") is None

    def test_process_suspended_beyond_its_lease_changes_nothing(self, locks: DynamoLocks) -> None:
        holder = Holder(locks, lease=1.5)
        holder.process.send_signal(signal.SIGSTOP)
        time.sleep(1.6)
        taken = locks.acquire(wanted("b2"), replacing=locks.get("staging"))
        holder.process.send_signal(signal.SIGCONT)

        said = holder.end("now\n")

        assert holder.process.returncode == 4
        assert said.startswith("this run has lost the lock of staging: now it is locked by b2@workshop")
        assert locks.get("staging") == taken

    def test_child_process_inherits_the_lock(self, locks: DynamoLocks) -> None:
        holder = Holder(locks, "nested")
        above = locks.get("staging")

        assert above is not None
        assert above.is_same_as(renewed(locks, above))
        assert above.fence == 1
        assert holder.end("now\n") == "changes\n"
        assert holder.process.returncode == 0
        assert locks.get("staging") is None
