"""The copy of the newest items of an environment's part of the ledger, which each write replaces."""

from __future__ import annotations

import secrets
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve, frozen
from botocore.exceptions import ClientError

from kaizen_tasks.adapters.aws.dynamodb import recent_items
from kaizen_tasks.adapters.aws.dynamodb.entry_items import entry_item, operation_item
from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger
from kaizen_tasks.adapters.aws.dynamodb.recent_items import RecentItems
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import Denied
from kaizen_tasks.flows.ledger.entries import HISTORY_LIMIT
from tests.adapters.conftest import REGION
from tests.contracts.ledger import NOON, entry
from tests.fakes.clock import FakeClock
from tests.support.local_cloud import Cloud

if TYPE_CHECKING:
    from kaizen_tasks.domain.ledger import LedgerEntry

KEY = {"pk": {"S": "ledger#staging"}, "sk": {"S": "n$"}}


@frozen
class Table:
    """A table of an app, and what other versions and real clients do with it."""

    aws: Aws
    cloud: Cloud
    app: str

    def ledger(self, **former_names: tuple[str, ...]) -> DynamoLedger:
        """Return the ledger of another run."""
        aws = Aws(region=REGION, profile="", account="")
        return DynamoLedger(aws, app=self.app, clock=FakeClock(), former_names=former_names)

    def put(self, item: Any) -> None:
        """Write an item as earlier versions do."""
        condition = "attribute_not_exists(pk)"
        self.aws.dynamodb().put_item(TableName=f"kaizen-{self.app}", Item=item, ConditionExpression=condition)

    def append_as_before(self, entry: LedgerEntry, number: int) -> LedgerEntry:
        """Write an entry as versions do that do not know the copy."""
        numbered = evolve(entry, number=number)
        self.put(entry_item(numbered, entry.environment))
        return numbered

    @property
    def copy(self) -> Any:
        """The copy, as real clients see it."""
        return self.aws.dynamodb().get_item(TableName=f"kaizen-{self.app}", Key=KEY, ConsistentRead=True).get("Item")

    def replace_copy(self, **attributes: Any) -> None:
        """Change attributes of the copy."""
        self.aws.dynamodb().put_item(TableName=f"kaizen-{self.app}", Item={**self.copy, **attributes})

    def calls(self, begin: int) -> list[str]:
        """Return the calls of DynamoDB since then."""
        return [each["operation"] for each in self.cloud.requests[begin:] if each["service"] == "dynamodb"]


@pytest.fixture
def table(aws: Aws, cloud: Cloud) -> Table:
    table = Table(aws, cloud, f"coach-{secrets.token_hex(4)}")
    table.ledger().create()
    return table


def test_copy_has_all_that_is_searched() -> None:
    assert recent_items.MAX_ENTRIES == HISTORY_LIMIT


def test_newest_entries_of_a_hundred_environments_take_two_requests(table: Table) -> None:
    names = [f"tenant{number}" for number in range(100)]
    for name in names:
        item = entry_item(evolve(entry(name), number=1), name)
        table.put(RecentItems.from_items(name, [item], is_complete=True, revision="1").item)
    ledger, begin = table.ledger(), len(table.cloud.requests)

    assert ledger.recent_entries(names) == {name: (entry(name),) for name in names}
    assert table.calls(begin) == ["BatchGetItem", "BatchGetItem"]


def test_entry_is_written_without_a_request_before_it_once_the_newest_are_known(table: Table) -> None:
    table.ledger().append(entry())
    ledger, begin = table.ledger(), len(table.cloud.requests)

    ledger.recent_entries(["staging"])
    intent = ledger.append(evolve(entry(event=Event.STARTED), operation=""))
    ledger.set_operation(intent, "6c-7e")
    ledger.append_all([entry(), entry(event=Event.VERIFIED)])

    assert table.calls(begin) == ["BatchGetItem"] * 2 + ["TransactWriteItems"] * 3


def test_one_environment_is_read_in_one_request_however_long_its_history_is(table: Table) -> None:
    for _ in range(6):
        table.ledger().append_all([entry()] * 50)
    ledger, begin = table.ledger(), len(table.cloud.requests)

    assert [each.number for each in ledger.entries("staging", limit=200)] == [*range(300, 100, -1)]
    ledger.append(entry())
    assert table.calls(begin) == ["Query", "TransactWriteItems"]
    assert len(ledger.entries("staging", limit=250)) == 250
    assert ledger.recent_entries(["staging"], limit=201) == {}
    assert len(table.copy["items"]["B"]) < 10_000


