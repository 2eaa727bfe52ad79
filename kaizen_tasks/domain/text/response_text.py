"""Describes parts of an HTTP response in one line; what a server answers may be anything."""

from __future__ import annotations

from kaizen_tasks.domain.text.printable import printable

MAX_REPORTED_LENGTH = 64  # characters of a reported version or environment that are kept


def sanitize(text: str) -> str:
    """Return the beginning of a text, without control characters."""
    return printable(text[:MAX_REPORTED_LENGTH])


def describe_body(body: bytes) -> str:
    """Return in words what an unexpected body seems to be: nothing, HTML or something."""
    start = body.lstrip()[:15].lower()
    if not start:
        return "nothing"
    return "HTML" if start.startswith((b"<!doctype", b"<html")) else "something"
