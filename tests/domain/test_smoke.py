"""Smoke checks and their failures."""

from __future__ import annotations

from typing import Any

import pytest

from kaizen_tasks.domain.health import ProbeResponse
from kaizen_tasks.domain.smoke import SmokeCheck, Statuses
from kaizen_tasks.domain.text.json_pointer import is_json_pointer, resolve_pointer
from kaizen_tasks.domain.text.response_text import MAX_REPORTED_LENGTH

HEALTH = ProbeResponse(
    status=200,
    body=b'{"status": "ok", "ready": true, "users": 1, "checks": [{"a/b": "up"}]}',
    headers={"content-type": "application/json; charset=utf-8"},
)
DOCUMENT = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, "01": "zero one"}


def check(**wanted: Any) -> SmokeCheck:
    """Return a check of the health page."""
    return SmokeCheck(path="/health", **wanted)


@pytest.mark.parametrize(
    ("wanted", "faults"),
    [
        (check(), ()),
        (check(status=Statuses((204, 200))), ()),
        (check(status=Statuses((204, 301))), ("answers HTTP 200, not 204 or 301",)),
        (check(contains='"ok"'), ()),
        (check(contains="Hello"), ("does not contain 'Hello'",)),
        (check(json={"/status": "ok", "/ready": True, "/users": 1.0, "/checks/0/a~1b": "up"}), ()),
        (check(json={"/status": "down"}), ('says "ok" at /status, not "down"',)),
        (check(json={"/ready": 1, "/users": True}), ("says true at /ready, not 1", "says 1 at /users, not true")),
        (check(json={"/checks/1": "x", "/status/0": "x"}), ("says nothing at /checks/1", "says nothing at /status/0")),
        (check(headers={"Content-Type": "application/json", "CONTENT-TYPE": ""}), ()),
        (check(headers={"X-Frame-Options": ""}), ("has no X-Frame-Options",)),
        (
            check(headers={"Content-Type": "text/html"}),
            ("has Content-Type 'application/json; charset=utf-8', without 'text/html'",),
        ),
        (check(contains="Hello", json={"/no": 1}), ("does not contain 'Hello'", "says nothing at /no")),
    ],
)
def test_failures_name_expected_and_actual_values(wanted: SmokeCheck, faults: tuple[str, ...]) -> None:
    assert wanted.failures(HEALTH) == faults


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (ProbeResponse(error="refuses the connection"), "refuses the connection"),
        (ProbeResponse(status=404, body=b"not found"), "answers HTTP 404, not 200"),
        (ProbeResponse(status=200, body=b"<html>"), "answers HTML, not JSON"),
        (ProbeResponse(status=200, body=b"[" * 60_000), "answers something, not JSON"),
    ],
)
def test_wrong_status_is_the_only_failure(answer: ProbeResponse, fault: str) -> None:
    assert check(json={"/status": "ok"}).failures(answer) == (fault,)


def test_pass_description_names_every_check() -> None:
    wanted = check(name="health", contains="ok", json={"/status": "ok"}, headers={"Content-Type": "json", "Age": ""})

    said = f"{wanted.title} {wanted.describe_pass(HEALTH)}"

    assert said == (
        "health: GET /health answers HTTP 200, contains 'ok', says \"ok\" at /status, "
        "has Content-Type with 'json', has Age"
    )


def test_failures_have_no_control_characters() -> None:
    answer = ProbeResponse(status=200, body=b'{"a": "' + b"x" * 1000 + b'"}', headers={"server": "\x1b[2J"})

    said = check(json={"/a": "y"}, headers={"Server": "coach"}).failures(answer)

    shown = '"' + "x" * (MAX_REPORTED_LENGTH - 1)
    assert said[0] == f'says {shown} at /a, not "y"'
    assert said[1] == "has Server '?[2J', without 'coach'"


def test_request_headers_and_body_are_not_in_the_repr() -> None:
    """A header may contain a password."""
    wanted = check(method="POST", request_headers={"Authorization": "s3cret"}, body="s3cret")

    assert "s3cret" not in repr(wanted) + repr(wanted.request) + wanted.describe_pass(HEALTH)


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("", DOCUMENT),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/m~0n", 8),
        ("/01", "zero one"),
    ],
)
def test_json_pointer_resolves_as_in_rfc_6901(pointer: str, found: object) -> None:
    assert is_json_pointer(pointer)
    assert resolve_pointer(DOCUMENT, pointer) == found


@pytest.mark.parametrize("pointer", ["/foo/01", "/foo/-", "/foo/2", "/bar", "/foo/0/x"])
def test_json_pointer_without_a_value_is_a_lookup_error(pointer: str) -> None:
    with pytest.raises(LookupError):
        resolve_pointer(DOCUMENT, pointer)


@pytest.mark.parametrize("text", ["foo", "$.foo", "/a~", "/a~2", " /a"])
def test_text_that_is_not_a_json_pointer(text: str) -> None:
    assert not is_json_pointer(text)
