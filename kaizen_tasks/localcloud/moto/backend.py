"""The AWS services that moto simulates for an account, made persistent by a journal.

moto keeps its state in memory. Every request that changes DynamoDB, Secrets Manager, IAM or parameters of Systems
Manager is therefore written to a journal first. When moto is loaded again, the journal is replayed with the same random
seeds and at the same times, so that moto generates the same identifiers and dates. From time to time a snapshot of
moto's state replaces the journal.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.moto.expressions import check_expressions
from kaizen_tasks.localcloud.moto.idempotency import IdempotencyTokens
from kaizen_tasks.localcloud.moto.journal import Journal, JournalRequest
from kaizen_tasks.localcloud.moto.moto_errors import MotoError, error_response, explain, operation_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kaizen_tasks.localcloud.iam.roles import Role
    from kaizen_tasks.localcloud.moto.journal import JournalEntry
    from kaizen_tasks.localcloud.server.http_message import HttpRequest, HttpResponse

COMPACTION_ENTRIES = 500
"""Number of requests after which the journal is compacted; each takes about a millisecond at the next start."""

_COMPACTION_FACTOR = 10  # so that the time for compactions stays a small part of the time for the requests
_PERSISTED_SERVICES = frozenset({"dynamodb", "iam", "secretsmanager", "ssm"})
_READ_PREFIXES = ("Get", "Describe", "List", "Query", "Scan", "BatchGet", "TransactGet", "Simulate")
_SERVER_MANAGED_HEADERS = frozenset({"connection", "transfer-encoding", "content-length", "server", "date"})
_ACCOUNT_HEADER = "x-moto-account-id"  # moto.core.responses.BaseResponse.get_current_account
_log = logging.getLogger(__name__)


class MotoBackend:
    """Passes the requests of an account to moto, one at a time: moto's conditional writes are not thread-safe.

    Args:
        account: the account number.
        endpoint: host and port of the local cloud.
        journal: the journal's file.
        lock: held while moto is used, by all accounts of a cloud.

    Raises:
        Refused: the journal is damaged.
    """

    def __init__(self, *, account: str, endpoint: str, journal: Path, lock: threading.Lock | None = None) -> None:
        self._account = account
        self._endpoint = endpoint
        self._journal = Journal(journal)
        self._entries = self._journal.read()
        self._max_entries = COMPACTION_ENTRIES
        self._tokens = IdempotencyTokens()
        self._lock = lock or threading.Lock()
        self._is_loaded = False

    def handle(self, request: HttpRequest, *, service: str, region: str) -> HttpResponse:
        """Answer a request, and append it to the journal if it changed a persisted service."""
        content = request.content
        try:
            if service == "dynamodb" and b"Expression" in content:
                check_expressions(content)
            with self._lock:
                self._load()
                entry = _journal_entry(request, service, region)  # here, so that times are in order
                if entry is not None:
                    return self._tokens.find(entry) or self._execute(entry)
                return self._call_moto(service, region, request.method, request.target, request.headers, content)
        except MotoError as error:
            return error_response(error, service=service, headers=request.headers)

    def restore(self) -> None:
        """Restore the state that the journal holds; without one, moto is loaded at the first request.

        Raises:
            Refused: an entry of the journal cannot be restored.
        """
        if self._entries:
            with self._lock:
                self._load()

    def query(self, service: str, region: str, target: str, document: object) -> HttpResponse:
        """Make a read-only request on behalf of a service of this cloud."""
        content_type, content = "application/x-amz-json-1.1", json.dumps(document).encode()
        entry = JournalRequest(
            service=service, region=region, target=target, kind=content_type, content=content, seed=0, at=time.time()
        )
        with self._lock:
            self._load()
            return self._replay(entry)

    def find_role(self, name: str) -> Role | None:
        """Return a role that IAM has created in the account, or None."""
        with self._lock:
            if not self._is_loaded:
                return None
            from kaizen_tasks.localcloud.moto.iam_roles import read_role

            return read_role(self._account, name)

    def _load(self) -> None:
        if self._is_loaded:
            return
        from kaizen_tasks.localcloud.moto.patches import patch_moto

        patch_moto()
        for number, entry in enumerate(self._entries, start=1):
            try:
                self._restore(entry)
            except Exception as error:
                if number < len(self._entries) or not isinstance(entry, JournalRequest):
                    raise self._journal.damaged(number, error) from error
                self._journal.remove_last()  # the cloud was killed before it could remove a refused request
        self._entries = []
        self._is_loaded = True
        self._compact()

    def _restore(self, entry: JournalEntry) -> None:
        if not isinstance(entry, JournalRequest):
            from kaizen_tasks.localcloud.moto.snapshot import restore

            restore(entry, self._account)
            return
        response = self._replay(entry)
        if response.status != HTTPStatus.OK:
            raise ValueError(f"{entry.operation} is refused: {response.body!r}")
        self._tokens.remember(entry, response)

    def _execute(self, entry: JournalRequest) -> HttpResponse:
        """Write a request to the journal, and execute it; remove it again if it is refused."""
        size = self._journal.append(entry)
        try:
            response = self._replay(entry)
        except BaseException:
            self._journal.revert(size)
            raise
        if response.status == HTTPStatus.OK:
            self._tokens.remember(entry, response)
            self._compact()
        else:
            self._journal.revert(size)
        return response

    def _compact(self) -> None:
        """Replace a long journal by a snapshot; if that is not possible, try again when it is longer."""
        if self._journal.length < self._max_entries:
            return
        from kaizen_tasks.localcloud.moto.snapshot import take_snapshot

        try:
            snapshot = take_snapshot(self._journal.read(), self._account)
            if snapshot is not None:
                self._journal.replace(snapshot)
        except (OSError, TypeError, ValueError) as error:  # the journal is as it was
            _log.warning("the journal could not be compacted: %s", error)
        length = self._journal.length
        self._max_entries = length + max(COMPACTION_ENTRIES, length // _COMPACTION_FACTOR)

    def _replay(self, entry: JournalRequest) -> HttpResponse:
        """Execute a request with its seed and at its time."""
        from kaizen_tasks.localcloud.moto.patches import moto_time

        with moto_time(entry.at, entry.seed, entry.service):
            return self._call_moto(entry.service, entry.region, "POST", "/", entry.headers, entry.content)

    def _call_moto(
        self, service: str, region: str, method: str, target: str, headers: Mapping[str, str], content: bytes
    ) -> HttpResponse:
        try:
            response = self._dispatch(service, region, method, target, headers, content)
        except Exception as error:  # noqa: BLE001 - whatever moto trips over is a refusal that clients do not retry
            operation = operation_name(headers, content)
            explanation = explain(error, service=service, operation=operation, content=content)
            return error_response(explanation, service=service, headers=headers)
        return attrs.evolve(response, headers=_without_server_headers(response.headers))

    def _dispatch(
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
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NotImplementedError(f"moto answers {response.status}")
        if response.status == HTTPStatus.NOT_FOUND and headers.get("X-Amz-Target"):
            return attrs.evolve(response, status=HTTPStatus.BAD_REQUEST)  # as all errors of AWS's JSON protocols
        return response


def _without_server_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _SERVER_MANAGED_HEADERS}


def _journal_entry(request: HttpRequest, service: str, region: str) -> JournalRequest | None:
    target = request.header("X-Amz-Target")
    if service not in _PERSISTED_SERVICES or operation_name(request.headers, request.content).startswith(
        _READ_PREFIXES
    ):
        return None
    return JournalRequest(
        service=service,
        region=region,
        target=target,
        kind=request.header("Content-Type"),
        content=request.content,
        seed=int.from_bytes(os.urandom(6), "big"),
        at=round(time.time(), 3),
    )
