"""Promoting an image of 120 MB to a registry of another account, compared with skopeo; and the memory that it takes.

Whole processes are measured, between two of `docker-registry` on loopback: Python's start and imports, the login, and
the copy. Each round has an image of its own, since skopeo remembers which repository of a registry has a layer.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from benchmarks.cross_copy_process import SOURCE
from benchmarks.images import LAYER_MEGABYTES
from benchmarks.promote_process import PASSWORD_VARIABLE
from benchmarks.results import Kind, NotMeasured, count
from benchmarks.timing import Contestant, compare, compile_modules, measure
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.transport import StaticCredentials
from tests.support import oci_images
from tests.support.docker_registry import PASSWORD, USERNAME, DockerRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.results import Row

ROUNDS = 5
MAX_RATIO = 1.3
MAX_MEGABYTES = 150
OURS, SKOPEO = "ours", "skopeo"
SKOPEO_COPY = """
skopeo copy --quiet --preserve-digests --src-tls-verify=false --dest-tls-verify=false \
    docker://{origin}/{source}:$(cat version) docker://{target}/$(cat repository):$(cat version)
"""


@frozen
class Registries:
    """Two registries, of which the first has an image for each round.

    Attributes:
        folder: for all files.
        origin: has the images.
        target: gets them.
    """

    folder: Path
    origin: DockerRegistry
    target: DockerRegistry

    @property
    def environ(self) -> dict[str, str]:
        """The credentials of both contestants, and a cache of its own for skopeo."""
        return {
            "REGISTRY_AUTH_FILE": str(self.folder / "auth.json"),
            PASSWORD_VARIABLE: PASSWORD,
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "PYTHONDONTWRITEBYTECODE": "",
        }

    def commands(self) -> dict[str, tuple[str, ...]]:
        """Return the command of each contestant."""
        script = Path(__file__).with_name("cross_copy_process.py")
        loop = SKOPEO_COPY.format(origin=self.origin.host, target=self.target.host, source=SOURCE)
        return {
            OURS: (sys.executable, str(script), self.origin.login.url, self.target.login.url, USERNAME),
            SKOPEO: ("sh", "-c", loop),
        }

    def push_images(self) -> dict[str, str]:
        """Push an image for each round; return their digests by version."""
        client, digests = _client(self.origin), {}
        for number in range(ROUNDS + 1):
            layers = tuple(os.urandom(megabytes * 1_000_000) for megabytes in LAYER_MEGABYTES)
            version = f"v1.2.{number}"
            digests[version] = oci_images.image(version, layers=layers).push(client, SOURCE, version).digest
        return digests

    def log_in(self) -> None:
        """Write the credentials for skopeo."""
        secret = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        auths = {server.host: {"auth": secret} for server in (self.origin, self.target)}
        (self.folder / "auth.json").write_text(json.dumps({"auths": auths}))

    def create_folders(self, name: str, versions: list[str]) -> tuple[Path, ...]:
        """Return a folder for each round, which says what to copy where."""
        folders = []
        for version in versions:
            folder = self.folder / f"{name}-{version}"
            folder.mkdir()
            (folder / "version").write_text(version)
            (folder / "repository").write_text(f"{name}/{version}")
            folders.append(folder)
        return tuple(folders)


def results() -> Iterator[Row]:
    """Measure time and memory."""
    missing = [program for program in ("skopeo", "docker-registry") if shutil.which(program) is None]
    if missing:
        yield NotMeasured("promotion to another account", f"needs {', '.join(missing)}")
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = [DockerRegistry(_create_folder(folder / name)) for name in ("origin", "target")]
        yield from _measure(Registries(folder, *map(stack.enter_context, servers)))


def _create_folder(path: Path) -> Path:
    path.mkdir()
    return path


def _measure(registries: Registries) -> Iterator[Row]:
    compile_modules()
    registries.log_in()
    digests = registries.push_images()
    contestants = {
        name: Contestant(name=name, argv=argv, folders=registries.create_folders(name, [*digests]))
        for name, argv in registries.commands().items()
    }
    costs = measure(tuple(contestants.values()), rounds=ROUNDS, environ=registries.environ)
    for name in contestants:
        _require_images(registries, name, digests)
    work = f"promotion of {sum(LAYER_MEGABYTES)} MB to another account"
    yield compare(work, costs, of=OURS, to=[SKOPEO], kind=Kind.PEER, goal=MAX_RATIO, rounds=ROUNDS)
    peak = max(int((folder / "peak").read_text()) for folder in contestants[OURS].folders)
    yield count(work, "peak memory", peak / 1000, goal=MAX_MEGABYTES, unit="MB")


def _require_images(registries: Registries, name: str, digests: dict[str, str]) -> None:
    """Check that a contestant did the whole job; otherwise its time means nothing."""
    client = _client(registries.target)
    for version, digest in digests.items():
        if client.resolve_digest(f"{name}/{version}", version) != digest:
            raise RuntimeError(f"{name}/{version} is not {digest}")


def _client(server: DockerRegistry) -> OciClient:
    return OciClient(StaticCredentials(server.login), clock=SystemClock())
