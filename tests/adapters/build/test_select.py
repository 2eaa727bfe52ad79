"""Selecting the container engine of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.build.select import detect_engine, select_builder
from kaizen_tasks.errors import Refused
from tests.contracts.builder import RULES
from tests.fakes.tools import settings

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.ports.host import Engine

pytestmark = pytest.mark.integration


def _install(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def _install_docker(folder: Path, *, buildx_exit_code: int) -> None:
    _install(folder, "docker", f"[ $1 = buildx ] && exit {buildx_exit_code}\necho 20.10.24")


def _engine(name: str) -> Engine:
    return detect_engine(settings().build._replace(engine=name))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_auto_finds_docker_with_buildx_without_a_warning(programs: Path) -> None:
    _install_docker(programs, buildx_exit_code=0)

    assert (_engine("auto").name, _engine("auto").warning) == ("docker", "")


def test_docker_without_buildx_has_a_warning_and_a_fix(programs: Path) -> None:
    _install_docker(programs, buildx_exit_code=1)

    engine = _engine("docker")

    assert "without buildx" in engine.warning
    assert engine.fix.startswith("install buildx: ")


@pytest.mark.usefixtures("programs")
def test_machine_without_an_engine_is_refused() -> None:
    with pytest.raises(Refused, match="no container engine"):
        _engine("auto")


@pytest.mark.usefixtures("programs")
def test_bundle_needs_no_engine_and_has_a_warning() -> None:
    assert "without base image" in _engine("bundle").warning


def test_auto_takes_the_first_engine_that_works(programs: Path) -> None:
    _install(programs, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    _install(programs, "buildah", "echo overlay")

    assert select_builder(RULES, store=programs).name == "buildah"


def test_auto_skips_a_docker_that_prints_nothing(programs: Path) -> None:
    _install(programs, "docker", "exit 0")
    _install(programs, "podman", "echo 5.4.0")

    assert select_builder(RULES, store=programs).name == "podman"


def test_auto_never_selects_bundle(programs: Path) -> None:
    with pytest.raises(Refused) as failure:
        select_builder(RULES, store=programs)

    assert "docker is not installed" in failure.value.message
    assert 'build.engine = "bundle"' in failure.value.hint
    assert len(str(failure.value).splitlines()) <= 3


def test_configured_bundle_is_selected(programs: Path) -> None:
    assert select_builder(RULES._replace(engine="bundle"), store=programs).name == "bundle"


@pytest.mark.parametrize("engine", ["docker", "podman", "buildah"])
def test_configured_engine_is_selected_when_it_works(programs: Path, engine: str) -> None:
    _install(programs, engine, "echo 1.0")

    assert select_builder(RULES._replace(engine=engine), store=programs).name == engine


def test_a_named_engine_that_does_not_work_is_refused_with_its_reason(programs: Path) -> None:
    _install(programs, "docker", "echo 20.10.24")
    _install(programs, "podman", "echo 'cannot set up namespace' >&2; exit 125")

    with pytest.raises(Refused) as failure:
        select_builder(RULES._replace(engine="podman"), store=programs)

    assert "podman info" in failure.value.message
    assert "cannot set up namespace" in failure.value.message
