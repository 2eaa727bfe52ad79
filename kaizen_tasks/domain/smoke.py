"""One more thing that the running app must answer, and what is wrong with what it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NewType

from attrs import field, frozen

from kaizen_tasks.domain.duration import Seconds
from kaizen_tasks.domain.health import Answer, Question, kind, printable

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ONCE = ("POST", "PATCH")
"""Methods that are not idempotent (RFC 9110, 9.2.2): a question of theirs is not repeated."""

Statuses = NewType("Statuses", tuple[int, ...])
Scalar = str | int | float | bool

OK = Statuses((200,))
PATIENCE = Seconds(10)


@frozen(kw_only=True)
class SmokeCheck:
    """One more thing the running app must answer once its version is proven.

    Attributes:
        path: what is asked.
        name: what to call it in reports; without one, method and path.
        method: `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`.
        status: the HTTP status it must answer with; several in a list. No redirect is followed.
        contains: text that must stand in the body.
        json: value that the body must have, as JSON, where a JSON pointer (RFC 6901) leads:
            `"/checks/0/status" = "ok"`.
        headers: text that must stand in a header of the answer; empty text only asks for the header.
        request_headers: header to send along.
        body: what to send along.
        timeout: how long to wait for it; until then it is asked again while there is no answer or HTTP 5xx,
            but for `POST` and `PATCH`, which are sent once.
    """

    path: str
    name: str = ""
    method: str = "GET"
    status: Statuses = OK
    contains: str = ""
    json: Mapping[str, Scalar] = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict)
    request_headers: Mapping[str, str] = field(factory=dict, repr=False)
    body: str = field(default="", repr=False)
    timeout: Seconds = PATIENCE

    @property
    def title(self) -> str:
        """What it is called in reports; whoever reads one can ask the same by hand."""
        asked = f"{self.method} {self.path}"
        return f"{self.name}: {asked}" if self.name else asked

    @property
    def question(self) -> Question:
        """How it is asked."""
        return Question(method=self.method, headers=self.request_headers, body=self.body.encode())

    def passing(self, answer: Answer) -> str:
        """Say in words what a right answer has been held against."""
        said = [
            f"answers HTTP {answer.status}",
            *([f"contains {self.contains!r}"] if self.contains else []),
            *(f"says {_shown(wanted)}{_place(pointer)}" for pointer, wanted in self.json.items()),
            *(f"has {name} with {wanted!r}" if wanted else f"has {name}" for name, wanted in self.headers.items()),
        ]
        return ", ".join(said)

    def faults(self, answer: Answer) -> tuple[str, ...]:
        """Return everything that is wrong with an answer; of another status, that alone."""
        if answer.fault:
            return (answer.fault,)
        if answer.status not in self.status:
            return (self._other_status(answer),)
        return (*self._lacking(answer), *self._other_json(answer), *self._other_headers(answer))

    def may_pass_later(self, answer: Answer) -> bool:
        """Return whether a wrong answer may be that of an app that is only just there."""
        return self.method not in ONCE and (bool(answer.fault) or answer.status >= 500)

    def _other_status(self, answer: Answer) -> str:
        to = answer.headers.get("location", "")
        leading = f" to {printable(to)}" if to and 300 <= answer.status < 400 else ""
        return f"answers HTTP {answer.status}{leading}, not {' or '.join(map(str, self.status))}"

    def _lacking(self, answer: Answer) -> Iterator[str]:
        if self.contains and self.contains.encode() not in answer.body:
            yield f"does not contain {self.contains!r}"

    def _other_json(self, answer: Answer) -> Iterator[str]:
        if not self.json:
            return
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            yield f"answers {kind(answer.body)}, not JSON"
            return
        for pointer, wanted in self.json.items():
            try:
                found = at(document, pointer)
            except LookupError:
                yield f"says nothing{_place(pointer)}"
                continue
            if not _same(found, wanted):
                yield f"says {_shown(found)}{_place(pointer)}, not {_shown(wanted)}"

    def _other_headers(self, answer: Answer) -> Iterator[str]:
        for name, wanted in self.headers.items():
            found = answer.headers.get(name.lower())
            if found is None:
                yield f"has no {name}"
            elif wanted not in found:
                yield f"has {name} {printable(found)!r}, without {wanted!r}"


def is_pointer(text: str) -> bool:
    """Return whether a text is a JSON pointer: empty for the whole document, else `/name/0/name`."""
    return re.fullmatch(r"(/([^~]|~[01])*)?", text, re.DOTALL) is not None


def at(document: Any, pointer: str) -> Any:
    """Return what a JSON pointer leads to; https://www.rfc-editor.org/rfc/rfc6901.

    Raises:
        LookupError: nothing.
    """
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list) and re.fullmatch(r"0|[1-9][0-9]*", name):
            document = document[int(name)]
        elif isinstance(document, dict):
            document = document[name]
        else:
            raise LookupError(pointer)
    return document


def _same(found: object, wanted: Scalar) -> bool:
    """Compare as JSON does, where `true` is no number, and 1 and 1.0 are the same one."""
    return isinstance(found, bool) is isinstance(wanted, bool) and found == wanted


def _place(pointer: str) -> str:
    return f" at {pointer}" if pointer else ""


def _shown(value: object) -> str:
    return printable(json.dumps(value, ensure_ascii=False))
