"""Images by buildah, and the same options for podman."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.build.buildah import BUILDAH, PODMAN, BuildahBuilder, BuildahFlavor, build_argv, push_argv
from kaizen_tasks.adapters.build.container_engine import build_options
from kaizen_tasks.domain.image import LocalImage
from kaizen_tasks.errors import BuildFailed
from tests.contracts.builder import (
    DOCKERFILE,
    RULES,
    BuilderContract,
    DistributionShelf,
    recipe,
    require,
    write_context,
)
from tests.support.docker_registry import DockerRegistry, docker_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.image import BuildSpec
    from kaizen_tasks.ports.images import Builder

pytestmark = pytest.mark.integration

BOOM = 'RUN ["/bin/busybox", "sh", "-c", "echo boom; exit 3"]\n'
IMAGE = LocalImage(name="app:v1.2.3", id="abc")


@pytest.mark.docker
class TestContract(BuilderContract):
    """Buildah as a builder."""

    @pytest.fixture
    def builder(self) -> Builder:
        """The installed buildah."""
        require("buildah")
        return BuildahBuilder(rules=RULES)

    @pytest.fixture
    def recipe(self) -> Iterator[BuildSpec]:
        """A build spec whose images are removed afterwards."""
        made = recipe()
        yield made
        mine = ["buildah", "images", "--quiet", "--filter", f"label=org.opencontainers.image.source={made.source}"]
        for image in subprocess.run(mine, check=True, capture_output=True, text=True).stdout.split():
            subprocess.run(["buildah", "rmi", image], check=True, capture_output=True)

    @pytest.fixture
    def shelf(self, tmp_path: Path) -> Iterator[DistributionShelf]:
        """Debian's docker-registry."""
        if docker_registry() is None:
            pytest.skip("docker-registry is not installed")
        (tmp_path / "registry").mkdir()
        with DockerRegistry(tmp_path / "registry") as registry:
            yield DistributionShelf(login=registry.login)

    def test_build_uses_the_docker_format(
        self, builder: Builder, shelf: DistributionShelf, recipe: BuildSpec, context: Path
    ) -> None:
        image = builder.build(recipe, context)
        builder.push(image, repository_uri=f"{shelf.login.host}/app", tag="v1.2.3", login=shelf.login)

        manifest = shelf.manifest("app", "v1.2.3")
        assert manifest is not None
        assert manifest["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"

    def test_failed_build_quotes_its_last_line(self, builder: Builder, recipe: BuildSpec, tmp_path: Path) -> None:
        context = write_context(tmp_path / "failing", DOCKERFILE + BOOM)

        with pytest.raises(BuildFailed) as failure:
            builder.build(recipe, context)

        assert "boom" in str(failure.value)
        assert len(str(failure.value).splitlines()) <= 3

    def test_push_hides_the_password(
        self,
        builder: Builder,
        shelf: DistributionShelf,
        recipe: BuildSpec,
        context: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        shim = tmp_path / "shim" / "buildah"
        shim.parent.mkdir()
        shim.write_text(
            f'#!/bin/sh\necho "$@" >>"{tmp_path}/argv"; env >>"{tmp_path}/argv"\nexec {shutil.which("buildah")} "$@"\n'
        )
        shim.chmod(0o755)
        monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        image = builder.build(recipe, context)
        builder.push(image, repository_uri=f"{shelf.login.host}/app", tag="v1.2.3", login=shelf.login)

        noted = (tmp_path / "argv").read_text()
        authfile = re.search(r"--authfile (\S+)", noted)
        assert authfile is not None
        assert shelf.login.password.reveal() not in noted
        assert not Path(authfile[1]).parent.exists()
        assert not list((tmp_path / "home").rglob("auth.json"))


def _fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, refusal: str) -> None:
    """Put a buildah on PATH that cannot run anything but in a chroot."""
    script = tmp_path / "buildah"
    script.write_text(
        f'#!/bin/sh\necho "$@" >>"{tmp_path}/argv"\n'
        f'case "$*" in *"--isolation chroot"*) exit 0;; build*) echo "{refusal}" >&2; exit 1;; esac\n'
        f"echo abc linux/amd64 {recipe().revision}\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def test_build_falls_back_to_chroot_isolation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake(tmp_path, monkeypatch, refusal="runc create failed: devices.deny: operation not permitted")

    assert BuildahBuilder(rules=RULES).build(recipe(), tmp_path).id == "abc"
    assert (tmp_path / "argv").read_text().count("--isolation chroot") == 1


def test_does_not_try_a_chroot_for_another_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake(tmp_path, monkeypatch, refusal="pip: no such package")

    with pytest.raises(BuildFailed, match="pip: no such package"):
        BuildahBuilder(rules=RULES).build(recipe(), tmp_path)
    assert "--isolation" not in (tmp_path / "argv").read_text()


@pytest.mark.parametrize("dialect", [BUILDAH, PODMAN])
def test_tls_is_disabled_only_for_insecure_registries(dialect: BuildahFlavor, tmp_path: Path) -> None:
    target, authfile = "127.0.0.1:5000/app:v1.2.3", tmp_path / "config.json"
    plain = push_argv(dialect, IMAGE, target=target, authfile=authfile, insecure=True)
    secure = push_argv(dialect, IMAGE, target=target, authfile=authfile, insecure=False)

    assert "--tls-verify=false" in plain
    assert not any(word.startswith("--tls") for word in secure)
    assert plain[0] == secure[0] == dialect.program


def test_podman_gets_the_options_of_buildah() -> None:
    def said(dialect: BuildahFlavor) -> list[str]:
        push = push_argv(dialect, IMAGE, target="h/app:v1", authfile=Path("login"), insecure=True)
        return [*build_argv(dialect, "--isolation", "chroot"), *push]

    assert [word.replace("podman", "buildah") for word in said(PODMAN)] == said(BUILDAH)


@pytest.mark.skipif(shutil.which("buildah") is None, reason="buildah is not installed")
@pytest.mark.parametrize("verb", ["build", "push"])
def test_every_option_is_one_that_buildah_knows(verb: str, tmp_path: Path) -> None:
    argv = {
        "build": [
            *build_argv(BUILDAH, "--isolation", "chroot"),
            *build_options(recipe(), RULES, tmp_path),
        ],
        "push": push_argv(BUILDAH, IMAGE, target="h/app:v1", authfile=tmp_path, insecure=True),
    }
    used = {word.partition("=")[0] for word in argv[verb] if word.startswith("--")}
    listed = subprocess.run(["buildah", verb, "--help"], check=True, capture_output=True, text=True).stdout

    assert used
    assert used <= set(re.findall(r"--[\w-]+", listed))
