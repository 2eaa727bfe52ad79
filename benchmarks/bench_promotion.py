"""Promoting an image of 120 MB to 5 and to 50 repositories, against the shell script and against skopeo.

What is measured are whole processes on one `docker-registry` on loopback: Python's start and imports, logging in, and
`Registry.copy` for every repository as the step Copy calls it, ten at a time; no boto3, no ledger and no deployment, as
the others do none of that. Every round has repositories that do not exist yet. The script's loop sets two tags in each,
`:vX.Y.Z` and `:latest`, and so do we beside it; skopeo copies `:vX.Y.Z` once for each, and so do we beside that.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from benchmarks import images
from benchmarks.promoting import PASSWORD as VARIABLE
from benchmarks.timing import Contestant, Result, compared, compile_ours, medians, report
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.transport import StaticCredentials
from tests.support.docker_registry import PASSWORD, USERNAME, DockerRegistry
from tests.support.tcp_relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGE = "kaizen-benchmark:v1.2.3"
SOURCE, VERSION, LATEST = "staging", "v1.2.3", "latest"
FEW, MANY = 5, 50
ROUNDS = {FEW: 9, MANY: 3}
SCRIPT, SKOPEO, OURS, OURS_TWO_TAGS = "the script", "skopeo", "ours", "ours with :latest"
TARGETS = {FEW: {SCRIPT: 0.35, SKOPEO: 0.6}, MANY: {SCRIPT: 0.15, SKOPEO: 0.25}}
BYTES = 20_000
LOOP = """
for repository in $(cat repositories); do
    for tag in {version} {latest}; do
        docker tag {image} {host}/$repository:$tag && docker push --quiet {host}/$repository:$tag || exit 1
    done
done
"""
SKOPEO_LOOP = """
for repository in $(cat repositories); do
    skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false \
        docker://{host}/{source}:{version} docker://{host}/$repository:{version} || exit 1
done
"""


def main() -> int:
    """Print the ratios; fail when one misses its target."""
    with tempfile.TemporaryDirectory() as folder, _stocked(Path(folder)) as scene:
        return report(_results(scene))


@frozen
class Scene:
    """A registry whose staging repository holds the image.

    Attributes:
        folder: for everything.
        registry: it runs.
    """

    folder: Path
    registry: DockerRegistry

    @property
    def environ(self) -> dict[str, str]:
        """What logs everybody in."""
        config = self.folder / "docker"
        return {
            "DOCKER_CONFIG": str(config),
            "REGISTRY_AUTH_FILE": str(config / "config.json"),
            VARIABLE: PASSWORD,
            "PYTHONDONTWRITEBYTECODE": "",
        }

    def ours(self, *tags: str, port: int = 0) -> tuple[str, ...]:
        """Return our command."""
        url = f"http://127.0.0.1:{port or self.registry.port}"
        script = Path(__file__).with_name("promoting.py")
        return (sys.executable, str(script), url, USERNAME, SOURCE, *tags)

    def loop(self, text: str) -> tuple[str, ...]:
        """Return a shell's command."""
        words = {"host": self.registry.host, "image": IMAGE, "source": SOURCE, "version": VERSION, "latest": LATEST}
        return ("sh", "-c", text.format(**words))

    def folders(self, name: str, size: int, number: int) -> tuple[Path, ...]:
        """Return folders that name fresh repositories, and nothing else."""
        made = []
        for each in range(number):
            prefix = f"{name.replace(' ', '-').replace(':', '')}-{size}-{each}"
            folder = self.folder / prefix
            folder.mkdir()
            (folder / "repositories").write_text("".join(f"{prefix}/tenant-{tenant}\n" for tenant in range(size)))
            made.append(folder)
        return tuple(made)

    def demand(self, folder: Path, *tags: str) -> None:
        """Demand that a contestant has done the whole job: otherwise its time says nothing."""
        client = OciClient(StaticCredentials(self.registry.login), clock=SystemClock())
        digest = client.resolve_digest(SOURCE, VERSION)
        for repository in (folder / "repositories").read_text().split():
            for tag in tags:
                if client.resolve_digest(repository, tag) != digest:
                    raise RuntimeError(f"{repository}:{tag} is not {digest}")


@contextmanager
def _stocked(folder: Path) -> Iterator[Scene]:
    with DockerRegistry(folder) as registry:
        scene = Scene(folder, registry)
        _log_in(folder / "docker", registry.host)
        try:
            images.load(folder, IMAGE)
            staging = f"{registry.host}/{SOURCE}:{VERSION}"
            subprocess.run(["docker", "tag", IMAGE, staging], check=True)
            subprocess.run(
                ["docker", "push", "--quiet", staging],
                env={**os.environ, **scene.environ}, stdout=subprocess.DEVNULL, check=True,
            )  # fmt: skip
            yield scene
        finally:
            images.forget(IMAGE, f"{registry.host}/*", f"{registry.host}/*/*")


def _log_in(folder: Path, host: str) -> None:
    folder.mkdir()
    secret = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": secret}}}))


def _results(scene: Scene) -> Iterator[Result]:
    compile_ours()
    yield _weighed(scene)
    for size in (FEW, MANY):
        yield from _raced(scene, size)


def _weighed(scene: Scene) -> Result:
    """Count what is sent for each of many repositories."""
    (folder,) = scene.folders("weighed", MANY, 1)
    with Relay(scene.registry.port) as relay:
        command = scene.ours(VERSION, port=relay.port)
        environ = {**os.environ, **scene.environ}
        subprocess.run(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, check=True)
    scene.demand(folder, VERSION)
    each = relay.sent / MANY
    return Result(
        what=f"bytes sent for each repository, times {BYTES:,}",
        ratio=each / BYTES,
        target=1.0,
        numbers=f"{each:,.0f} bytes on the wire; {MANY} repositories, {len(images.LAYERS)} layers of 120 MB",
    )


def _raced(scene: Scene, size: int) -> Iterator[Result]:
    rounds = ROUNDS[size]
    commands = {
        SCRIPT: (scene.loop(LOOP), (VERSION, LATEST)),
        OURS_TWO_TAGS: (scene.ours(VERSION, LATEST), (VERSION, LATEST)),
        SKOPEO: (scene.loop(SKOPEO_LOOP), (VERSION,)),
        OURS: (scene.ours(VERSION), (VERSION,)),
    }
    contestants = {
        name: Contestant(name=name, argv=argv, folders=scene.folders(name, size, rounds + 1))
        for name, (argv, _) in commands.items()
    }
    taken = medians(tuple(contestants.values()), rounds=rounds, environ=scene.environ)
    for name, (_, tags) in commands.items():
        scene.demand(contestants[name].folders[-1], *tags)
    for ours, other in ((OURS_TWO_TAGS, SCRIPT), (OURS, SKOPEO)):
        yield compared(
            f"promotion to {size} repositories, times {other}",
            {name: taken[name] for name in (ours, other)},
            of=ours, to=[other], target=TARGETS[size][other], rounds=rounds,
        )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
