"""A run in a process of its own: holds staging, and changes something whenever it is told to by a line on stdin."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.dynamodb.locks import DynamoLocks
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.cli import command
from kaizen_tasks.errors import Locked
from kaizen_tasks.flows.locking import lease as leases
from kaizen_tasks.flows.locking.session import acquire_locks
from tests.fakes.tools import FakeTools

if TYPE_CHECKING:
    from kaizen_tasks.flows.locking.guard import LockGuard


def main(app: str, lease: str, *nested: str) -> int:
    """Hold staging for as long as there are lines; end as a task would.

    Args:
        app: whose table.
        lease: seconds.
        nested: a word for a run inside this one, which does the same.
    """
    leases.RENEWALS_PER_LEASE = max(leases.RENEWALS_PER_LEASE, round(2 * float(lease)))  # renew every half second
    aws = Aws(region=os.environ["AWS_REGION"], profile="", account="")
    tools = FakeTools(
        clock=SystemClock(),  # type: ignore[arg-type]  # a clock that goes on by itself
        locks=DynamoLocks(aws, app=app, environ=os.environ),  # type: ignore[arg-type]  # locks that others see
        actor="holder@workshop",
    )
    try:
        with (
            command._signals_as_interrupts(),
            acquire_locks(["staging"], tools, command="deploy", lease=float(lease)) as fence,
        ):
            return _inside(app, lease) if nested else _work(fence)
    except Locked as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _inside(app: str, lease: str) -> int:
    return subprocess.run([sys.executable, "-m", "tests.adapters.aws.holder", app, lease], check=False).returncode


def _work(fence: LockGuard) -> int:
    say("holds")
    for _ in sys.stdin:
        fence.require_lease("staging")
        say("changes")
    return 0


def say(text: str) -> None:
    """Write a line to the parent process."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
