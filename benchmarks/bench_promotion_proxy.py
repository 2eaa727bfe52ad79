"""Promoting the image of `bench_promotion` through a proxy with a password, over TLS, compared with skopeo.

The registry has a host name that only the proxy knows, and a certificate that SSL_CERT_FILE makes both trust.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bench_promotion import (
    FEW,
    GOALS,
    MANY,
    OURS,
    ROUNDS,
    SKOPEO,
    SOURCE,
    VERSION,
    log_in,
    missing_requirements,
    staged_registry,
)
from benchmarks.promote_process import PASSWORD_VARIABLE
from benchmarks.results import Kind, NotMeasured
from benchmarks.timing import Contestant, compare, compile_modules, measure
from tests.support.certificates import create_authority
from tests.support.connect_proxy import ConnectProxy
from tests.support.docker_registry import PASSWORD, USERNAME, DockerRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.results import Result, Row

HOST = "registry.example"
LOOP = """
for repository in $(cat repositories); do
    skopeo copy --quiet docker://{host}/{source}:{version} docker://{host}/$repository:{version} || exit 1
done
"""


def results() -> Iterator[Row]:
    """Measure against skopeo."""
    if missing := missing_requirements():
        yield NotMeasured("promotion through a proxy", f"needs {missing}")
        return
    with tempfile.TemporaryDirectory() as folder, _office(Path(folder)) as environ:
        yield from _results(Path(folder), environ)


@contextmanager
def _office(folder: Path) -> Iterator[Mapping[str, str]]:
    """Run a registry behind a proxy, with the image in its staging repository; yield the variables of clients."""
    authority = create_authority(folder, HOST)
    (folder / "tls").mkdir()
    (folder / "plain").mkdir()
    with (
        DockerRegistry(folder / "tls", certificate=folder / "signed.pem") as server,
        ConnectProxy({f"{HOST}:443": server.port}) as proxy,
    ):
        log_in(folder / "docker", HOST)
        environ = {
            "HTTPS_PROXY": proxy.url,
            "SSL_CERT_FILE": str(authority.bundle),
            "AWS_CA_BUNDLE": "",
            "REQUESTS_CA_BUNDLE": "",
            "CURL_CA_BUNDLE": "",
            "REGISTRY_AUTH_FILE": str(folder / "docker" / "config.json"),
            PASSWORD_VARIABLE: PASSWORD,
        }
        with staged_registry(folder / "plain") as staging:
            plain = f"docker://{staging.server.host}/{SOURCE}:{VERSION}"
            credentials = f"--src-creds={USERNAME}:{PASSWORD}"
            target = f"docker://{HOST}/{SOURCE}:{VERSION}"
            command = ("skopeo", "copy", "--quiet", "--src-tls-verify=false", credentials, plain, target)
            subprocess.run(command, env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environ}, check=True)
        yield environ


def _results(folder: Path, environ: Mapping[str, str]) -> Iterator[Result]:
    compile_modules()
    script = Path(__file__).with_name("promote_process.py")
    commands = {
        SKOPEO: ("sh", "-c", LOOP.format(host=HOST, source=SOURCE, version=VERSION)),
        OURS: (sys.executable, str(script), f"https://{HOST}", USERNAME, SOURCE, VERSION),
    }
    for size in (FEW, MANY):
        contestants = tuple(
            Contestant(name=name, argv=argv, folders=_folders(folder, name, size)) for name, argv in commands.items()
        )
        costs = measure(contestants, rounds=ROUNDS[size], environ=environ)
        _require_copies(folder, contestants)
        yield compare(
            f"promotion through a proxy to {size} repositories",
            costs, of=OURS, to=[SKOPEO], kind=Kind.PEER, goal=GOALS[size][SKOPEO], rounds=ROUNDS[size],
        )  # fmt: skip


def _require_copies(folder: Path, contestants: tuple[Contestant, ...]) -> None:
    """Check that every contestant has tagged each of its repositories; otherwise its time means nothing."""
    storage = folder / "tls" / "storage" / "docker" / "registry" / "v2" / "repositories"
    for contestant in contestants:
        for repository in (contestant.folders[-1] / "repositories").read_text().split():
            if not (storage / repository / "_manifests" / "tags" / VERSION).is_dir():
                raise RuntimeError(f"{contestant.name} has not copied the image to {repository}")


def _folders(folder: Path, name: str, size: int) -> tuple[Path, ...]:
    """Return a folder for each round, each with a list of new repositories."""
    folders = []
    for number in range(ROUNDS[size] + 1):
        prefix = f"{name}-{size}-{number}"
        (folder / prefix).mkdir()
        names = "".join(f"{prefix}/tenant-{tenant}\n" for tenant in range(size))
        (folder / prefix / "repositories").write_text(names)
        folders.append(folder / prefix)
    return tuple(folders)
