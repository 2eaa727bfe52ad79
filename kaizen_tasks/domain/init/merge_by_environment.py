"""Everything that a proposal is made from."""

from __future__ import annotations

from attrs import frozen

from kaizen_tasks.domain.init.detect.from_account import Found
from kaizen_tasks.domain.init.evidence import Traces
from kaizen_tasks.domain.init.repo_scan import Premises


@frozen(kw_only=True)
class Evidence:
    """What was found, and where.

    Attributes:
        premises: the app's folder.
        traces: what its files and account show.
        account: the account itself, when it was asked.
    """

    premises: Premises
    traces: Traces
    account: Found | None = None
