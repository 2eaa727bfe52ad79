"""Promoting an image of 120 MB to 5 and to 50 repositories, compared with a script, with skopeo and the floor.

Whole processes are measured, on one `docker-registry` on loopback: Python's start and imports, the login, and
`Registry.copy` for every repository, ten in parallel; without boto3, ledger and deployments, which the others lack.
Every round has new repositories. The script sets two tags in each, `:vX.Y.Z` and `:latest`, and so do we when compared
with it; skopeo sets `:vX.Y.Z` alone, and so do we when compared with that. The floor, `mount_process.py`, is a minimal
client that sends the mounts and the manifest alone.
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
from benchmarks.results import Kind, NotMeasured, Number, count
from benchmarks.timing import Contestant, compare, compile_modules, measure, run
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
SCRIPT, SKOPEO, FLOOR, OURS, OURS_TWO_TAGS = "the script", "skopeo", "the mounts alone", "ours", "ours with :latest"
GOALS = {FEW: {SCRIPT: 0.35, SKOPEO: 0.5, FLOOR: 1.3}, MANY: {SCRIPT: 0.15, SKOPEO: 0.2, FLOOR: 1.3}}
MAX_BYTES = 20_000
MAX_REQUESTS = len(images.LAYER_MEGABYTES) + 5
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

    def floor(self) -> tuple[str, ...]:
        """Return the command of the minimal client."""
        script = Path(__file__).with_name("mount_process.py")
        return (sys.executable, str(script), self.server.login.url, USERNAME, SOURCE, VERSION)

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
    yield from _traffic(registry)
    for size in (FEW, MANY):
        yield from _race(registry, size)


def _traffic(registry: StagedRegistry) -> Iterator[Result]:
    """Count the requests and the bytes that are sent for each of many repositories."""
    work = f"promotion to {MANY} repositories, {len(images.LAYER_MEGABYTES)} layers of 120 MB"
    environ = {**os.environ, **registry.environ}
    with Relay(registry.server.port) as relay:
        commands = {OURS: registry.ours(VERSION, port=relay.port), FLOOR: registry.floor()}
        requests = {}
        for name, command in {**commands, SKOPEO: registry.loop(SKOPEO_LOOP)}.items():
            (folder,) = registry.create_folders(f"traffic of {name}", MANY, 1)
            run(command, folder, environ)
            requests[name] = registry.server.count_requests(f"/v2/{folder.name}/") / MANY
            registry.require_tags(folder, VERSION)
    beside = [Number(name, requests[name]) for name in (FLOOR, SKOPEO)]
    yield count(work, "requests for each", requests[OURS], goal=MAX_REQUESTS, beside=beside)
    yield count(work, "bytes sent for each", relay.sent / MANY, goal=MAX_BYTES)


def _race(registry: StagedRegistry, size: int) -> Iterator[Result]:
    rounds = ROUNDS[size]
    commands = {
        SCRIPT: (registry.loop(LOOP), (VERSION, LATEST)),
        OURS_TWO_TAGS: (registry.ours(VERSION, LATEST), (VERSION, LATEST)),
        SKOPEO: (registry.loop(SKOPEO_LOOP), (VERSION,)),
        FLOOR: (registry.floor(), (VERSION,)),
        OURS: (registry.ours(VERSION), (VERSION,)),
    }
    contestants = {
        name: Contestant(name=name, argv=argv, folders=registry.create_folders(name, size, rounds + 1))
        for name, (argv, _) in commands.items()
    }
    costs = measure(tuple(contestants.values()), rounds=rounds, environ=registry.environ)
    for name, (_, tags) in commands.items():
        registry.require_tags(contestants[name].folders[-1], *tags)
    for ours, other, kind in ((OURS_TWO_TAGS, SCRIPT, Kind.PEER), (OURS, SKOPEO, Kind.PEER), (OURS, FLOOR, Kind.FLOOR)):
        yield compare(
            f"promotion to {size} repositories",
            costs, of=ours, to=[other], kind=kind, goal=GOALS[size][other], rounds=rounds,
        )  # fmt: skip
