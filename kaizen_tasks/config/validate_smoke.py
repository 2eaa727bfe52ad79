"""What can be wrong with a smoke check that has the right types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kaizen_tasks.config.structure import Problem, nearest
from kaizen_tasks.domain.smoke import METHODS, is_pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.smoke import SmokeCheck

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""Name of a header; https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2."""

VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""What a header can carry: no line ends, with which one could send headers that nobody sees."""


def of_check(place: str, check: SmokeCheck) -> Iterator[Problem]:
    """Find what could never be asked or answered.

    Args:
        place: where the check stands: `smoke.0`.
        check: as it was written.
    """
    if not check.path.startswith("/"):
        yield Problem(f"{place}.path", f"{check.path!r} does not begin with /")
    if check.method not in METHODS:
        yield Problem(f"{place}.method", f"{check.method!r} is not a method{nearest(check.method.upper(), METHODS)}")
    for status in check.status:
        if not 200 <= status <= 599:
            yield Problem(f"{place}.status", f"{status} is not the status of an answer")
    if not check.timeout:
        yield Problem(f"{place}.timeout", "leaves no time to ask")
    yield from _bodies(place, check)
    yield from _headers(place, check)


def _bodies(place: str, check: SmokeCheck) -> Iterator[Problem]:
    if check.body and check.method in {"GET", "HEAD"}:
        yield Problem(f"{place}.body", f'{check.method} sends none; write method = "POST"')
    if check.method == "HEAD" and (check.contains or check.json):
        yield Problem(f"{place}.method", "the answer to HEAD has no body that could be looked into")
    for pointer in check.json:
        if not is_pointer(pointer):
            near = "/" + pointer.removeprefix("$").replace("~", "~0").strip("./").replace(".", "/")
            yield Problem(f"{place}.json", f"{pointer!r} is not a JSON pointer; did you mean {near!r}?")


def _headers(place: str, check: SmokeCheck) -> Iterator[Problem]:
    for key, headers in (("headers", check.headers), ("request_headers", check.request_headers)):
        for name, value in headers.items():
            if not TOKEN.fullmatch(name):
                yield Problem(f"{place}.{key}", f"{name!r} is not the name of a header")
            elif not VALUE.fullmatch(value):
                yield Problem(f"{place}.{key}.{name}", "has characters that a header cannot carry")
