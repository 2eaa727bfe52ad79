"""The account in memory keeps the contract."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.aws_account import LedgerTable
from kaizen_tasks.domain.tag_mutability import TagMutability
from tests.contracts.account import REPOSITORY, AccountAdminContract
from tests.fakes.account import FakeAccountAdmin


class TestFake(AccountAdminContract):
    @pytest.fixture
    def account(self) -> FakeAccountAdmin:
        return FakeAccountAdmin(
            table_state=LedgerTable(name="kaizen-web", exists=False, point_in_time_recovery=False),
            rules={REPOSITORY: TagMutability(mutability="MUTABLE")},
            is_mounting_blobs=False,
        )
