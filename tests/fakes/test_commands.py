"""The fake that runs commands keeps a port's promises."""

from __future__ import annotations

import pytest
from attrs import field, frozen

from kaizen_tasks.domain.environment import Environment
from tests.contracts.commands import CommandsContract
from tests.fakes.commands import FakeCommands
from tests.fakes.tools import settings


@frozen
class FakeDesk:
    commands: FakeCommands
    environment: Environment = field(factory=lambda: settings().environments["prod"])
    image: str = "registry.example/web@sha256:1"


class TestContract(CommandsContract):
    @pytest.fixture
    def desk(self) -> FakeDesk:
        commands = FakeCommands(exit_codes={"fail": 3}, outputs={"print": ("one", "two")})
        return FakeDesk(commands)

    @pytest.fixture(autouse=True)
    def _endless(self, desk: FakeDesk) -> None:
        """Let commands that wait run on."""

        def keep_running(_: object) -> None:
            for fake in desk.commands.started.values():
                if fake.words == ("wait",):
                    fake.polls_left = 1_000_000

        desk.commands.on_started = keep_running
