"""A small app with a stage of each kind, the local cloud that it is released to, and the commands typed there."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from attrs import evolve, field, frozen

from kaizen_tasks.rehearsal.cloud import Cloud
from tests.crash.cloud_fork_server import kill_cloud
from tests.crash.library import Library, user_environ
from tests.support import git_repository
from tests.support.waiting import HANG_SECONDS
from tests.support.workspace import COMMAND_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.crash.cloud_fork_server import CloudForkServer
    from tests.support.git_repository import Repository

APP = b"""\
import json, os, socket

said = json.dumps({"version": os.environ["APP_VERSION"], "environment": os.environ["ENVIRONMENT"]}).encode()
served = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    asked, _ = served.accept()
    if asked.recv(4096):
        asked.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Type: application/json\\r\\n\\r\\n" + said)
    asked.close()
"""
KAIZEN_TOML = b"""\
app = "web"
pipeline = ["staging", "prod", "beta"]

[aws]
region = "eu-west-1"
account = "123456789012"

[build]
engine = "bundle"
command = ["python", "-S", "-E", "web.py"]

[environments.staging]
[environments.prod]
protected = true
[environments.mark]
[environments.shane]
[environments.dom]

[groups]
beta = ["mark", "shane", "dom"]

[verify]
matches = 2
interval = "10ms"
timeout = "20s"
"""
CHANGELOG = b"""\
# Changelog

## [Unreleased]

### Added

- A start

## [0.1.0] - 2026-01-01

### Added

- Nothing yet
"""
FILES: Mapping[str, bytes] = {
    "VERSION": b"0.1.0\n",
    "CHANGELOG.md": CHANGELOG,
    "kaizen.toml": KAIZEN_TOML,
    "tasks.py": b'from kaizen_tasks import namespace\n\n__all__ = ["namespace"]\n',
    "web.py": APP,
}
TARGET_PREFIXES = {
    "ecr": "AmazonEC2ContainerRegistry_V20150921",
    "apprunner": "AppRunner",
    "dynamodb": "DynamoDB_20120810",
}


@frozen(kw_only=True)
class TeamSandbox:
    """Everything that one team has, in one folder that can be copied while its cloud does not run.

    Attributes:
        folder: that holds all of it.
        library: the clone, and the commands that are typed in it.
        cloud: the local cloud while it runs.
    """

    folder: Path
    library: Library
    cloud: Cloud | None = field(default=None)

    @property
    def state(self) -> Path:
        """The local cloud's folder."""
        return self.folder / "cloud"

    @property
    def repository(self) -> Repository:
        """The clone."""
        return self.library.repository

    @property
    def endpoint(self) -> str:
        """Where the running cloud answers."""
        assert self.cloud is not None
        return self.cloud.endpoint_url

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What the cloud was asked, oldest first."""
        lines = (self.state / "requests.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def start_cloud(self, fork_server: CloudForkServer, *options: str) -> TeamSandbox:
        """Return it with its cloud running, and commands that are pointed there."""
        cloud = fork_server.start(self.state, *options)
        library = evolve(self.library, environ={**self.library.environ, **cloud.environ})
        return evolve(self, cloud=cloud, library=library)

    def destroy(self) -> None:
        """End its cloud, and take it away."""
        if self.cloud is not None:
            kill_cloud(self.cloud)
        shutil.rmtree(self.folder, ignore_errors=True)  # an app that is being killed may still write

    def copy_to(self, folder: Path) -> TeamSandbox:
        """Return a copy in another folder, without its cloud running."""
        return TeamSandbox(folder=folder, library=self.library.copy_to(folder))

    def add_changelog_entry(self, text: str) -> None:
        """Note a change under `[Unreleased]`, commit it and push it."""
        self.library.inv("changelog.add", "--type", "fixed", "--text", text).expect_success()
        self.repository.git("commit", "--quiet", "--all", "--message", text)

    @property
    def services(self) -> dict[str, dict[str, str]]:
        """Every service that is not deleted, by its name."""
        return {
            service["ServiceName"]: service
            for service in self.call_aws("apprunner", "ListServices")["ServiceSummaryList"]
        }

    def wait_until_idle(self) -> None:
        """Wait until nothing is under way at any service."""
        deadline = time.monotonic() + COMMAND_SECONDS
        while any(service["Status"] == "OPERATION_IN_PROGRESS" for service in self.services.values()):
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def disable_auto_deploy(self, name: str) -> None:
        """Let a service wait until it is told to deploy, whatever happens to its tag."""
        arn = self.services[name]["ServiceArn"]
        source = self.call_aws("apprunner", "DescribeService", ServiceArn=arn)["Service"]["SourceConfiguration"]
        source["AutoDeploymentsEnabled"] = False
        self.call_aws("apprunner", "UpdateService", ServiceArn=arn, SourceConfiguration=source)
        self.wait_until_idle()

    def call_aws(self, service: str, operation: str, **content: object) -> Any:
        """Ask the cloud as an AWS client does, without the second that loading one takes."""
        headers = {
            "X-Amz-Target": f"{TARGET_PREFIXES[service]}.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=local/20200101/eu-west-1/{service}/aws4_request",
        }
        return self._send(Request(self.endpoint, json.dumps(content).encode(), headers))

    def inject_fault(self, effect: Mapping[str, object], *, skip: int = 0, times: int = 1, **match: str) -> None:
        """Script the cloud to do something to the calls that match, after so many of them."""
        self.call_control("POST", "faults", {"match": match, "do": effect, "skip": skip, "times": times})

    def call_control(self, method: str, path: str, content: object = None) -> Any:
        """Ask the cloud to do something that no AWS client can ask for."""
        return self._send(Request(f"{self.endpoint}/_kaizen/{path}", json.dumps(content).encode(), method=method))

    def _send(self, request: Request) -> Any:
        with urlopen(request, timeout=HANG_SECONDS) as answer:
            return json.loads(answer.read() or b"null")


def create_sandbox(folder: Path) -> TeamSandbox:
    """Make the app's repository and an empty folder for its cloud."""
    repository = git_repository.make_repository(folder, FILES)
    return TeamSandbox(folder=folder, library=Library(repository=repository, environ=user_environ(folder)))
