"""Paths, addresses and variables of an image, for a process of this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kaizen_tasks.localcloud.instances import host_config
from kaizen_tasks.localcloud.instances.rootfs import PlatformImage


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An unpacked image."""
    for name in ("app/static", "usr/local/bin"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "app" / "main.py").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/app/main.py", "{root}/app/main.py"),
        ("--chdir=/app", "--chdir={root}/app"),
        ("cd /app && python /app/main.py", "cd {root}/app && python {root}/app/main.py"),
        ("/app/static:/app/missing:/bin/sh", "{root}/app/static:/app/missing:/bin/sh"),
        ("https://example.com/app", "https://example.com/app"),
        ("./app ~/app ${HOME}/app a/app", "./app ~/app ${HOME}/app a/app"),
        ("/", "/"),
        ("/../app", "/../app"),
    ],
)
def test_paths_of_the_image_become_those_of_this_machine(root: Path, text: str, expected: str) -> None:
    assert host_config.on_this_machine(text, root) == expected.replace("{root}", str(root))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--port=8000", "--port=5"),
        ("0.0.0.0:8000", "127.0.0.1:5"),
        ("http://+:8000/", "http://+:5/"),
        ("18000 8000.5 80001", "18000 8000.5 80001"),
        ("10.0.0.0", "10.0.0.0"),
    ],
)
def test_address_is_on_loopback_with_the_programs_own_port(text: str, expected: str) -> None:
    assert host_config.with_address(text, 8000, 5) == expected


def test_variables_are_those_of_the_image_and_the_inherited_ones(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/machine")
    monkeypatch.setenv("VIRTUAL_ENV", "/venv")
    monkeypatch.setenv("OTHER", "of this machine")
    image = PlatformImage(
        digest="sha256:0",
        layers=(),
        entrypoint=(),
        command=(),
        environment={"BIND": "0.0.0.0:80", "DATA": "/app", "PATH": "/app/static:/missing:/usr/bin"},
        working_directory="/",
        labels={"dev.kaizen.inherit": "PATH,VIRTUAL_ENV,MISSING"},
    )

    found = host_config.variables(image, root, image_port=80, port=5)

    path = found.pop("PATH").split(os.pathsep)
    assert found == {"BIND": "127.0.0.1:5", "DATA": f"{root}/app", "VIRTUAL_ENV": "/venv"}
    assert path[:3] == [f"{root}/app/static", "/machine", str(Path(sys.executable).parent)]
