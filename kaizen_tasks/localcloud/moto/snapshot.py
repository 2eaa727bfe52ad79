"""Snapshots of moto's state, by which the journal is compacted: requests that shaped tables, items, and secrets.

Importing this module imports moto, which takes a second: import it at the first request.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.secretsmanager.models import FakeSecret, secretsmanager_backends

from kaizen_tasks.localcloud.moto.journal import JournalRequest, StoredItem, StoredSecret

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from kaizen_tasks.localcloud.moto.journal import JournalEntry

_ITEM_OPERATIONS = frozenset(
    {
        *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"),
        *("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"),
    }
)
_KEPT_SERVICES = frozenset({"iam", "ssm"})  # of which all requests are kept
_TABLE_OPERATIONS = frozenset(
    {
        *("CreateTable", "DeleteTable", "UpdateTable", "UpdateTimeToLive", "UpdateContinuousBackups"),
        *("TagResource", "UntagResource"),
    }
)


def take_snapshot(entries: Collection[JournalEntry], account: str) -> list[JournalEntry] | None:
    """Return entries that restore moto's present state; None if it has parts that a snapshot cannot hold.

    Args:
        entries: what moto was restored from, and the requests since then.
        account: the account number.
    """
    table_requests = [
        entry
        for entry in entries
        if isinstance(entry, JournalRequest) and entry.service == "dynamodb" and entry.operation not in _ITEM_OPERATIONS
    ]
    if any(request.operation not in _TABLE_OPERATIONS for request in table_requests):
        return None  # such as backups, which have items of their own
    secrets = list(_stored_secrets(account))
    if None in secrets or _has_streams(account):
        return None
    kept_requests = [
        entry for entry in entries if isinstance(entry, JournalRequest) and entry.service in _KEPT_SERVICES
    ]
    return [*kept_requests, *_of_existing_tables(table_requests), *_stored_items(account), *filter(None, secrets)]


def restore(entry: StoredItem | StoredSecret, account: str) -> None:
    """Put an item or a secret of a snapshot into moto.

    Raises:
        LookupError: the table of the item does not exist.
        Exception: moto refuses it.
    """
    if isinstance(entry, StoredItem):
        dynamodb_backends[account][entry.region].tables[entry.table].put_item(entry.item, overwrite=True)
        return
    secrets = secretsmanager_backends[account][entry.region].secrets
    name = entry.secret["name"]
    secret = FakeSecret(account, entry.region, name, {}, "")
    vars(secret).update(entry.secret)
    secrets[name] = secret


def _of_existing_tables(requests: Iterable[JournalRequest]) -> list[JournalRequest]:
    """Return the requests without those about tables that have been deleted since."""
    remaining_requests: list[JournalRequest] = []
    for request in requests:
        if request.operation != "DeleteTable":
            remaining_requests.append(request)
            continue
        table = _table_of(request)
        remaining_requests = [entry for entry in remaining_requests if _table_of(entry) != table]
    return remaining_requests


def _table_of(request: JournalRequest) -> tuple[str, str]:
    """Return the region and name of the table that a request is about."""
    document = json.loads(request.content)
    identifier = document.get("TableName") or document["ResourceArn"]
    return request.region, str(identifier).rpartition("table/")[2]


def _has_streams(account: str) -> bool:
    backends = dynamodb_backends[account].values()
    return any(table.stream_shard is not None for backend in backends for table in backend.tables.values())


def _stored_items(account: str) -> Iterator[StoredItem]:
    for region, backend in dynamodb_backends[account].items():
        for name, table in backend.tables.items():
            for partition in table.items.values():
                items: Any = partition.values() if table.range_key_attr else (partition,)
                for item in items:
                    yield StoredItem(region=region, table=name, item=_to_json(item.attrs))


def _to_json(value: Any) -> Any:
    """Return an attribute as DynamoDB's JSON; moto's own functions decode nested binary values."""
    if isinstance(value, DynamoType):
        return {value.type: _to_json(value.value)}
    if isinstance(value, dict):
        return {name: _to_json(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_to_json(member) for member in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _stored_secrets(account: str) -> Iterator[StoredSecret | None]:
    """Yield the secrets; None for one that is replicated to other regions."""
    for region, backend in secretsmanager_backends[account].items():
        for secret in dict.values(backend.secrets):
            if not isinstance(secret, FakeSecret) or secret.replicas:
                yield None
            else:
                yield StoredSecret(region=region, secret=dict(vars(secret)))
