"""Promoting an image of 120 MB to 5 and to 50 repositories, compared with a shell script and with skopeo.

Whole processes are measured, on one `docker-registry` on loopback: Python's start and imports, the login, and
`Registry.copy` for every repository, ten in parallel; without boto3, ledger and deployments, which the others lack.
Every round has new repositories. The script sets two tags in each, `:vX.Y.Z` and `:latest`, and so do we when compared
with it; skopeo sets `:vX.Y.Z` alone, and so do we when compared with that.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from benchmarks import images
from benchmarks.promote_process import PASSWORD_VARIABLE
from benchmarks.results import Kind, NotMeasured, count
from benchmarks.timing import Contestant, compare, compile_modules, measure
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.transport import StaticCredentials
from tests.support.docker_registry import PASSWORD, USERNAME, DockerRegistry
from tests.support.tcp_relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.results import Result, Row

IMAGE = "kaizen-benchmark:v1.2.3"
SOURCE, VERSION, LATEST = "staging", "v1.2.3", "latest"
FEW, MANY = 5, 50
ROUNDS = {FEW: 9, MANY: 3}
SCRIPT, SKOPEO, OURS, OURS_TWO_TAGS = "the script", "skopeo", "ours", "ours with :latest"
GOALS = {FEW: {SCRIPT: 0.35, SKOPEO: 0.6}, MANY: {SCRIPT: 0.15, SKOPEO: 0.25}}
MAX_BYTES = 20_000
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


def results() -> Iterator[Row]:
    """Measure traffic, and time against the peers."""
    if missing := missing_requirements():
        yield NotMeasured("promotion", f"needs {missing}")
        return
    with tempfile.TemporaryDirectory() as folder, staged_registry(Path(folder)) as staging:
        yield from _results(staging)


def missing_requirements() -> str:
    """Return what this machine lacks, or an empty text."""
    programs = [program for program in ("docker", "skopeo", "docker-registry") if shutil.which(program) is None]
    if programs:
        return f"the programs {', '.join(programs)}"
    is_running = subprocess.run(["docker", "version"], capture_output=True, check=False).returncode == 0
    return "" if is_running else "a running Docker engine"


@frozen
class StagedRegistry:
    """A registry whose staging repository holds the image.

    Attributes:
        folder: for all files.
        server: a running registry.
    """

    folder: Path
    server: DockerRegistry

    @property
    def environ(self) -> dict[str, str]:
        """The credentials of every contestant."""
        config = self.folder / "docker"
        return {
            "DOCKER_CONFIG": str(config),
            "REGISTRY_AUTH_FILE": str(config / "config.json"),
            PASSWORD_VARIABLE: PASSWORD,
            "PYTHONDONTWRITEBYTECODE": "",
        }

    def ours(self, *tags: str, port: int = 0) -> tuple[str, ...]:
        """Return the command of our copy."""
        url = f"http://127.0.0.1:{port or self.server.port}"
        script = Path(__file__).with_name("promote_process.py")
        return (sys.executable, str(script), url, USERNAME, SOURCE, *tags)

    def loop(self, text: str) -> tuple[str, ...]:
        """Return the command of a shell loop."""
        words = {"host": self.server.host, "image": IMAGE, "source": SOURCE, "version": VERSION, "latest": LATEST}
        return ("sh", "-c", text.format(**words))

    def create_folders(self, name: str, size: int, count: int) -> tuple[Path, ...]:
        """Return folders, each with a list of new repositories."""
        folders = []
        for number in range(count):
            prefix = f"{name.replace(' ', '-').replace(':', '')}-{size}-{number}"
            folder = self.folder / prefix
            folder.mkdir()
            (folder / "repositories").write_text("".join(f"{prefix}/tenant-{tenant}\n" for tenant in range(size)))
            folders.append(folder)
        return tuple(folders)

    def require_tags(self, folder: Path, *tags: str) -> None:
        """Check that a contestant did the whole job; otherwise its time means nothing."""
        client = OciClient(StaticCredentials(self.server.login), clock=SystemClock())
        digest = client.resolve_digest(SOURCE, VERSION)
        for repository in (folder / "repositories").read_text().split():
            for tag in tags:
                if client.resolve_digest(repository, tag) != digest:
                    raise RuntimeError(f"{repository}:{tag} is not {digest}")


@contextmanager
def staged_registry(folder: Path) -> Iterator[StagedRegistry]:
    """Run a registry with the image in its staging repository."""
    with DockerRegistry(folder) as server:
        registry = StagedRegistry(folder, server)
        log_in(folder / "docker", server.host)
        try:
            images.load(folder, IMAGE)
            staging = f"{server.host}/{SOURCE}:{VERSION}"
            subprocess.run(["docker", "tag", IMAGE, staging], check=True)
            subprocess.run(
                ["docker", "push", "--quiet", staging],
                env={**os.environ, **registry.environ}, stdout=subprocess.DEVNULL, check=True,
            )  # fmt: skip
            yield registry
        finally:
            images.remove(IMAGE, f"{server.host}/*", f"{server.host}/*/*")


def log_in(folder: Path, host: str) -> None:
    """Write the credentials of a registry to a configuration of Docker."""
    folder.mkdir()
    secret = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": secret}}}))


def _results(registry: StagedRegistry) -> Iterator[Result]:
    compile_modules()
    yield _traffic(registry)
    for size in (FEW, MANY):
        yield from _race(registry, size)


def _traffic(registry: StagedRegistry) -> Result:
    """Count the bytes that are sent for each of many repositories."""
    (folder,) = registry.create_folders("traffic", MANY, 1)
    with Relay(registry.server.port) as relay:
        command = registry.ours(VERSION, port=relay.port)
        environ = {**os.environ, **registry.environ}
        subprocess.run(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, check=True)
    registry.require_tags(folder, VERSION)
    mean_bytes = relay.sent / MANY
    work = f"promotion to {MANY} repositories, {len(images.LAYER_MEGABYTES)} layers of 120 MB"
    return count(work, "bytes sent for each", mean_bytes, goal=MAX_BYTES)


def _race(registry: StagedRegistry, size: int) -> Iterator[Result]:
    rounds = ROUNDS[size]
    commands = {
        SCRIPT: (registry.loop(LOOP), (VERSION, LATEST)),
        OURS_TWO_TAGS: (registry.ours(VERSION, LATEST), (VERSION, LATEST)),
        SKOPEO: (registry.loop(SKOPEO_LOOP), (VERSION,)),
        OURS: (registry.ours(VERSION), (VERSION,)),
    }
    contestants = {
        name: Contestant(name=name, argv=argv, folders=registry.create_folders(name, size, rounds + 1))
        for name, (argv, _) in commands.items()
    }
    costs = measure(tuple(contestants.values()), rounds=rounds, environ=registry.environ)
    for name, (_, tags) in commands.items():
        registry.require_tags(contestants[name].folders[-1], *tags)
    for ours, other in ((OURS_TWO_TAGS, SCRIPT), (OURS, SKOPEO)):
        yield compare(
            f"promotion to {size} repositories",
            costs, of=ours, to=[other], kind=Kind.PEER, goal=GOALS[size][other], rounds=rounds,
        )  # fmt: skip
