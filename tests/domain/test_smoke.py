"""What a smoke check makes of an answer."""

from __future__ import annotations

from typing import Any

import pytest

from kaizen_tasks.domain.health import MAX_REPORTED_LENGTH, ProbeResponse
from kaizen_tasks.domain.smoke import SmokeCheck, Statuses, is_json_pointer, resolve_pointer

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
def test_says_everything_that_is_wrong(wanted: SmokeCheck, faults: tuple[str, ...]) -> None:
    """With what was expected and what came."""
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
def test_says_of_another_kind_of_answer_only_that(answer: ProbeResponse, fault: str) -> None:
    """What stands in an error page says nothing more."""
    assert check(json={"/status": "ok"}).failures(answer) == (fault,)


def test_says_what_was_held_against_a_right_answer() -> None:
    """One sees that the check looks at what it was meant to."""
    wanted = check(name="health", contains="ok", json={"/status": "ok"}, headers={"Content-Type": "json", "Age": ""})

    said = f"{wanted.title} {wanted.describe_pass(HEALTH)}"

    assert said == (
        "health: GET /health answers HTTP 200, contains 'ok', says \"ok\" at /status, "
        "has Content-Type with 'json', has Age"
    )


def test_shows_nothing_that_a_terminal_would_obey() -> None:
    """What an app says is text of strangers."""
    answer = ProbeResponse(status=200, body=b'{"a": "' + b"x" * 1000 + b'"}', headers={"server": "\x1b[2J"})

    said = check(json={"/a": "y"}, headers={"Server": "coach"}).failures(answer)

    shown = '"' + "x" * (MAX_REPORTED_LENGTH - 1)
    assert said[0] == f'says {shown} at /a, not "y"'
    assert said[1] == "has Server '?[2J', without 'coach'"


def test_does_not_show_what_may_be_secret() -> None:
    """A header may carry a password."""
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
def test_a_pointer_leads_where_its_standard_says(pointer: str, found: object) -> None:
    """The examples of RFC 6901, and a name that looks like a number."""
    assert is_json_pointer(pointer)
    assert resolve_pointer(DOCUMENT, pointer) == found


@pytest.mark.parametrize("pointer", ["/foo/01", "/foo/-", "/foo/2", "/bar", "/foo/0/x"])
def test_a_pointer_may_lead_nowhere(pointer: str) -> None:
    """An index has no leading zero, and `-` is the place after the last."""
    with pytest.raises(LookupError):
        resolve_pointer(DOCUMENT, pointer)


@pytest.mark.parametrize("text", ["foo", "$.foo", "/a~", "/a~2", " /a"])
def test_knows_what_is_no_pointer(text: str) -> None:
    """A `~` means 0 or 1."""
    assert not is_json_pointer(text)
