"""Locks as items of the app's DynamoDB table, acquired and renewed by conditional writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.adapters.aws.dynamodb.items import (
    attributes,
    old_item,
    parse_float,
    parse_text,
    parse_time,
    sortable_timestamp,
)
from kaizen_tasks.adapters.aws.dynamodb.table import NO_FORMER_NAMES, AppTable
from kaizen_tasks.adapters.aws.dynamodb.transaction import write_transaction
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.domain import lock as locks
from kaizen_tasks.domain.ledger import UNKNOWN_TIME
from kaizen_tasks.domain.lock import LEASE_SECONDS, Lock
from kaizen_tasks.ports.state import Locks

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef, UpdateTypeDef

    from kaizen_tasks.adapters.aws.dynamodb.items import Item

TOKENS_VARIABLE = "KAIZEN_LOCK"  # the environment variable that passes a run's locks to the programs it starts
KEY_PREFIX = "lock#"
TEXT_ATTRIBUTES = ("token", "actor", "command", "reason", "process", "run_url")
TEXT_AND_TIME_ATTRIBUTES = (*TEXT_ATTRIBUTES, "since", "expires")
OWNER_ATTRIBUTES = (*TEXT_AND_TIME_ATTRIBUTES, "lease", "heartbeat")  # cleared on release; the fence stays and grows

IF_FREE = "attribute_not_exists(#token)"
IF_OWNED = "#token = :token"
IF_NO_HEARTBEAT = "(attribute_not_exists(#heartbeat) OR #heartbeat = :seen_heartbeat)"


class DynamoLocks(AppTable, Locks):
    """The locks of one app, one item per environment: `pk` is `lock#<environment>`, `sk` is `lock`; no `token` if free.

    Args:
        aws: clients of the account.
        app: the app's name.
        environ: the environment variables of this process, which its child processes inherit.
        former_names: as in `AppTable`.
    """

    def __init__(
        self,
        aws: Aws,
        *,
        app: str,
        environ: MutableMapping[str, str],
        former_names: Mapping[str, tuple[str, ...]] = NO_FORMER_NAMES,
    ) -> None:
        super().__init__(aws, app=app, former_names=former_names)
        self._environ = environ

    def get(self, environment: str) -> Lock | None:
        """Return the current lock of an environment, or None; a consistent read."""
        with self._table_errors(f"read the lock of {environment}"):
            item = self._read_item(self._key(environment))
        return self._parse_lock(item) if _is_locked(item) else None

    def get_many(self, environments: Iterable[str]) -> dict[str, Lock]:
        """Return the current locks of some environments, by environment; consistent reads, 100 per request."""
        with self._table_errors("read the locks"):
            items = list(self._read_items(map(self._key, environments)))
        return {lock.environment: lock for lock in map(self._parse_lock, filter(_is_locked, items))}

    def acquire(self, lock: Lock, *, replacing: Lock | None = None) -> Lock:
        """Acquire a lock that is free or unchanged since `replacing` was read; return the lock now in place.

        DynamoDB evaluates the condition and writes in one step, so only one of several runs takes a lock over.
        """
        self._require_writable()
        update, dynamodb = self._acquisition(lock, replacing), self._dynamodb
        with self._table_errors(f"acquire the lock of {lock.environment}"):
            try:
                response = dynamodb.update_item(**update, ReturnValues="UPDATED_NEW")
            except dynamodb.exceptions.ConditionalCheckFailedException as error:
                return self._parse_lock(old_item(error))  # our own, if the response to an earlier attempt was lost
        return evolve(lock, fence=int(response["Attributes"]["fence"]["N"]))

    def acquire_together(self, locks: Sequence[Lock]) -> dict[str, Lock]:
        """Acquire several free locks in one transaction, or none; a second request reads the locks and their fences."""
        self._require_writable()
        acquisitions: list[TransactWriteItemTypeDef] = [{"Update": self._acquisition(lock)} for lock in locks]
        with self._table_errors(f"acquire the locks of {len(locks)} environments"):
            write_transaction(self._dynamodb, acquisitions)
        return self.get_many(lock.environment for lock in locks)

    def renew(self, lock: Lock, *, expires: datetime) -> bool:
        """Count a heartbeat and extend the lease; return False if the lock is no longer ours."""
        with self._table_errors(f"renew the lock of {lock.environment}"):
            return self._update_if_owned(self._renewal(lock, expires))

    def renew_together(self, locks: Sequence[Lock], *, expires: datetime) -> bool:
        """Renew several locks in one transaction; a heartbeat that is counted twice is one heartbeat more."""
        renewals: list[TransactWriteItemTypeDef] = [{"Update": self._renewal(lock, expires)} for lock in locks]
        with self._table_errors(f"renew the locks of {len(locks)} environments"):
            return not write_transaction(self._dynamodb, renewals)

    def release(self, lock: Lock) -> bool:
        """Release a lock; return False, and change nothing, if the lock is no longer ours."""
        with self._table_errors(f"release the lock of {lock.environment}"):
            return self._update_if_owned(self._release(lock))

    def release_together(self, locks: Sequence[Lock]) -> bool:
        """Release several locks in one transaction; release none, and return False, if one is no longer ours."""
        releases: list[TransactWriteItemTypeDef] = [{"Update": self._release(lock)} for lock in locks]
        with self._table_errors(f"release the locks of {len(locks)} environments"):
            return not write_transaction(self._dynamodb, releases)

    def _acquisition(self, lock: Lock, replacing: Lock | None = None) -> UpdateTypeDef:
        values = {f":{name}": value for name, value in _owner_attributes(lock).items()}
        assignments = ", ".join(f"#{name[1:]} = {name}" for name in values)
        removal = " REMOVE #expires" if lock.is_manual else ""
        condition, seen_values = _if_unchanged(replacing) if replacing else ("", {})
        return {
            "TableName": self.table_name,
            "Key": self._key(lock.environment),
            "UpdateExpression": f"SET {assignments}{removal} ADD #fence :one",
            "ConditionExpression": f"{IF_FREE} OR ({condition})" if condition else IF_FREE,
            "ExpressionAttributeNames": _name_placeholders(*OWNER_ATTRIBUTES, "fence"),
            "ExpressionAttributeValues": {**values, **seen_values, ":one": {"N": "1"}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _release(self, lock: Lock) -> UpdateTypeDef:
        expression = "REMOVE " + ", ".join(f"#{name}" for name in OWNER_ATTRIBUTES)
        return self._owners_update(lock, expression, *OWNER_ATTRIBUTES)

    def _renewal(self, lock: Lock, expires: datetime) -> UpdateTypeDef:
        values: Item = {":expires": {"S": sortable_timestamp(expires)}, ":one": {"N": "1"}}
        expression = "SET #expires = :expires ADD #heartbeat :one"
        return self._owners_update(lock, expression, "token", "expires", "heartbeat", values=values)

    def _owners_update(self, lock: Lock, expression: str, *names: str, values: Item | None = None) -> UpdateTypeDef:
        return {
            "TableName": self.table_name,
            "Key": self._key(lock.environment),
            "UpdateExpression": expression,
            "ConditionExpression": IF_OWNED,
            "ExpressionAttributeNames": _name_placeholders(*names),
            "ExpressionAttributeValues": {":token": {"S": lock.token}, **(values or {})},
        }

    def _update_if_owned(self, update: UpdateTypeDef) -> bool:
        dynamodb = self._dynamodb
        try:
            dynamodb.update_item(**update)
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

    def _key(self, environment: str) -> Item:
        return {"pk": {"S": f"{KEY_PREFIX}{self._stored_name(environment)}"}, "sk": {"S": "lock"}}

    def _parse_lock(self, item: Item) -> Lock:
        """Return the lock in an item; those of earlier versions have neither lease nor heartbeat."""
        return Lock(
            environment=self._current_name(item["pk"]["S"].removeprefix(KEY_PREFIX)),
            since=parse_time(item, "since") or UNKNOWN_TIME,
            expires=parse_time(item, "expires"),
            lease=parse_float(item, "lease") or LEASE_SECONDS,
            heartbeat=int(parse_float(item, "heartbeat")),
            fence=int(parse_float(item, "fence")),
            **{name: parse_text(item, name) for name in TEXT_ATTRIBUTES},
        )


def _name_placeholders(*names: str) -> dict[str, str]:
    """Return a placeholder for each attribute name, since several names are reserved words of DynamoDB."""
    return {f"#{name}": name for name in names}


def _owner_attributes(lock: Lock) -> dict[str, AttributeValueTypeDef]:
    counts: dict[str, AttributeValueTypeDef] = {"lease": {"N": f"{lock.lease:g}"}, "heartbeat": {"N": "0"}}
    return attributes(lock, *TEXT_AND_TIME_ATTRIBUTES) | counts


def _if_unchanged(seen: Lock) -> tuple[str, Item]:
    """Return a condition on the stored lock, that it is exactly the one that was read, and the condition's values."""
    values = attributes(seen, "token", "expires")
    values["fence"] = {"N": str(seen.fence)}
    equations = [f"#{name} = :seen_{name}" for name in values]
    values["heartbeat"] = {"N": str(seen.heartbeat)}
    equations.append("#heartbeat = :seen_heartbeat" if seen.heartbeat else IF_NO_HEARTBEAT)
    return " AND ".join(equations), {f":seen_{name}": value for name, value in values.items()}


def _is_locked(item: Item) -> bool:
    return "token" in item
