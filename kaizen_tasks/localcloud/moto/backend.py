"""Every service that the local cloud does not own: moto, behind the same port; App Runner's logs are in front of it.

moto keeps its state in memory. What changed DynamoDB and Secrets Manager is therefore written to a journal,
request by request, and sent to moto again when it is next loaded; moto's random numbers are seeded with what
the journal says, so that identifiers come out the same. The journal holds neither signatures nor credentials.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.logs.api import passed_on
from kaizen_tasks.localcloud.moto.patches import correct_answers, correct_dispatch, correct_secrets, correct_tables
from kaizen_tasks.localcloud.server.http_message import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from kaizen_tasks.localcloud.server.aws_json import Endpoint
    from kaizen_tasks.localcloud.server.http_message import Call

_KEPT = frozenset({"dynamodb", "secretsmanager"})
_READS = ("Get", "Describe", "List", "Query", "Scan", "BatchGet", "TransactGet")
_OURS = frozenset({"connection", "transfer-encoding", "content-length", "server", "date"})  # the server's own


@attrs.frozen(kw_only=True)
class Change:
    """A request that changed something, as the journal keeps it.

    Args:
        target: the value of `X-Amz-Target`.
        seed: what moto's random numbers were seeded with.
    """

    service: str
    region: str
    target: str
    kind: str
    content: bytes
    seed: int

    @classmethod
    def from_line(cls, line: str) -> Change:
        """Read what `to_line` wrote."""
        document = json.loads(line)
        return cls(**{**document, "content": base64.b64decode(document["content"])})

    def to_line(self) -> str:
        """Write one line of JSON."""
        return json.dumps({**attrs.asdict(self), "content": base64.b64encode(self.content).decode()}) + "\n"

    @property
    def headers(self) -> dict[str, str]:
        """Return what moto looks at: the operation, and a signature's scope without a signature."""
        scope = f"local/20200101/{self.region}/{self.service}/aws4_request"
        authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        return {"X-Amz-Target": self.target, "Content-Type": self.kind, "Authorization": authorization}


class Elsewhere:
    """Pass calls to moto, one at a time: its conditional writes are not safe under threads.

    Args:
        account: the account that moto answers as.
        endpoint: host and port, as clients name them.
        journal: the file of changes.
        logs: answers for the log groups of App Runner, of which moto knows nothing.
    """

    def __init__(self, *, account: str, endpoint: str, journal: Path, logs: Endpoint) -> None:
        self._logs = logs
        self._account = account
        self._endpoint = endpoint
        self._journal = journal
        self._lock = threading.Lock()
        self._moto: WSGIApplication | None = None

    def answer(self, call: Call, *, service: str, region: str) -> Reply:
        """Answer a call, and remember it where it changed what must survive."""
        operation, content = call.header("X-Amz-Target").rpartition(".")[2], call.content
        if service == self._logs.service.name:
            foreign = passed_on(operation, content)
            if foreign is None:
                return self._logs.answer(call, region=region, operation=operation)
            content = foreign
        with self._lock:
            moto = self._moto or self._load()
            change = _change(call, service, region)
            if change is None:
                return self._send(moto, call.method, call.target, dict(call.headers), content)
            _seed(change.seed)
            reply = self._send(moto, call.method, call.target, dict(call.headers), change.content)
            if reply.status == HTTPStatus.OK:
                self._append(change)
            return reply

    def ask(self, service: str, region: str, target: str, document: object) -> Reply:
        """Ask as a client would, on behalf of a service of this cloud; for what changes nothing."""
        kind, content = "application/x-amz-json-1.1", json.dumps(document).encode()
        request = Change(service=service, region=region, target=target, kind=kind, content=content, seed=0)
        with self._lock:
            return self._send(self._moto or self._load(), "POST", "/", request.headers, content)

    def _load(self) -> WSGIApplication:
        os.environ["MOTO_ACCOUNT_ID"] = self._account
        from moto.moto_server import werkzeug_app

        correct_secrets()
        correct_tables()
        correct_answers()
        correct_dispatch()
        moto: WSGIApplication = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)
        for change in self._changes():
            _seed(change.seed)
            self._send(moto, "POST", "/", change.headers, change.content)
        self._moto = moto
        return moto

    def _changes(self) -> list[Change]:
        """Read the journal; a line that was cut off when the process was killed is cut away."""
        if not self._journal.exists():
            return []
        whole, end, _torn = self._journal.read_bytes().rpartition(b"\n")
        with self._journal.open("rb+") as file:
            file.truncate(len(whole + end))
        return [Change.from_line(line) for line in whole.decode().splitlines()]

    def _append(self, change: Change) -> None:
        descriptor = os.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(change.to_line())

    def _send(
        self, moto: WSGIApplication, method: str, target: str, headers: Mapping[str, str], content: bytes
    ) -> Reply:
        from werkzeug.test import EnvironBuilder, run_wsgi_app

        path, _, query = target.partition("?")
        builder = EnvironBuilder(
            path=path,
            query_string=query,
            method=method,
            headers=[(name, value) for name, value in headers.items() if name.lower() not in _OURS],
            base_url=f"http://{self._endpoint}/",
            data=content,
        )
        parts, status, answered = run_wsgi_app(moto, builder.get_environ(), buffered=True)
        kept = dict(header for header in answered if header[0].lower() not in _OURS)
        return Reply(status=int(status.split()[0]), headers=kept, body=b"".join(parts))


def _change(call: Call, service: str, region: str) -> Change | None:
    target = call.header("X-Amz-Target")
    if service not in _KEPT or target.rpartition(".")[2].startswith(_READS):
        return None
    return Change(
        service=service,
        region=region,
        target=target,
        kind=call.header("Content-Type"),
        content=call.content,
        seed=int.from_bytes(os.urandom(6), "big"),
    )


def _seed(seed: int) -> None:
    from moto.moto_api._internal import mock_random

    mock_random.seed(seed)
