"""What can be wrong with a smoke check that has the right types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kaizen_tasks.config.structure import ConfigProblem, suggest
from kaizen_tasks.domain.smoke import METHODS, is_json_pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.smoke import SmokeCheck

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""Name of a header; https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2."""

HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""What a header can carry: no line ends, with which one could send headers that nobody sees."""


def validate_check(path: str, check: SmokeCheck) -> Iterator[ConfigProblem]:
    """Find what could never be asked or answered.

    Args:
        path: where the check stands: `smoke.0`.
        check: as it was written.
    """
    if not check.path.startswith("/"):
        yield ConfigProblem(f"{path}.path", f"{check.path!r} does not begin with /")
    if check.method not in METHODS:
        yield ConfigProblem(
            f"{path}.method", f"{check.method!r} is not a method{suggest(check.method.upper(), METHODS)}"
        )
    for status in check.status:
        if not 200 <= status <= 599:
            yield ConfigProblem(f"{path}.status", f"{status} is not the status of an answer")
    if not check.timeout:
        yield ConfigProblem(f"{path}.timeout", "leaves no time to ask")
    yield from _validate_body(path, check)
    yield from _validate_headers(path, check)


def _validate_body(path: str, check: SmokeCheck) -> Iterator[ConfigProblem]:
    if check.body and check.method in {"GET", "HEAD"}:
        yield ConfigProblem(f"{path}.body", f'{check.method} sends none; write method = "POST"')
    if check.method == "HEAD" and (check.contains or check.json):
        yield ConfigProblem(f"{path}.method", "the answer to HEAD has no body that could be looked into")
    for pointer in check.json:
        if not is_json_pointer(pointer):
            suggestion = "/" + pointer.removeprefix("$").replace("~", "~0").strip("./").replace(".", "/")
            yield ConfigProblem(f"{path}.json", f"{pointer!r} is not a JSON pointer; did you mean {suggestion!r}?")


def _validate_headers(path: str, check: SmokeCheck) -> Iterator[ConfigProblem]:
    for key, headers in (("headers", check.headers), ("request_headers", check.request_headers)):
        for name, value in headers.items():
            if not HEADER_NAME.fullmatch(name):
                yield ConfigProblem(f"{path}.{key}", f"{name!r} is not the name of a header")
            elif not HEADER_VALUE.fullmatch(value):
                yield ConfigProblem(f"{path}.{key}.{name}", "has characters that a header cannot carry")
