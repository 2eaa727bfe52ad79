"""The account in memory keeps the contract."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.aws_account import Table
from kaizen_tasks.domain.tag_mutability import TagRules
from tests.contracts.account import REPOSITORY, AccountContract
from tests.fakes.account import FakeAccount


class TestFake(AccountContract):
    @pytest.fixture
    def account(self) -> FakeAccount:
        return FakeAccount(
            ledger=Table(name="kaizen-web", exists=False, recoverable=False),
            rules={REPOSITORY: TagRules(mutability="MUTABLE")},
            mounting=False,
        )
