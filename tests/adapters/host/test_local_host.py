"""What this machine would build with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.adapters.host.local_host import LocalHost
from kaizen_tasks.errors import Refused
from tests.fakes.tools import settings

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.ports.types import Engine

pytestmark = pytest.mark.integration


def _docker(folder: Path, *, buildx: int) -> None:
    """Put a docker on the path that answers, with buildx or without."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n[ $1 = buildx ] && exit {buildx}\necho 20.10.24\n", encoding="utf-8")
    program.chmod(0o755)


def _engine(name: str) -> Engine:
    return LocalHost(evolve(settings().build, engine=name)).build_engine()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are found."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_finds_a_docker_that_has_everything(programs: Path) -> None:
    """`auto` finds it, and it lacks nothing."""
    _docker(programs, buildx=0)

    assert (_engine("auto").name, _engine("auto").warning) == ("docker", "")


def test_misses_buildx(programs: Path) -> None:
    """Docker works without it, though not as it should; the remedy is named."""
    _docker(programs, buildx=1)

    found = _engine("docker")

    assert "no buildx" in found.warning
    assert "buildx" in found.fix


@pytest.mark.usefixtures("programs")
def test_finds_no_engine() -> None:
    """An empty machine has none."""
    with pytest.raises(Refused, match="no container engine"):
        _engine("auto")


@pytest.mark.usefixtures("programs")
def test_says_what_a_bundle_is() -> None:
    """It needs no engine, and is no image of the Dockerfile."""
    assert "ignore the Dockerfile" in _engine("bundle").warning
