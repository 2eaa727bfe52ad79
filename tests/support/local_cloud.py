"""Runs the local cloud in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, Self
from urllib.request import Request, urlopen

from kaizen_tasks.adapters.aws.session import Aws
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

REGION = "eu-west-1"
ACCOUNT = "123456789012"


def control_request(endpoint_url: str, token: str, method: str, path: str, content: object = None) -> Request:
    """Return a request to the control API of a local cloud."""
    url, body = f"{endpoint_url}/_kaizen/{path}", json.dumps(content).encode()
    return Request(url, body, control_headers(token), method=method)


def control_headers(token: str) -> dict[str, str]:
    """Return the headers that the control API requires."""
    return {"X-Kaizen-Token": token, "Content-Type": "application/json"}


class Cloud:
    """A local cloud on a free port.

    Args:
        state: its state folder; it continues with what an earlier cloud left there.
        arguments: further arguments of its command line.
    """

    def __init__(self, state: Path, *arguments: str) -> None:
        self.state = state
        self._arguments = ("--engine", "process", "--deploy-seconds", "0", *arguments)
        self._process: subprocess.Popen[bytes] | None = None
        self._description: dict[str, Any] = {}
        self._clients: dict[tuple[str, int, str], Any] = {}
        self._clients_lock = threading.Lock()  # of two clients for one key, one would never be closed
        self._aws: Aws | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """Return the URL that AWS clients are pointed to."""
        return str(self._description["endpoint_url"])

    @property
    def registry(self) -> str:
        """Return the registry's host and port."""
        return self.endpoint_url.removeprefix("http://")

    @property
    def pid(self) -> int:
        """Return the process identifier."""
        return int(self._description["pid"])

    @property
    def control_token(self) -> str:
        """Return the token of its control API."""
        return str(self._description["control_token"])

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables that point any AWS client at it, and nowhere else."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.state),
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self._description["region"],
            "AWS_DEFAULT_REGION": self._description["region"],
            "AWS_ACCESS_KEY_ID": self._description["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self._description["secret_access_key"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1",
        }

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Return the entries of its request log, oldest first."""
        log = self.state / "requests.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def client(self, service: str, *, attempts: int = 1, region: str = "") -> Any:
        """Return a boto3 client, kept until the cloud stops; by default it never retries."""
        key = (service, attempts, region)
        with self._clients_lock:
            if key not in self._clients:
                self._clients[key] = self._new_client(service, attempts, region)
            return self._clients[key]

    def _new_client(self, service: str, attempts: int, region: str) -> Any:
        import boto3
        from botocore.config import Config

        create: Callable[..., Any] = boto3.client  # its overloads want the service's name as a literal
        client = create(
            service,
            endpoint_url=self.endpoint_url,
            region_name=region or self._description["region"],
            aws_access_key_id=self._description["access_key_id"],
            aws_secret_access_key=self._description["secret_access_key"],
            config=Config(
                retries={"mode": "standard", "total_max_attempts": attempts},
                parameter_validation=False,  # the cloud validates
            ),
        )
        _ = client.exceptions  # created on first use, and not by two threads at once
        return client

    @property
    def aws(self) -> Aws:
        """Return the adapters' AWS session, kept until the cloud stops; `environ` has to be set."""
        if self._aws is None:
            self._aws = Aws(region=REGION, profile="", account=ACCOUNT)
        return self._aws

    def inject_fault(self, match: Mapping[str, str], effect: Mapping[str, object], *, times: int = 1) -> None:
        """Make the next matching requests fail; see `kaizen_tasks.localcloud.server`."""
        self.call_control("POST", "faults", {"match": match, "do": effect, "times": times})

    def reset(self) -> None:
        """Remove injected faults, and restore the account settings of a new account."""
        self.call_control("DELETE", "faults")
        self.client("ecr").put_account_setting(name="BLOB_MOUNTING", value="DISABLED")

    def call_control(self, method: str, path: str, content: object = None) -> Any:
        """Call its control API, and return the parsed response.

        Raises:
            urllib.error.HTTPError: the call was refused.
        """
        request = control_request(self.endpoint_url, self.control_token, method, path, content)
        with urlopen(request, timeout=HANG_SECONDS) as response:
            return json.loads(response.read() or b"null")

    def _close_clients(self) -> None:
        self._aws = None
        while self._clients:
            self._clients.popitem()[1].close()

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = [sys.executable, "-m", "kaizen_tasks.localcloud", "--state", str(self.state)]
        self._process = subprocess.Popen([*command, *self._arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self._process.stdout is not None
        if not self._process.stdout.readline():  # it prints one line when it listens
            error = self._process.communicate()[1].decode()
            raise RuntimeError(f"the local cloud did not start: {error}")
        self._description = json.loads((self.state / "cloud.json").read_bytes())

    def stop(self) -> int:
        """Terminate it and return its exit code."""
        assert self._process is not None
        self._close_clients()
        self._process.terminate()
        try:
            self._process.communicate(timeout=HANG_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise
        return self._process.returncode

    def wait(self) -> tuple[int, str]:
        """Wait until it ends by itself; return its exit code and what it wrote to stderr."""
        assert self._process is not None
        self._close_clients()
        error = self._process.communicate(timeout=HANG_SECONDS)[1]
        return self._process.returncode, error.decode()

    def kill(self) -> None:
        """Kill it, as a crash would."""
        assert self._process is not None
        self._close_clients()
        self._process.kill()
        self._process.communicate()
