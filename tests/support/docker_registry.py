"""Debian's `docker-registry`, started for a test."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from attrs import define, field

from kaizen_tasks.ports.images import Login
from kaizen_tasks.ports.secrets import Secret
from tests.support.waiting import HANG_SECONDS

USERNAME = "AWS"
PASSWORD = "let-me-in"  # its hash is below
HTPASSWD = f"{USERNAME}:$2b$04$b32uwAaQ9mqeiYTj2dOzvu8IoXPtYYW.rAK7bAPH8cNivgrHT7RGa\n"


def docker_registry() -> str | None:
    """Return the program's path, or None if it is not installed."""
    return shutil.which("docker-registry")


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@define
class DockerRegistry:
    """`docker-registry serve` on a free loopback port, with its state in a folder of the test.

    Use it as a context manager. It asks for the password of `login`, and speaks TLS if it has a certificate and key.
    """

    folder: Path
    certificate: Path | None = None
    port: int = field(factory=free_port)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def host(self) -> str:
        """Host and port, the first part of image references."""
        return f"127.0.0.1:{self.port}"

    @property
    def login(self) -> Login:
        """The credentials that it accepts."""
        return Login(url=f"http://{self.host}", username=USERNAME, password=Secret(PASSWORD))

    def count_requests(self, path: str) -> int:
        """Return how many requests its log has for paths that begin with `path`."""
        return len(re.findall(rf'"[A-Z]+ {re.escape(path)}\S* HTTP/1\.1"', (self.folder / "log").read_text()))

    def __enter__(self) -> Self:
        program = docker_registry()
        if program is None:
            raise FileNotFoundError("docker-registry is not installed")
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen([program, "serve", str(self._configured())], stdout=log, stderr=log)
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _configured(self) -> Path:
        """Write the configuration; JSON is YAML too."""
        passwords = self.folder / "htpasswd"
        passwords.write_text(HTPASSWD)
        config = self.folder / "config.yml"
        config.write_text(
            json.dumps(
                {
                    "version": 0.1,
                    "storage": {"filesystem": {"rootdirectory": str(self.folder / "storage")}},
                    "http": {"addr": self.host, **self._tls()},
                    "auth": {"htpasswd": {"realm": "test", "path": str(passwords)}},
                }
            )
        )
        return config

    def _tls(self) -> dict[str, dict[str, str]]:
        path = str(self.certificate or "")
        return {"tls": {"certificate": path, "key": path}} if path else {}

    def _wait(self) -> None:
        deadline = time.monotonic() + HANG_SECONDS
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=HANG_SECONDS).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise TimeoutError((self.folder / "log").read_text())
