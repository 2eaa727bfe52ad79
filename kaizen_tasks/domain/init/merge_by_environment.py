"""Everything that a proposal is made from."""

from __future__ import annotations

from attrs import frozen

from kaizen_tasks.domain.init.detect.from_account import AccountScan
from kaizen_tasks.domain.init.evidence import Facts
from kaizen_tasks.domain.init.repo_scan import RepoScan


@frozen(kw_only=True)
class ScanResult:
    """What was found, and where.

    Attributes:
        repo_scan: the app's folder.
        facts: what its files and account show.
        account_scan: the account itself, when it was asked.
    """

    repo_scan: RepoScan
    facts: Facts
    account_scan: AccountScan | None = None
