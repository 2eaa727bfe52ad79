"""The fake builder keeps a builder's promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import define

from kaizen_tasks.ports.images import Login
from kaizen_tasks.ports.secrets import Secret
from tests.contracts.builder import BuilderContract
from tests.fakes.builder import FakeBuilder

if TYPE_CHECKING:
    from kaizen_tasks.ports.images import Builder


@define(kw_only=True)
class FakeShelf:
    """The registry inside a fake builder."""

    builder: FakeBuilder
    login: Login

    def labels(self, repository: str, tag: str) -> dict[str, str] | None:
        """Return the labels of an image, or None when there is no such image."""
        pushed = self.builder.pushed_specs.get(f"{self.login.host}/{repository}:{tag}")
        return pushed.labels if pushed else None


class TestContract(BuilderContract):
    """The fake as a builder."""

    @pytest.fixture
    def builder(self) -> Builder:
        """A fake whose registry takes one password."""
        return FakeBuilder(password="let-me-in")

    @pytest.fixture
    def shelf(self, builder: FakeBuilder) -> FakeShelf:
        """Its registry."""
        login = Login(url="http://127.0.0.1:5000", username="AWS", password=Secret("let-me-in"))
        return FakeShelf(builder=builder, login=login)
