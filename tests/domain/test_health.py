"""What the running app's answer proves."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.health import LONGEST, Answer, Heard, Running, understand


def test_reads_version_and_environment() -> None:
    """The contract of `/version`; whatever else the app says is its own business."""
    body = b'\n{"version": "v1.2.3", "environment": "staging", "uptime": 3}'

    assert understand(Answer(status=200, body=body)) == Running(version="v1.2.3", environment="staging")


@pytest.mark.parametrize("environment", ["null", "3", '["staging"]'])
def test_an_environment_that_is_not_text_is_none(environment: str) -> None:
    """Then the version is still known."""
    body = f'{{"version": "v1.2.3", "environment": {environment}}}'.encode()

    assert understand(Answer(status=200, body=body)) == Running(version="v1.2.3")


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(fault="refuses the connection"), "refuses the connection"),
        (Answer(status=200, body=b'{"version": "v1"}', fault="answers too much"), "answers too much"),
        (Answer(status=503, body=b'{"version": "v1"}'), "answers HTTP 503"),
        (Answer(status=301), "answers HTTP 301"),
        (Answer(status=200), "answers nothing, not JSON"),
        (Answer(status=200, body=b" <!DOCTYPE html><title>coach"), "answers HTML, not JSON"),
        (Answer(status=200, body=b"<html>"), "answers HTML, not JSON"),
        (Answer(status=200, body=b"v1.2.3"), "answers something, not JSON"),
        (Answer(status=200, body=b"\xff\xfe"), "answers something, not JSON"),
        (Answer(status=200, body=b"[" * 60_000), "answers something, not JSON"),
        (Answer(status=200, body=b'{"version": ' + b"9" * 60_000 + b"}"), "answers something, not JSON"),
        (Answer(status=200, body=b'"v1.2.3"'), 'answers JSON without a "version"'),
        (Answer(status=200, body=b'{"version": 1.2}'), 'answers JSON without a "version"'),
        (Answer(status=200, body=b'{"Version": "v1.2.3"}'), 'answers JSON without a "version"'),
    ],
)
def test_says_what_is_wrong_with_any_other_answer(answer: Answer, fault: str) -> None:
    """Nothing that an address can answer proves a version by accident, or stops the tool."""
    assert understand(answer) == Running(fault=fault)


def test_shows_nothing_that_a_terminal_would_obey() -> None:
    """What an app says is text of strangers: control characters and endless lines stay out."""
    body = b'{"version": "v1\\u001b[2J\\n' + b"x" * 1000 + b'", "environment": "\\u0007prod"}'

    running = understand(Answer(status=200, body=body))

    assert running.version.startswith("v1?[2J?xxx")
    assert len(running.version) == LONGEST
    assert running.environment == "?prod"


@pytest.mark.parametrize(
    ("running", "words"),
    [
        (Running(version="v1.2.3", environment="staging"), "answers v1.2.3 in staging"),
        (Running(version="v1.2.3"), "answers v1.2.3 in no environment"),
        (Running(), "answers no version in no environment"),
        (Running(fault="answers HTTP 503"), "answers HTTP 503"),
    ],
)
def test_says_it_in_words(running: Running, words: str) -> None:
    """The words complete the sentence `the app …`."""
    assert str(running) == words


OLD, NEW = Running(version="v1", environment="prod"), Running(version="v2", environment="prod")
DOWN = Running(fault="answers HTTP 503")


def heard(*answers: Running) -> Heard:
    """Return what was heard when these answers were given and `NEW` is right."""
    so_far = Heard()
    for answer in answers:
        so_far = so_far.add(answer, right=answer == NEW)
    return so_far


@pytest.mark.parametrize(
    ("answers", "right"), [((), 0), ((OLD,), 0), ((NEW, NEW), 2), ((NEW, NEW, OLD), 0), ((NEW, DOWN, NEW), 1)]
)
def test_a_wrong_answer_begins_the_count_anew(answers: tuple[Running, ...], right: int) -> None:
    """Half of the instances may still be old ones."""
    assert heard(*answers).right == right


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ((), "was not asked in time, not v2 in prod"),
        ((OLD,), "answers v1 in prod, not v2 in prod"),
        ((DOWN, NEW, NEW), "answers v2 in prod, but only 2 of 3 times in a row"),
        ((NEW, OLD), "flaps: v2 in prod came and went once; at last it answers v1 in prod"),
        ((NEW, OLD, NEW, DOWN), "flaps: v2 in prod came and went 2 times; at last it answers HTTP 503"),
    ],
)
def test_says_what_a_proof_lacks(answers: tuple[Running, ...], words: str) -> None:
    """The words complete the sentence `the app …`."""
    assert heard(*answers).lacking(NEW, 3) == words
