"""The AWS services that moto simulates, made persistent by a journal.

moto keeps its state in memory. Every request that changed DynamoDB or Secrets Manager is therefore appended to a
journal and replayed when moto is loaded again, with the same random seed, so that moto generates the same identifiers.
The journal holds neither signatures nor credentials.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.logs.logs_api import moto_request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kaizen_tasks.localcloud.server.aws_json import AwsJsonEndpoint
    from kaizen_tasks.localcloud.server.http_message import HttpRequest, HttpResponse

_PERSISTED_SERVICES = frozenset({"dynamodb", "secretsmanager"})
_READ_PREFIXES = ("Get", "Describe", "List", "Query", "Scan", "BatchGet", "TransactGet")
_SERVER_MANAGED_HEADERS = frozenset({"connection", "transfer-encoding", "content-length", "server", "date"})
_ACCOUNT_HEADER = "x-moto-account-id"  # moto.core.responses.BaseResponse.get_current_account


@attrs.frozen(kw_only=True)
class JournalEntry:
    """A request that changed the state of a service.

    Args:
        service: the signing name, such as `dynamodb`.
        region: the region of the signature's scope.
        target: the value of `X-Amz-Target`.
        kind: the value of `Content-Type`.
        content: the body.
        seed: seed of moto's random numbers during the request.
    """

    service: str
    region: str
    target: str
    kind: str
    content: bytes
    seed: int

    @classmethod
    def from_line(cls, line: str) -> JournalEntry:
        """Parse a line of the journal."""
        document = json.loads(line)
        return cls(**{**document, "content": base64.b64decode(document["content"])})

    def to_line(self) -> str:
        """Return the entry as a line of JSON."""
        return json.dumps({**attrs.asdict(self), "content": base64.b64encode(self.content).decode()}) + "\n"

    @property
    def headers(self) -> dict[str, str]:
        """Return the request headers that moto dispatches on: X-Amz-Target, and the credential scope of a signature."""
        scope = f"local/20200101/{self.region}/{self.service}/aws4_request"
        authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        return {"X-Amz-Target": self.target, "Content-Type": self.kind, "Authorization": authorization}


class MotoBackend:
    """Passes requests to moto, one at a time: moto's conditional writes are not thread-safe.

    Args:
        account: the account number that moto uses.
        endpoint: host and port of the local cloud.
        journal: the journal's file.
        logs_endpoint: answers requests about App Runner's log groups.
    """

    def __init__(self, *, account: str, endpoint: str, journal: Path, logs_endpoint: AwsJsonEndpoint) -> None:
        self._logs_endpoint = logs_endpoint
        self._account = account
        self._endpoint = endpoint
        self._journal = journal
        self._lock = threading.Lock()
        self._is_loaded = False

    def handle(self, request: HttpRequest, *, service: str, region: str) -> HttpResponse:
        """Answer a request, and append it to the journal if it changed a persisted service."""
        operation, content = request.header("X-Amz-Target").rpartition(".")[2], request.content
        if service == self._logs_endpoint.service.name:
            moto_content = moto_request(operation, content)
            if moto_content is None:
                return self._logs_endpoint.handle(request, region=region, operation=operation)
            content = moto_content
        with self._lock:
            self._load()
            entry = _journal_entry(request, service, region)
            if entry is None:
                return self._call_moto(service, region, request.method, request.target, request.headers, content)
            _seed_moto(entry.seed)
            response = self._call_moto(service, region, request.method, request.target, request.headers, content)
            if response.status == HTTPStatus.OK:
                self._append(entry)
            return response

    def query(self, service: str, region: str, target: str, document: object) -> HttpResponse:
        """Make a read-only request on behalf of a service of this cloud."""
        content_type, content = "application/x-amz-json-1.1", json.dumps(document).encode()
        entry = JournalEntry(service=service, region=region, target=target, kind=content_type, content=content, seed=0)
        with self._lock:
            self._load()
            return self._replay(entry)

    def _load(self) -> None:
        if self._is_loaded:
            return
        from kaizen_tasks.localcloud.moto.patches import patch_moto

        patch_moto()
        for entry in self._read_journal():
            _seed_moto(entry.seed)
            self._replay(entry)
        self._is_loaded = True

    def _read_journal(self) -> list[JournalEntry]:
        """Read the journal, and remove an incomplete last line, which a killed process leaves."""
        if not self._journal.exists():
            return []
        complete_lines, newline, _partial = self._journal.read_bytes().rpartition(b"\n")
        with self._journal.open("rb+") as file:
            file.truncate(len(complete_lines + newline))
        return [JournalEntry.from_line(line) for line in complete_lines.decode().splitlines()]

    def _append(self, entry: JournalEntry) -> None:
        descriptor = os.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(entry.to_line())

    def _replay(self, entry: JournalEntry) -> HttpResponse:
        return self._call_moto(entry.service, entry.region, "POST", "/", entry.headers, entry.content)

    def _call_moto(
        self, service: str, region: str, method: str, target: str, headers: Mapping[str, str], content: bytes
    ) -> HttpResponse:
        from werkzeug.test import EnvironBuilder

        from kaizen_tasks.localcloud.moto.dispatch import dispatch

        path, _, query = target.partition("?")
        builder = EnvironBuilder(
            path=path,
            query_string=query,
            method=method,
            headers=[*_without_server_headers(headers).items(), (_ACCOUNT_HEADER, self._account)],
            base_url=f"http://{self._endpoint}/",
            data=content,
        )
        response = dispatch(service, region, builder.get_environ())
        return attrs.evolve(response, headers=_without_server_headers(response.headers))


def _without_server_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _SERVER_MANAGED_HEADERS}


def _journal_entry(request: HttpRequest, service: str, region: str) -> JournalEntry | None:
    target = request.header("X-Amz-Target")
    if service not in _PERSISTED_SERVICES or target.rpartition(".")[2].startswith(_READ_PREFIXES):
        return None
    return JournalEntry(
        service=service,
        region=region,
        target=target,
        kind=request.header("Content-Type"),
        content=request.content,
        seed=int.from_bytes(os.urandom(6), "big"),
    )


def _seed_moto(seed: int) -> None:
    from moto.moto_api._internal import mock_random

    mock_random.seed(seed)
