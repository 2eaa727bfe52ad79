"""The fake of Secrets is one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.contracts.secrets import NAME, SecretsContract
from tests.fakes.secrets import FakeSecrets


class TestFake(SecretsContract):
    @pytest.fixture
    def secrets(self) -> FakeSecrets:
        made = FakeSecrets()
        made.create(NAME, "{}", version="1", at=datetime.now(UTC))
        return made
