"""A messenger with secrets in memory, and targets for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.adapters.notify.messenger import TargetMessenger
from tests.fakes.clock import START, FakeClock
from tests.fakes.secrets import FakeSecrets

if TYPE_CHECKING:
    from kaizen_tasks.ports.clock import Clock


def secrets_with(**contents: str) -> FakeSecrets:
    """Return secrets by name; underscores stand for slashes."""
    secrets = FakeSecrets()
    for name, content in contents.items():
        secrets.create(name.replace("_", "/"), content, version="1", at=START)
    return secrets


def messenger_with(*, clock: Clock | None = None, is_local: bool = True, **contents: str) -> TargetMessenger:
    """Return a messenger that reads its secrets from memory; receivers on this machine are allowed unless asked."""
    secrets, network = secrets_with(**contents), NetworkSettings()
    return TargetMessenger(lambda: secrets, network=lambda: network, clock=clock or FakeClock(), is_local=is_local)
