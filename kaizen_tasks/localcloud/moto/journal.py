"""The journal of what moto has to remember: requests that changed its state, items of tables, and secrets.

A request is appended before moto executes it, so that whatever was answered survives a full disk and a killed process.
The journal holds neither signatures nor credentials.
"""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any

import attrs
from attrs.validators import instance_of

from kaizen_tasks.localcloud.atomic_write import write_atomically
from kaizen_tasks.localcloud.moto.moto_errors import operation_name
from kaizen_tasks.localcloud.state.damaged import damaged_state
from kaizen_tasks.localcloud.state.line_files import append_line, read_lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kaizen_tasks.errors import Refused


@attrs.frozen(kw_only=True)
class JournalRequest:
    """A request that changed the state of a service.

    Args:
        service: the signing name, such as `dynamodb`.
        region: the region of the signature's scope.
        target: the value of `X-Amz-Target`; empty in the query protocol.
        kind: the value of `Content-Type`.
        content: the body.
        seed: seed of moto's random numbers during the request.
        at: moto's time during the request, in seconds since the epoch.
    """

    service: str = attrs.field(validator=instance_of(str))
    region: str = attrs.field(validator=instance_of(str))
    target: str = attrs.field(validator=instance_of(str))
    kind: str = attrs.field(validator=instance_of(str))
    content: bytes
    seed: int = attrs.field(validator=instance_of(int))
    at: float = attrs.field(converter=float)

    @property
    def operation(self) -> str:
        """Return the name of the operation."""
        return operation_name({"X-Amz-Target": self.target, "Content-Type": self.kind}, self.content)

    @property
    def headers(self) -> dict[str, str]:
        """Return the request headers that moto dispatches on: X-Amz-Target, and the credential scope of a signature."""
        target = {"X-Amz-Target": self.target} if self.target else {}
        scope = f"local/20200101/{self.region}/{self.service}/aws4_request"
        authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        return {**target, "Content-Type": self.kind, "Authorization": authorization}


@attrs.frozen(kw_only=True)
class StoredItem:
    """An item of a table, in DynamoDB's JSON."""

    region: str = attrs.field(validator=instance_of(str))
    table: str = attrs.field(validator=instance_of(str))
    item: dict[str, Any] = attrs.field(validator=instance_of(dict))


@attrs.frozen(kw_only=True)
class StoredSecret:
    """A secret with its versions, as moto's attributes."""

    region: str = attrs.field(validator=instance_of(str))
    secret: dict[str, Any] = attrs.field(validator=instance_of(dict))


JournalEntry = JournalRequest | StoredItem | StoredSecret


def _format(entry: JournalEntry) -> str:
    document = attrs.asdict(entry)
    if isinstance(entry, JournalRequest):
        document["content"] = base64.b64encode(entry.content).decode()
    return json.dumps(document)


def _parse(line: bytes, default_time: float) -> JournalEntry:
    document = json.loads(line)
    if "item" in document:
        return StoredItem(**document)
    if "secret" in document:
        return StoredSecret(**document)
    content = base64.b64decode(document.pop("content"), validate=True)
    return JournalRequest(**{"at": default_time, **document, "content": content})


class Journal:
    """A file with one entry a line.

    Attributes:
        length: the number of entries.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.length = 0

    def read(self) -> list[JournalEntry]:
        """Return all entries, without a last one that a killed process has left incomplete.

        Raises:
            Refused: a line is damaged.
        """
        lines = read_lines(self._path)
        default_time = self._path.stat().st_mtime if lines else 0.0  # entries of older versions have no time
        entries = []
        for number, line in enumerate(lines, start=1):
            try:
                entries.append(_parse(line, default_time))
            except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
                raise self.damaged(number, error) from error
        self.length = len(entries)
        return entries

    def damaged(self, number: int, error: Exception) -> Refused:
        """Return the refusal to start with a line that cannot be used."""
        hint = f"remove line {number}, whose change is then lost, or choose another --state"
        return damaged_state(f"{self._path}:{number}", error, hint=hint)

    def append(self, request: JournalRequest) -> int:
        """Append a request that is about to be executed; return the size by which `revert` removes it."""
        size = append_line(self._path, _format(request))
        self.length += 1
        return size

    def revert(self, size: int) -> None:
        """Remove a last request, which has changed nothing."""
        os.truncate(self._path, size)
        self.length -= 1

    def remove_last(self) -> None:
        """Remove the last entry, which `read` has returned."""
        lines = read_lines(self._path)
        self.revert(sum(len(line) + 1 for line in lines[:-1]))

    def replace(self, entries: Iterable[JournalEntry]) -> None:
        """Replace all entries at once."""
        lines = [_format(entry) for entry in entries]
        write_atomically(self._path, "".join(f"{line}\n" for line in lines).encode())
        self.length = len(lines)
