"""Locks as items of the app's DynamoDB table, taken and renewed by conditional writes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from attrs import evolve

from kaizen_tasks.adapters.aws.dynamodb_table import AppTable, sortable
from kaizen_tasks.domain import lock as locks
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.ports.state import Locks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping

    from botocore.exceptions import ClientError
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from kaizen_tasks.adapters.aws.session import Aws

    Item = Mapping[str, AttributeValueTypeDef]

VARIABLE = "KAIZEN_LOCK"
"""The environment variable in which a run passes its locks on."""

PREFIX = "lock#"
TEXTS = ("token", "actor", "command", "reason", "process")
OWNER = (*TEXTS, "since", "expires")
"""What is cleared when a lock is given back; the fence stays, so that it only ever grows."""

FREE = "attribute_not_exists(#token)"
OURS = "#token = :token"
SEEN = "#token = :seen_token AND #fence = :seen_fence"
RUN_OUT = f"{SEEN} AND #expires <= :since"
"""The expiry is compared here, as DynamoDB deletes what has expired days late if at all, and the token and the fence so
that only the lease that was looked at is taken over; https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/
TTL.html."""


class DynamoLocks(AppTable, Locks):
    """One item an environment: `pk` is `lock#<environment>`, `sk` is `lock`; without a `token` it is free.

    Args:
        aws: whose table.
        app: the app's name.
        environ: the environment variables of this run, which the programs that it starts inherit.
    """

    def __init__(self, aws: Aws, *, app: str, environ: MutableMapping[str, str]) -> None:
        super().__init__(aws, app=app)
        self._environ = environ

    def find(self, environment: str) -> Lock | None:
        """Return the lock that stands, read consistently."""
        with self._about(f"read the lock of {environment}"):
            found = self._dynamodb.get_item(TableName=self.table, Key=_key(environment), ConsistentRead=True)
        return _lock(found.get("Item", {}))

    def all_of(self, environments: Iterable[str]) -> dict[str, Lock]:
        """Return the locks of several environments, read consistently, a hundred with one question."""
        with self._about("read the locks"):
            found = [_lock(item) for item in self._items(map(_key, environments))]
        return {each.environment: each for each in found if each is not None}

    def take(self, wanted: Lock, *, over: Lock | None = None) -> Lock:
        """Take the lock when it is free, its lease had run out by `wanted.since`, or it is the one to take over."""
        standing = self._write(wanted, over=over, condition=SEEN) if over else None
        while standing is None or (standing.token != wanted.token and standing.expired(wanted.since)):
            standing = self._write(wanted, over=standing)
        return standing

    def _write(self, wanted: Lock, *, over: Lock | None, condition: str = RUN_OUT) -> Lock | None:
        """Write a lock where none is, or over another one on a condition; return what stands when that is not so."""
        values = {f":{name}": value for name, value in _values(wanted).items()}
        assigned = ", ".join(f"#{name[1:]} = {name}" for name in values)
        removed = " REMOVE #expires" if wanted.manual else ""
        if over is not None:
            values |= {":seen_token": {"S": over.token}, ":seen_fence": {"N": str(over.fence)}}
        dynamodb = self._dynamodb
        with self._about(f"take the lock of {wanted.environment}"):
            try:
                answer = dynamodb.update_item(
                    TableName=self.table,
                    Key=_key(wanted.environment),
                    UpdateExpression=f"SET {assigned}{removed} ADD #fence :one",
                    ConditionExpression=condition if over else FREE,
                    ExpressionAttributeNames=_names(*OWNER, "fence"),
                    ExpressionAttributeValues={**values, ":one": {"N": "1"}},
                    ReturnValues="UPDATED_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except dynamodb.exceptions.ConditionalCheckFailedException as error:
                return _lock(_present(error))  # ours, when the answer to an earlier attempt was lost
        return evolve(wanted, fence=int(answer["Attributes"]["fence"]["N"]))

    def renew(self, lock: Lock, *, expires: datetime) -> bool:
        """Move the end of a lease; return whether the lock is still the same."""
        dynamodb = self._dynamodb
        with self._about(f"renew the lock of {lock.environment}"):
            try:
                dynamodb.update_item(
                    TableName=self.table,
                    Key=_key(lock.environment),
                    UpdateExpression="SET #expires = :expires",
                    ConditionExpression=OURS,
                    ExpressionAttributeNames=_names("token", "expires"),
                    ExpressionAttributeValues={":token": {"S": lock.token}, ":expires": {"S": sortable(expires)}},
                )
            except dynamodb.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def release(self, lock: Lock) -> bool:
        """Give a lock back; return whether it still was the same, else nothing is changed."""
        dynamodb = self._dynamodb
        with self._about(f"release the lock of {lock.environment}"):
            try:
                dynamodb.update_item(
                    TableName=self.table,
                    Key=_key(lock.environment),
                    UpdateExpression="REMOVE " + ", ".join(f"#{name}" for name in OWNER),
                    ConditionExpression=OURS,
                    ExpressionAttributeNames=_names(*OWNER),
                    ExpressionAttributeValues={":token": {"S": lock.token}},
                )
            except dynamodb.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def inherited(self) -> dict[str, str]:
        """Return what `KAIZEN_LOCK` says."""
        return locks.read(self._environ.get(VARIABLE, ""))

    def pass_on(self, tokens: Mapping[str, str]) -> None:
        """Set `KAIZEN_LOCK`, or take it away."""
        self._environ.pop(VARIABLE, None)
        if tokens:
            self._environ[VARIABLE] = locks.written(tokens)


def _key(environment: str) -> Item:
    return {"pk": {"S": f"{PREFIX}{environment}"}, "sk": {"S": "lock"}}


def _names(*names: str) -> dict[str, str]:
    """Write attributes as expressions need them: several of these names are reserved words."""
    return {f"#{name}": name for name in names}


def _values(lock: Lock) -> dict[str, AttributeValueTypeDef]:
    values: dict[str, AttributeValueTypeDef] = {name: {"S": getattr(lock, name)} for name in TEXTS}
    values["since"] = {"S": sortable(lock.since)}
    if lock.expires is not None:
        values["expires"] = {"S": sortable(lock.expires)}
    return values


def _present(error: ClientError) -> Item:
    """Return the item that did not meet a condition; the type stubs do not know that the error carries it."""
    return cast("Item", cast("Mapping[str, object]", error.response)["Item"])


def _lock(item: Item) -> Lock | None:
    if "token" not in item:
        return None
    return Lock(
        environment=item["pk"]["S"].removeprefix(PREFIX),
        since=datetime.fromisoformat(item["since"]["S"]),
        expires=datetime.fromisoformat(item["expires"]["S"]) if "expires" in item else None,
        fence=int(item["fence"]["N"]),
        **{name: item[name]["S"] for name in TEXTS},
    )
