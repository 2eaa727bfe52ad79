"""A small app with every kind of stage, its local cloud, and commands that run there."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from attrs import evolve, field, frozen

from kaizen_tasks.rehearsal.local_cloud.cloud import Cloud
from tests.crash.cloud_fork_server import kill_cloud
from tests.crash.library import Library, user_environ
from tests.support import git_repository
from tests.support.local_cloud import control_request
from tests.support.signing import sign
from tests.support.waiting import HANG_SECONDS
from tests.support.workspaces import COMMAND_SECONDS

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
    "ecs": "AmazonEC2ContainerServiceV20141113",
    "logs": "Logs_20140328",
}


@frozen(kw_only=True)
class TeamSandbox:
    """An app's repository, remote and local cloud in one folder, which can be copied while the cloud is stopped.

    Attributes:
        folder: that holds all of it.
        library: the clone, and commands that run in it.
        cloud: the local cloud while it runs.
        session_token: what requests in another account than the cloud's own are sent with.
    """

    folder: Path
    library: Library
    cloud: Cloud | None = field(default=None)
    session_token: str = field(default="", repr=False)

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
        """URL of the running cloud."""
        assert self.cloud is not None
        return self.cloud.endpoint_url

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The cloud's request log, oldest first."""
        lines = (self.state / "requests.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def start_cloud(self, fork_server: CloudForkServer, *options: str) -> TeamSandbox:
        """Start the cloud; return a sandbox whose commands use it."""
        cloud = fork_server.start(self.state, *options)
        library = evolve(self.library, environ={**self.library.environ, **cloud.environ})
        return evolve(self, cloud=cloud, library=library)

    def destroy(self) -> None:
        """Kill its cloud and remove the folder."""
        if self.cloud is not None:
            kill_cloud(self.cloud)
        shutil.rmtree(self.folder, ignore_errors=True)  # an app may still write until it is dead

    def copy_to(self, folder: Path) -> TeamSandbox:
        """Copy it to another folder, with the cloud stopped."""
        return TeamSandbox(folder=folder, library=self.library.copy_to(folder))

    def add_changelog_entry(self, text: str) -> None:
        """Add an entry under `[Unreleased]` and commit it."""
        self.library.inv("changelog.add", "--type", "fixed", "--text", text).expect_success()
        self.repository.git("commit", "--quiet", "--all", "--message", text)

    @property
    def services(self) -> dict[str, dict[str, str]]:
        """All services that are not deleted, by name."""
        return {
            service["ServiceName"]: service
            for service in self.call_aws("apprunner", "ListServices")["ServiceSummaryList"]
        }

    def wait_until_idle(self) -> None:
        """Wait until no service has an operation in progress."""
        deadline = time.monotonic() + COMMAND_SECONDS
        while any(service["Status"] == "OPERATION_IN_PROGRESS" for service in self.services.values()):
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def enable_auto_deploy(self, name: str) -> None:
        """Turn on automatic deployments of a service."""
        arn = self.services[name]["ServiceArn"]
        source = self.call_aws("apprunner", "DescribeService", ServiceArn=arn)["Service"]["SourceConfiguration"]
        source["AutoDeploymentsEnabled"] = True
        self.call_aws("apprunner", "UpdateService", ServiceArn=arn, SourceConfiguration=source)
        self.wait_until_idle()

    def call_aws(self, service: str, operation: str, /, **content: object) -> Any:
        """Call an AWS operation without loading boto3, which takes a second."""
        headers = {
            "X-Amz-Target": f"{TARGET_PREFIXES[service]}.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
        }
        return self._send(self._sign(Request(self.endpoint, json.dumps(content).encode(), headers), service))

    @property
    def places(self) -> tuple[TeamSandbox, ...]:
        """This sandbox in each account and region that its cloud has, the home first."""
        assert self.cloud is not None
        _, *others = (place.split("/") for place in self.cloud.registries)
        return self, *(self._at(account, region) for account, region in others)

    def _at(self, account: str, region: str) -> TeamSandbox:
        role = f"arn:aws:iam::{account}:role/crash"
        answer = self._query("sts", "AssumeRole", Version="2011-06-15", RoleArn=role, RoleSessionName="crash")
        key, secret, token = (
            re.findall(f"<{name}>(.*)</{name}>", answer)[0]
            for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")
        )
        assert self.cloud is not None
        cloud = evolve(self.cloud, account=account, region=region, access_key_id=key, secret_access_key=secret)
        return evolve(self, cloud=cloud, session_token=token)

    def create_role(self, name: str, service: str) -> None:
        """Create a role that a service of AWS may assume."""
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._query("iam", "CreateRole", Version="2010-05-08", RoleName=name, AssumeRolePolicyDocument=policy)

    def _query(self, service: str, operation: str, **parameters: str) -> str:
        content = urlencode({"Action": operation, **parameters}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        request = self._sign(Request(self.endpoint, content, headers), service)
        with urlopen(request, timeout=HANG_SECONDS) as answer:
            return str(answer.read().decode())

    def _sign(self, request: Request, service: str) -> Request:
        assert self.cloud is not None
        return sign(request, self.cloud, service, session_token=self.session_token)

    def inject_fault(
        self, effect: Mapping[str, object], *, skip: int = 0, every: int = 1, times: int = 1, **match: str
    ) -> None:
        """Inject a fault into matching requests, after skipping some: into each n-th of them, several times."""
        self.call_control(
            "POST", "faults", {"match": match, "do": effect, "skip": skip, "every": every, "times": times}
        )

    def call_control(self, method: str, path: str, content: object = None) -> Any:
        """Call the cloud's own control API."""
        assert self.cloud is not None
        return self._send(control_request(self.endpoint, self.cloud.control_token, method, path, content))

    def _send(self, request: Request) -> Any:
        with urlopen(request, timeout=HANG_SECONDS) as answer:
            return json.loads(answer.read() or b"null")


def create_sandbox(folder: Path, configuration: bytes = KAIZEN_TOML) -> TeamSandbox:
    """Create the app's repository and an empty folder for its cloud."""
    repository = git_repository.make_repository(folder, {**FILES, "kaizen.toml": configuration})
    return TeamSandbox(folder=folder, library=Library(repository=repository, environ=user_environ(folder)))


def served_version(address: str) -> str:
    """Return an app's answer; after a restart of its cloud, wait until it listens."""
    deadline = time.monotonic() + COMMAND_SECONDS
    while True:
        try:
            with urlopen(f"http://{address.removeprefix('http://')}/version", timeout=HANG_SECONDS) as response:
                document: Mapping[str, str] = json.load(response)
            return f"{document['version']} in {document['environment']}"
        except HTTPError as error:
            if error.code != 503 or time.monotonic() > deadline:
                raise
        time.sleep(0.02)
