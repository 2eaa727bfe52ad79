"""Creates what is missing in the account, after showing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.tasks.boundary import YES, command

if TYPE_CHECKING:
    from invoke.context import Context


@command(help={"yes": YES})
def setup(c: Context, yes: bool = False) -> None:
    """Create the ledger's table when it is missing, after showing it."""
    from kaizen_tasks.tasks import asking
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    account = tools.identity.account()
    table = tools.ledger.table
    if tools.ledger.exists():
        tools.reporter.note(f"already done: the table {table} exists in {account}, {tools.settings.aws.region}")
        return
    tools.reporter.heading(f"create the DynamoDB table {table} in {account}, {tools.settings.aws.region}")
    tools.reporter.note("  on demand, with point-in-time recovery; it holds the ledger of all environments")
    if tools.dry:
        return
    asking.agree("create it", yes=yes)
    tools.ledger.create()
    tools.reporter.note(f"created {table}")
