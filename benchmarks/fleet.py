"""An app with many environments, released to the first of them, in a local cloud of its own.

The app is as small as a program that reports its version can be, so that our tasks are measured and not a hundred apps
on the machine of the cloud: importing `socket` alone would double the time that it takes to start.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from benchmarks import libraries
from benchmarks.timing import inv_path, run
from kaizen_tasks.adapters.aws.apprunner import list_services
from kaizen_tasks.rehearsal.example import create_example_repo
from tests.support.local_cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.timing import Cost

APP = """\
import _socket, _thread, os

version = open("VERSION").read().strip()
body = b'{"version": "v%s", "environment": "%s"}' % (version.encode(), os.environ["ENVIRONMENT"].encode())
response = b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body)


def answer(descriptor):
    client = _socket.socket(fileno=descriptor)
    if client.recv(4096):
        client.sendall(response)
    client.close()


listener = _socket.socket()
listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(os.environ["PORT"])))
listener.listen(64)
while True:
    _thread.start_new_thread(answer, listener._accept()[:1])
"""
CONFIGURATION = """\
app = "fleet"
pipeline = ["staging", "tenants"]

[aws]
region = "eu-west-1"
account = "123456789012"

[build]
engine = "bundle"
command = ["python", "-I", "-S", "app.py"]

[environments.staging]
{environments}
[groups]
tenants = {names}

[verify]
matches = 1

[rollout]
canary = {canary}
parallel = {parallel}
"""
CHANGELOG = """\
# Changelog

## [Unreleased]

### Added

- Something that tenants had asked for

## [0.1.0] - 2026-01-01

### Added

- Everything
"""
FILES = {
    "VERSION": "0.1.0\n",
    "CHANGELOG.md": CHANGELOG,
    "Dockerfile": "FROM scratch\n",
    "app.py": APP,
    "tasks.py": libraries.CONFIGURATIONS["tasks.py"],
}


@frozen(kw_only=True)
class Fleet:
    """The app's clone, and its local cloud.

    Attributes:
        clone: the app's repository.
        environ: all variables of commands.
        cloud: the local cloud.
        program: path of our `inv`.
    """

    clone: Path
    environ: Mapping[str, str]
    cloud: Cloud
    program: str

    def inv(self, *words: str) -> str:
        """Run `inv …`, and return its output; see `timing.run`."""
        return run([self.program, *words], self.clone, self.environ)[0]

    def measure(self, *words: str) -> Cost:
        """Run `inv …`, and return what it cost; see `timing.run`."""
        return run([self.program, *words], self.clone, self.environ)[1]

    def release(self, text: str) -> Cost:
        """Commit a change and release it to staging; return what the release cost."""
        self.inv("changelog.add", "--type", "fixed", "--text", text)
        subprocess.run(("git", "commit", "--quiet", "--all", "--message", text), cwd=self.clone, check=True)
        return self.measure("release-staging")

    def delay(self, seconds: float) -> None:
        """Delay every further API response of the local cloud."""
        fault = {"do": {"latency": seconds}, "times": 100_000}
        self.cloud.call_control("POST", "faults", fault)

    def service_urls(self) -> list[str]:
        """Return the URL of each service."""
        services = list_services(self.cloud.client("apprunner"))
        return [f"http://{service['ServiceUrl']}" for service in services]

    def status(self) -> dict[str, Any]:
        """Return the status of each environment from `status --json`."""
        environments: dict[str, Any] = json.loads(self.inv("status", "--json"))["environments"]
        return environments


@contextmanager
def released_fleet(folder: Path, *, size: int, canary: int, parallel: int, deploy_seconds: float) -> Iterator[Fleet]:
    """Create the app, its local cloud and everything in it, and release the app to staging.

    Args:
        folder: an empty one.
        size: number of environments besides staging, all in the group `tenants`.
        canary: see `rollout.canary`.
        parallel: see `rollout.parallel`.
        deploy_seconds: minimum duration of a deployment.
    """
    clone = _create_clone(folder, size=size, canary=canary, parallel=parallel)
    with Cloud(folder / "cloud", "--deploy-seconds", str(deploy_seconds)) as cloud:
        environ = {
            **cloud.environ,
            **libraries.ENVIRON,
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "",
        }
        fleet = Fleet(clone=clone, environ=environ, cloud=cloud, program=inv_path())
        fleet.inv("local.up", "--state", str(folder / "cloud"))
        fleet.inv("release-staging")
        yield fleet


def tenant_names(size: int) -> list[str]:
    """Return the names of the environments besides staging."""
    return [f"tenant{number:03}" for number in range(size)]


def _create_clone(folder: Path, *, size: int, canary: int, parallel: int) -> Path:
    names = tenant_names(size)
    environments = "".join(f"[environments.{name}]\n" for name in names)
    configuration = CONFIGURATION.format(environments=environments, names=names, canary=canary, parallel=parallel)
    app = folder / "app"
    app.mkdir()
    for name, content in {**FILES, "kaizen.toml": configuration}.items():
        (app / name).write_text(content, encoding="utf-8")
    return create_example_repo(folder, app)[0]