def test_environment_without_a_copy_is_read_by_itself(table: Table) -> None:
    """So are all of a table that versions without copies have written."""
    entries = [table.append_as_before(entry(at=NOON + timedelta(seconds=number)), number) for number in (1, 2)]
    ledger = table.ledger()

    assert ledger.recent_entries(["staging", "prod"]) == {}
    assert ledger.entries("staging") == tuple(reversed(entries))
    assert ledger.entries("prod") == ()


def test_first_entry_of_this_version_makes_a_copy_of_all(table: Table) -> None:
    for number in (1, 2):
        table.append_as_before(entry(), number)
    table.ledger().append(entry(event=Event.VERIFIED))

    assert [each.number for each in table.ledger().recent_entries(["staging"])["staging"]] == [3, 2, 1]


def test_entry_of_an_earlier_version_is_seen_and_then_copied(table: Table) -> None:
    table.ledger().append(entry())
    table.append_as_before(entry(event=Event.FAILED), 2)

    assert table.ledger().recent_entries(["staging"]) == {}
    assert [each.number for each in table.ledger().entries("staging")] == [2, 1]
    assert table.ledger().append(entry(event=Event.VERIFIED)).number == 3
    events = [each.event for each in table.ledger().recent_entries(["staging"])["staging"]]
    assert events == [Event.VERIFIED, Event.FAILED, Event.DEPLOYED]


def test_operation_of_an_earlier_version_is_seen_and_then_copied(table: Table) -> None:
    intent = table.ledger().append(evolve(entry(event=Event.STARTED), operation=""))
    stale = table.ledger()
    stale.recent_entries(["staging"])
    table.put(operation_item(intent, "6c-7e", "staging"))

    assert table.ledger().recent_entries(["staging"]) == {}
    assert table.ledger().entries("staging")[0].operation == "6c-7e"
    table.ledger().append(entry())
    assert table.ledger().recent_entries(["staging"])["staging"][1].operation == "6c-7e"


def test_writer_that_has_not_seen_an_entry_of_an_earlier_version_copies_it(table: Table) -> None:
    table.ledger().append(entry())
    ledger = table.ledger()
    ledger.recent_entries(["staging"])
    table.append_as_before(entry(event=Event.FAILED), 2)

    assert ledger.append(entry(event=Event.VERIFIED)).number == 3
    assert [each.number for each in table.ledger().recent_entries(["staging"])["staging"]] == [3, 2, 1]


def test_operation_is_not_lost_when_another_run_has_written_since(table: Table) -> None:
    ledger, other = table.ledger(), table.ledger()
    intent = ledger.append(evolve(entry(event=Event.STARTED), operation=""))
    other.append(entry(event=Event.VERIFIED))

    ledger.set_operation(intent, "6c-7e")
    other.append(entry(event=Event.FAILED))

    newest = table.ledger().recent_entries(["staging"])["staging"]
    assert [(each.event, each.operation) for each in newest[1:]] == [("verified", "6c7e1a"), ("started", "6c-7e")]


def test_operation_is_recorded_only_once(table: Table) -> None:
    ledger = table.ledger()
    intent = ledger.append(evolve(entry(event=Event.STARTED), operation=""))

    ledger.set_operation(intent, "first")
    ledger.set_operation(intent, "second")

    assert ledger.entries("staging")[0].operation == "first"
    assert table.ledger().recent_entries(["staging"])["staging"][0].operation == "first"


def test_operation_of_an_intent_without_a_number_is_copied(table: Table) -> None:
    item = {**entry_item(evolve(entry(event=Event.STARTED), operation=""), "staging")}
    table.put({**item, "sk": {"S": f"{NOON.isoformat(timespec='microseconds')}#a1"}})
    ledger = table.ledger()
    (intent,) = ledger.entries("staging")

    ledger.set_operation(intent, "6c-7e")

    assert table.ledger().recent_entries(["staging"])["staging"][0].operation == "6c-7e"


@pytest.mark.parametrize(
    "attributes",
    [
        {"items": {"B": b"of a later version"}},
        {"items": {"S": "text"}},
        {"items": {"B": zlib.compress(b"")}, "complete": {"BOOL": False}},
    ],
)
def test_copy_that_is_not_understood_is_not_used_and_replaced(table: Table, attributes: dict[str, Any]) -> None:
    table.ledger().append_all([entry(), entry(event=Event.VERIFIED)])
    table.replace_copy(**attributes)

    assert table.ledger().recent_entries(["staging"]) == {}
    assert [each.number for each in table.ledger().entries("staging")] == [2, 1]
    assert table.ledger().append(entry()).number == 3
    assert [each.number for each in table.ledger().recent_entries(["staging"])["staging"]] == [3, 2, 1]


