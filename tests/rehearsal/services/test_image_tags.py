"""The tags of the app's images on this machine."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.rehearsal.services.image_tags import preserve_image_tags

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

ENGINE = """#!/bin/sh
echo "$@" >> {log}
case "$*" in *--format*) cat {images} ;; esac
"""


@pytest.mark.parametrize(
    ("engine", "changes"),
    [
        ("docker", ["image rm web:v2", "image tag sha256:1 web:v1", "image rm sha256:9"]),
        ("podman", ["image rm web:v2", "image tag sha256:1 web:v1", "image rm sha256:9"]),
        ("buildah", ["rmi web:v2", "tag sha256:1 web:v1", "rmi sha256:9"]),
    ],
)
def test_tags_are_moved_back_and_new_ones_removed_even_after_an_interrupt(
    engine: str, changes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, images, program = tmp_path / "log", tmp_path / "images", tmp_path / engine
    program.write_text(ENGINE.format(log=log, images=images))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    images.write_text("web:v1 sha256:1\nweb:v0 sha256:0\nweb:<none> sha256:5\n")

    with suppress(KeyboardInterrupt), preserve_image_tags(engine, "web"):
        images.write_text("web:v2 sha256:2\nweb:v1 sha256:9\nweb:v0 sha256:0\nweb:<none> sha256:6\n")
        raise KeyboardInterrupt

    assert [line for line in log.read_text().splitlines() if "--format" not in line] == changes


def test_a_bundle_runs_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with preserve_image_tags("bundle", "web"):
        pass
