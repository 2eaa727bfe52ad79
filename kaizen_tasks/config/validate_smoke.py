"""Validates a smoke check whose values have the right types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kaizen_tasks.config import checks
from kaizen_tasks.config.structure import ConfigProblem
from kaizen_tasks.domain.smoke import METHODS, SmokeCheck, is_json_pointer

if TYPE_CHECKING:
    from collections.abc import Iterator


HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""Name of a header; https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2."""

HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""Characters that a header may have: no line ends, which could smuggle in another header."""


def validate_check(path: str, check: SmokeCheck) -> Iterator[ConfigProblem]:
    """Find requests that cannot be sent and answers that cannot come.

    Args:
        path: the check's place in the configuration: `smoke.0`.
        check: the check.
    """
    if error := checks.url_path(check.path):
        yield ConfigProblem(f"{path}.path", error)
    if check.method not in METHODS:
        suggestion = checks.suggest(check.method.upper(), METHODS)
        yield ConfigProblem(f"{path}.method", f"{check.method!r} is not a method{suggestion}")
    for status in check.status:
        if not 200 <= status <= 599:
            yield ConfigProblem(f"{path}.status", f"{status} is not an HTTP status of an answer")
    if error := checks.not_zero(check.timeout):
        yield ConfigProblem(f"{path}.timeout", error)
    yield from _validate_body(path, check)
    yield from _validate_headers(path, check)


def _validate_body(path: str, check: SmokeCheck) -> Iterator[ConfigProblem]:
    if check.body and check.method in {"GET", "HEAD"}:
        yield ConfigProblem(f"{path}.body", f'{check.method} sends no body; write method = "POST"')
    if check.method == "HEAD" and (check.contains or check.json):
        yield ConfigProblem(f"{path}.method", "the answer to HEAD has no body to check")
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
                yield ConfigProblem(f"{path}.{key}.{name}", "has characters that a header cannot have")
