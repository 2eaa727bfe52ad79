"""Locks an environment by hand, as somebody else does: `python -m tests.errors.lock_by_hand APP ENVIRONMENT`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from attrs import evolve

from kaizen_tasks.adapters.aws.dynamodb.locks import DynamoLocks
from kaizen_tasks.adapters.aws.session import Aws
from tests.contracts.locks import by_hand
from tests.support.local_cloud import ACCOUNT, REGION

if __name__ == "__main__":
    app, environment = sys.argv[1:]
    locks = DynamoLocks(Aws(region=REGION, profile="", account=ACCOUNT), app=app, environ={})
    lock = evolve(by_hand("another"), environment=environment, since=datetime.now(UTC))
    locks.acquire(lock)
