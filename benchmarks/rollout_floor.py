"""Makes the calls that a command has made, at the same moments, with nothing but boto3, `http.client` and threads.

Usage: rollout_floor.py CALLS; it is a JSON file with the URL that answers, the number of threads, and the calls. Each
has the second at which it is made, and then `aws`, a service, a method of its client and the arguments; or `registry`,
a method, a path, the size of the body and the status of the response; or `app` and the URL of a version.

The moments matter: a processor that does other work between two calls has none of their code and data in its cache.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_POOL_CONNECTIONS = 32
SERVICES = ("apprunner", "dynamodb", "ecr")


class Floor:
    """Makes calls: one client for each service, and one connection to the registry for each thread."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 5}, max_pool_connections=MAX_POOL_CONNECTIONS
        )
        create: Any = boto3.client  # its overloads want the service's name as a literal
        self._clients = {name: create(name, endpoint_url=url, config=config) for name in SERVICES}
        for client in self._clients.values():
            _ = client.exceptions  # created on first use, and not by two threads at once
        self._thread = threading.local()
        self._connections: list[HTTPConnection] = []
        self._started_at = time.monotonic()

    def run(self, calls: list[list[Any]]) -> None:
        """Make calls one after the other, none before its moment."""
        make: dict[str, Callable[..., None]] = {
            "aws": self._call,
            "registry": self._ask_registry,
            "app": _fetch_version,
        }
        for seconds, kind, *arguments in calls:
            time.sleep(max(0.0, self._started_at + seconds - time.monotonic()))
            make[kind](*arguments)

    def _call(self, service: str, method: str, parameters: dict[str, Any]) -> None:
        with suppress(ClientError):  # it was one for the command too
            getattr(self._clients[service], method)(**parameters)

    def _ask_registry(self, method: str, path: str, size: int, status: int) -> None:
        if not hasattr(self._thread, "connection"):
            self._thread.connection = HTTPConnection(self._host)
            self._connections.append(self._thread.connection)
        connection: HTTPConnection = self._thread.connection
        headers = {"Authorization": "Basic QVdTOmEgdG9rZW4=", "X-Status": str(status)}
        connection.request(method, path, b"x" * size, headers)
        connection.getresponse().read()

    def close(self) -> None:
        """Close all connections."""
        for client in (*self._clients.values(), *self._connections):
            client.close()


def _fetch_version(url: str) -> None:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc)
    connection.request("GET", parts.path)
    json.loads(connection.getresponse().read())
    connection.close()


def _decode_binary(value: dict[str, Any]) -> dict[str, Any]:
    """Return a member of a call; one that is a binary attribute of DynamoDB has bytes, as boto3 wants it."""
    return {"B": base64.b64decode(value["B"])} if [*value] == ["B"] else value


def main(path: str) -> None:
    """Make all calls, every thread its share of them."""
    document = json.loads(Path(path).read_bytes(), object_hook=_decode_binary)
    floor, threads, calls = Floor(document["url"]), document["threads"], document["calls"]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(floor.run, [calls[index::threads] for index in range(threads)]))
    floor.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
