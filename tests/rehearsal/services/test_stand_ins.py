"""When stand-in images take the place of those that cannot be built."""

from __future__ import annotations

import io
import platform
import sys
from typing import TYPE_CHECKING

import pytest
from semver import Version

from kaizen_tasks.adapters.build import emulation
from kaizen_tasks.domain.build.failure import UNAVAILABLE_HINT
from kaizen_tasks.errors import BuildFailed
from kaizen_tasks.ports.host import Engine
from kaizen_tasks.rehearsal.services import provision, stand_ins
from kaizen_tasks.wiring import Toolbox
from tests.fakes.tools import settings

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.errors import KaizenError

FIRST = Version(0, 0, 0)
OUT_OF_REACH = BuildFailed("docker could not build web:v0.0.0: no such host", hint=UNAVAILABLE_HINT)
BROKEN = BuildFailed("docker could not build web:v0.0.0: unknown instruction", hint="correct the Dockerfile")


class Machine:
    """A machine whose engine fails.

    Attributes:
        engines: what was provisioned with, in order.
        output: what was said.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failure: KaizenError | None) -> None:
        self.engines: list[str] = []
        self.output = io.StringIO()
        self._failure = failure
        monkeypatch.setattr(provision, "provision", self._provision)

    def _provision(self, tools: Toolbox, version: Version) -> None:
        assert version == FIRST
        self.engines.append(tools.settings.build.engine)
        if self._failure and tools.settings.build.engine != "stand-in":
            raise self._failure

    def run(self, reason: str = "") -> str:
        """Provision, and return why with stand-ins."""
        tools = Toolbox(settings(), dry=False, draft=False, stream=self.output)
        return stand_ins.provision_with_stand_ins(tools, FIRST, reason=reason, stream=self.output)


@pytest.mark.parametrize(
    ("failure", "known", "engines", "reason"),
    [
        (None, "", ["auto"], ""),
        (OUT_OF_REACH, "", ["auto", "stand-in"], OUT_OF_REACH.message),
        (None, "no container engine works here", ["stand-in"], "no container engine works here"),
    ],
    ids=["an image that can be built", "a base image out of reach", "an obstacle that is known"],
)
def test_services_start_from_stand_ins_where_the_image_cannot_be_built(
    monkeypatch: pytest.MonkeyPatch, failure: KaizenError | None, known: str, engines: list[str], reason: str
) -> None:
    machine = Machine(monkeypatch, failure)

    assert machine.run(known) == reason
    assert machine.engines == engines
    said = f"going on with stand-in images, which only answer: {reason}\n"
    assert machine.output.getvalue() == (said if reason else "")


def test_a_broken_dockerfile_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, BROKEN)

    with pytest.raises(BuildFailed, match="unknown instruction"):
        machine.run()

    assert machine.engines == ["auto"]


@pytest.mark.parametrize(
    ("engine", "image_platform", "interpreters", "obstacle"),
    [
        ("docker", "linux/amd64", (), ""),
        ("docker", "linux/arm64", ("register", "qemu-arm"), "this machine cannot run images for linux/arm64"),
        ("docker", "linux/arm64", ("register", "qemu-aarch64"), ""),
        ("bundle", "linux/arm64", (), ""),
    ],
    ids=["its own processor", "another processor", "emulation", "an image of this machine's programs"],
)
def test_images_of_another_processor_are_an_obstacle_where_nothing_emulates_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    image_platform: str,
    interpreters: tuple[str, ...],
    obstacle: str,
) -> None:
    for name in interpreters:
        (tmp_path / name).touch()
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(emulation, "INTERPRETERS", tmp_path)
    monkeypatch.setattr(stand_ins, "examine_engine", lambda _rules, _root: Engine(name=engine))

    assert stand_ins.find_obstacle(settings(build={"engine": engine, "platform": image_platform})) == obstacle


def test_an_engine_beside_linux_emulates_other_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(sys, "platform", "darwin")

    assert emulation.runs_images_for("linux/amd64")
