"""Which engine would build an image here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.build.select import detect_engine
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
    return detect_engine(settings().build._replace(engine=name))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_auto_finds_docker_with_buildx_without_a_warning(programs: Path) -> None:
    _docker(programs, buildx=0)

    assert (_engine("auto").name, _engine("auto").warning) == ("docker", "")


def test_docker_without_buildx_has_a_warning_and_a_fix(programs: Path) -> None:
    _docker(programs, buildx=1)

    engine = _engine("docker")

    assert "without buildx" in engine.warning
    assert engine.fix.startswith("install buildx: ")


@pytest.mark.usefixtures("programs")
def test_machine_without_an_engine_is_refused() -> None:
    with pytest.raises(Refused, match="no container engine"):
        _engine("auto")


@pytest.mark.usefixtures("programs")
def test_bundle_needs_no_engine_and_has_a_warning() -> None:
    assert "ignore the Dockerfile" in _engine("bundle").warning