def test_copy_of_long_entries_stays_small(table: Table) -> None:
    """It has fewer entries then; the others are read by themselves."""
    reason = secrets.token_hex(9_000)
    ledger = table.ledger()
    for _ in range(6):
        ledger.append(evolve(entry(), reason=f"{reason} {secrets.token_hex(9_000)}"))

    assert len(table.copy["items"]["B"]) <= recent_items.MAX_BYTES
    assert len(table.ledger().recent_entries(["staging"], limit=1)["staging"]) == 1
    assert table.ledger().recent_entries(["staging"], limit=6) == {}
    assert [each.number for each in table.ledger().entries("staging", limit=6)] == [6, 5, 4, 3, 2, 1]


def test_entry_that_is_longer_than_a_copy_is_read_by_itself(table: Table) -> None:
    ledger = table.ledger()
    long_entry = evolve(entry(), reason=secrets.token_hex(90_000))
    ledger.append_all([entry(), long_entry])

    assert table.ledger().recent_entries(["staging"], limit=1) == {}
    assert table.ledger().entries("staging", limit=1) == (long_entry,)
    assert table.ledger().append(entry()).number == 3


def test_attribute_that_json_does_not_have_is_read_where_it_was_written(table: Table) -> None:
    ledger = table.ledger()
    ledger.append(entry())
    table.put({**entry_item(evolve(entry(), number=2), "staging"), "of-a-later-version": {"B": b"\x00"}})

    assert table.ledger().append(entry()).number == 3
    assert [each.number for each in table.ledger().entries("staging")] == [3, 2, 1]


def test_attributes_of_a_later_version_are_copied_as_they_are(table: Table) -> None:
    table.put({**entry_item(evolve(entry(), number=1), "staging"), "new": {"M": {"\u2028": {"S": "a\nb"}}}})
    table.ledger().append(entry())
    table.ledger().append(entry(event=Event.VERIFIED))

    assert "\u2028" in zlib.decompress(table.copy["items"]["B"]).decode().split("\n")[2]
    assert [each.number for each in table.ledger().recent_entries(["staging"])["staging"]] == [3, 2, 1]


def test_environment_with_former_names_is_read_by_itself(table: Table) -> None:
    table.ledger().append(entry("mark"))
    renamed = table.ledger(shane=("mark",))
    renamed.append(entry("shane", event=Event.VERIFIED))

    assert renamed.recent_entries(["shane"]) == {}
    assert [each.event for each in renamed.entries("shane")] == [Event.VERIFIED, Event.DEPLOYED]
    assert len(table.ledger().recent_entries(["mark"])["mark"]) == 2


def test_versions_with_and_without_copies_write_at_once(table: Table) -> None:
    """Each entry is in the history once, and the copy has all of them after the last one."""

    def write_as_before(ledger: DynamoLedger) -> None:
        while True:
            newest = ledger.entries("staging", limit=1)
            try:
                table.append_as_before(entry(event=Event.FAILED), newest[0].number + 1 if newest else 1)
            except ClientError:
                continue
            return

    def write(position: int) -> None:
        ledger = table.ledger()
        for _ in range(4):
            write_as_before(ledger) if position % 2 else ledger.append(entry())

    with ThreadPoolExecutor(max_workers=6) as pool:
        list(pool.map(write, range(6)))
    table.ledger().append(entry(event=Event.VERIFIED))

    found = table.ledger().recent_entries(["staging"], limit=30)["staging"]
    assert [each.number for each in found] == [*range(25, 0, -1)]
    assert sum(each.event is Event.FAILED for each in found) == 12


@pytest.mark.parametrize("error", ["ThrottlingException", "ProvisionedThroughputExceededException"])
def test_throttled_transaction_is_tried_again(table: Table, cloud: Cloud, error: str) -> None:
    match = {"service": "dynamodb", "operation": "TransactWriteItems"}
    cloud.inject_fault(match, {"error": {"code": error, "status": 400}}, times=2)

    assert table.ledger().append(entry()).number == 1
    assert table.ledger().recent_entries(["staging"]) == {"staging": (entry(),)}


def test_nothing_is_written_when_the_transaction_is_refused(table: Table, cloud: Cloud) -> None:
    match = {"service": "dynamodb", "operation": "TransactWriteItems"}
    cloud.inject_fault(match, {"error": {"code": "AccessDeniedException", "status": 400}})

    with pytest.raises(Denied):
        table.ledger().append(entry())

    assert table.aws.dynamodb().scan(TableName=f"kaizen-{table.app}")["Items"] == []
