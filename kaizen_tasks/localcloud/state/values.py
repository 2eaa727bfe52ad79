"""Immutable values by key, in memory and on disk, each stored as one JSON file."""

from __future__ import annotations

import hashlib
import json
import threading
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from kaizen_tasks.localcloud.atomic_write import remove_temporary_files, write_atomically
from kaizen_tasks.localcloud.state.damaged import load_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_Value = TypeVar("_Value", bound=attrs.AttrsInstance)


class ValueStore(Generic[_Value]):
    """Values of an attrs class, in the order in which they were first stored.

    Args:
        folder: the folder of their files, created if it is missing.
        parse: returns the value of a document that `attrs.asdict` made.
        key: returns what identifies a value, such as its ARN.

    Raises:
        Refused: a file is damaged.
    """

    def __init__(self, folder: Path, parse: Callable[[Any], _Value], *, key: Callable[[_Value], str]) -> None:
        self.lock = threading.RLock()
        self._folder = folder
        self._key = key
        folder.mkdir(parents=True, exist_ok=True)
        remove_temporary_files(folder)
        stored = [load_state(path, _parser(parse)) for path in folder.glob("[!.]*.json")]
        self._entries = {key(value): (number, value) for number, value in sorted(stored, key=itemgetter(0))}
        self._last_number = max((number for number, _ in stored), default=0)

    def all(self) -> tuple[_Value, ...]:
        """Return all values, oldest first."""
        with self.lock:
            return tuple(value for _, value in self._entries.values())

    def get(self, key: str) -> _Value:
        """Return a value; raise KeyError if there is none."""
        with self.lock:
            return self._entries[key][1]

    def put(self, value: _Value) -> _Value:
        """Save a value and return it; hold `lock` from reading the old value to saving the new one."""
        key = self._key(value)
        with self.lock:
            number = self._entries[key][0] if key in self._entries else self._last_number + 1
            document = {"number": number, "value": attrs.asdict(value)}
            write_atomically(self._path(key), json.dumps(document).encode())
            self._entries[key] = (number, value)
            self._last_number = max(number, self._last_number)
        return value

    def remove(self, key: str) -> None:
        """Delete a value; raise KeyError if there is none."""
        with self.lock:
            del self._entries[key]
            self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        """Return the file of a key; a key may be longer than the name of a file."""
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _parser(parse: Callable[[Any], _Value]) -> Callable[[bytes], tuple[int, _Value]]:
    def parse_document(content: bytes) -> tuple[int, _Value]:
        document = json.loads(content)
        return int(document["number"]), parse(document["value"])

    return parse_document
