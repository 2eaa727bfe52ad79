"""Locks as items of the app's DynamoDB table, acquired and renewed by conditional writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.adapters.aws.dynamodb.table import AppTable, attributes, old_item, parse_time, sortable_timestamp
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.domain import lock as locks
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.ports.state import Locks

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.dynamodb.table import Item

TOKENS_VARIABLE = "KAIZEN_LOCK"  # the environment variable that passes a run's locks to the programs it starts
KEY_PREFIX = "lock#"
TEXT_ATTRIBUTES = ("token", "actor", "command", "reason", "process")
OWNER_ATTRIBUTES = (*TEXT_ATTRIBUTES, "since", "expires")  # cleared on release; the fence stays, so that it only grows

IF_FREE = "attribute_not_exists(#token)"
IF_UNCHANGED = "#token = :seen_token AND #fence = :seen_fence"
IF_EXPIRED = f"{IF_UNCHANGED} AND #expires <= :since"
"""The stored lock has the token and fence that were read, and its lease has expired. The expiry is compared because
DynamoDB's TTL deletes items days late: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html."""


class DynamoLocks(AppTable, Locks):
    """The locks of one app, one item per environment: `pk` is `lock#<environment>`, `sk` is `lock`; no `token` if free.

    Args:
        aws: clients of the account.
        app: the app's name.
        environ: the environment variables of this process, which its child processes inherit.
    """

    def __init__(self, aws: Aws, *, app: str, environ: MutableMapping[str, str]) -> None:
        super().__init__(aws, app=app)
        self._environ = environ

    def get(self, environment: str) -> Lock | None:
        """Return the current lock of an environment, or None; a consistent read."""
        with self._table_errors(f"read the lock of {environment}"):
            return _parse_lock(self._read_item(_key(environment)))

    def get_many(self, environments: Iterable[str]) -> dict[str, Lock]:
        """Return the current locks of some environments, by environment; consistent reads, 100 per request."""
        with self._table_errors("read the locks"):
            stored_locks = [_parse_lock(item) for item in self._read_items(map(_key, environments))]
        return {lock.environment: lock for lock in stored_locks if lock is not None}

    def acquire(self, lock: Lock, *, replacing: Lock | None = None) -> Lock:
        """Acquire a lock that is free, has expired at `lock.since`, or is `replacing`; return the lock now in place."""
        current = self._put_if(lock, replacing=replacing, condition=IF_UNCHANGED) if replacing else None
        while current is None or (current.token != lock.token and current.is_expired(lock.since)):
            current = self._put_if(lock, replacing=current)
        return current

    def _put_if(self, lock: Lock, *, replacing: Lock | None, condition: str = IF_EXPIRED) -> Lock | None:
        """Write a lock if no lock is in place or `condition` is true of `replacing`; return the lock now in place."""
        values = {f":{name}": value for name, value in attributes(lock, *OWNER_ATTRIBUTES).items()}
        assignments = ", ".join(f"#{name[1:]} = {name}" for name in values)
        removal = " REMOVE #expires" if lock.is_manual else ""
        if replacing is not None:
            values |= {":seen_token": {"S": replacing.token}, ":seen_fence": {"N": str(replacing.fence)}}
        dynamodb = self._dynamodb
        with self._table_errors(f"acquire the lock of {lock.environment}"):
            try:
                response = dynamodb.update_item(
                    TableName=self.table_name,
                    Key=_key(lock.environment),
                    UpdateExpression=f"SET {assignments}{removal} ADD #fence :one",
                    ConditionExpression=condition if replacing else IF_FREE,
                    ExpressionAttributeNames=_name_placeholders(*OWNER_ATTRIBUTES, "fence"),
                    ExpressionAttributeValues={**values, ":one": {"N": "1"}},
                    ReturnValues="UPDATED_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except dynamodb.exceptions.ConditionalCheckFailedException as error:
                return _parse_lock(old_item(error))  # our own, if the response to an earlier attempt was lost
        return evolve(lock, fence=int(response["Attributes"]["fence"]["N"]))

    def renew(self, lock: Lock, *, expires: datetime) -> bool:
        """Extend a lease; return False if the lock is no longer ours."""
        with self._table_errors(f"renew the lock of {lock.environment}"):
            value: Item = {":expires": {"S": sortable_timestamp(expires)}}
            return self._update_if_owned(lock, "SET #expires = :expires", "token", "expires", values=value)

    def release(self, lock: Lock) -> bool:
        """Release a lock; return False, and change nothing, if the lock is no longer ours."""
        with self._table_errors(f"release the lock of {lock.environment}"):
            expression = "REMOVE " + ", ".join(f"#{name}" for name in OWNER_ATTRIBUTES)
            return self._update_if_owned(lock, expression, *OWNER_ATTRIBUTES)

    def _update_if_owned(self, lock: Lock, expression: str, *names: str, values: Item | None = None) -> bool:
        dynamodb = self._dynamodb
        try:
            dynamodb.update_item(
                TableName=self.table_name,
                Key=_key(lock.environment),
                UpdateExpression=expression,
                ConditionExpression="#token = :token",
                ExpressionAttributeNames=_name_placeholders(*names),
                ExpressionAttributeValues={":token": {"S": lock.token}, **(values or {})},
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def inherited_tokens(self) -> dict[str, str]:
        """Return the lock tokens in the variable `KAIZEN_LOCK`, by environment."""
        return locks.parse_lock_tokens(self._environ.get(TOKENS_VARIABLE, ""))

    def export_tokens(self, tokens: Mapping[str, str]) -> None:
        """Set the variable `KAIZEN_LOCK`; remove the variable when there are no tokens."""
        self._environ.pop(TOKENS_VARIABLE, None)
        if tokens:
            self._environ[TOKENS_VARIABLE] = locks.format_lock_tokens(tokens)


def _key(environment: str) -> Item:
    return {"pk": {"S": f"{KEY_PREFIX}{environment}"}, "sk": {"S": "lock"}}


def _name_placeholders(*names: str) -> dict[str, str]:
    """Return a placeholder for each attribute name, since several names are reserved words of DynamoDB."""
    return {f"#{name}": name for name in names}


def _parse_lock(item: Item) -> Lock | None:
    if "token" not in item:
        return None
    return Lock(
        environment=item["pk"]["S"].removeprefix(KEY_PREFIX),
        since=datetime.fromisoformat(item["since"]["S"]),
        expires=parse_time(item, "expires"),
        fence=int(item["fence"]["N"]),
        **{name: item[name]["S"] for name in TEXT_ATTRIBUTES},
    )
