"""The fake forge does what every forge must."""

from __future__ import annotations

import pytest
from attrs import frozen

from tests.contracts.forge import ForgeContract
from tests.fakes.forge import FakeForge


@frozen
class FakeSite:
    """The fake."""

    forge: FakeForge

    @property
    def latest(self) -> str:
        return self.forge.latest


class TestFakeForge(ForgeContract):
    @pytest.fixture
    def site(self) -> FakeSite:
        return FakeSite(FakeForge())
