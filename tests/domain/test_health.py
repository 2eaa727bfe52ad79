"""Answers of the running app about its version."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.health import (
    ProbeResponse,
    ProbeTally,
    VersionFormat,
    VersionReport,
    parse_version_response,
)
from kaizen_tasks.domain.tag_pattern import TagPattern
from kaizen_tasks.domain.text.response_text import MAX_REPORTED_LENGTH


def test_version_response_has_version_and_environment() -> None:
    body = b'\n{"version": "v1.2.3", "environment": "staging", "uptime": 3}'

    assert parse_version_response(ProbeResponse(status=200, body=body)) == VersionReport(
        version="v1.2.3", environment="staging"
    )


@pytest.mark.parametrize("environment", ["null", "3", '["staging"]'])
def test_environment_that_is_not_text_is_empty(environment: str) -> None:
    body = f'{{"version": "v1.2.3", "environment": {environment}}}'.encode()

    assert parse_version_response(ProbeResponse(status=200, body=body)) == VersionReport(version="v1.2.3")


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (ProbeResponse(error="refuses the connection"), "refuses the connection"),
        (ProbeResponse(status=200, body=b'{"version": "v1"}', error="answers too much"), "answers too much"),
        (ProbeResponse(status=503, body=b'{"version": "v1"}'), "answers HTTP 503"),
        (ProbeResponse(status=301), "answers HTTP 301"),
        (ProbeResponse(status=200), "answers nothing, not JSON"),
        (ProbeResponse(status=200, body=b" <!DOCTYPE html><title>coach"), "answers HTML, not JSON"),
        (ProbeResponse(status=200, body=b"<html>"), "answers HTML, not JSON"),
        (ProbeResponse(status=200, body=b"v1.2.3"), "answers something, not JSON"),
        (ProbeResponse(status=200, body=b"\xff\xfe"), "answers something, not JSON"),
        (ProbeResponse(status=200, body=b"[" * 60_000), "answers something, not JSON"),
        (ProbeResponse(status=200, body=b'{"version": ' + b"9" * 60_000 + b"}"), "answers something, not JSON"),
        (ProbeResponse(status=200, body=b'"v1.2.3"'), 'answers JSON without a text at "/version"'),
        (ProbeResponse(status=200, body=b'{"version": 1.2}'), 'answers JSON without a text at "/version"'),
        (ProbeResponse(status=200, body=b'{"Version": "v1.2.3"}'), 'answers JSON without a text at "/version"'),
    ],
)
def test_unusable_version_response_has_an_error(answer: ProbeResponse, fault: str) -> None:
    is_off_topic = answer.status in range(200, 500)
    assert parse_version_response(answer) == VersionReport(error=fault, is_off_topic=is_off_topic)


@pytest.mark.parametrize("status", [200, 503])
def test_answer_of_a_cache_is_neither_right_nor_wrong(status: int) -> None:
    response = ProbeResponse(status=status, body=b'{"version": "v1.2.3"}', headers={"age": "37"})

    assert parse_version_response(response) == VersionReport(error="answers from a cache (Age: 37)", is_cached=True)


def test_request_that_the_network_kept_from_the_app_is_reported_with_its_remedy() -> None:
    response = ProbeResponse(error=KEPT.error, network_remedy=KEPT.network_remedy)

    assert parse_version_response(response) == KEPT


def test_redirect_is_explained_without_its_query() -> None:
    """A login page's address may contain a token."""
    response = ProbeResponse(status=302, headers={"location": "https://login.example/?token=hush"})

    assert parse_version_response(response).error == "answers HTTP 302 to https://login.example/"


def test_version_report_is_short_and_has_no_control_characters() -> None:
    body = b'{"version": "v1\\u001b[2J\\n' + b"x" * 1000 + b'", "environment": "\\u0007prod"}'

    running = parse_version_response(ProbeResponse(status=200, body=body))

    assert running.version.startswith("v1?[2J?xxx")
    assert len(running.version) == MAX_REPORTED_LENGTH
    assert running.environment == "?prod"


@pytest.mark.parametrize(
    ("running", "words"),
    [
        (VersionReport(version="v1.2.3", environment="staging"), "answers v1.2.3 in staging"),
        (VersionReport(version="v1.2.3"), "answers v1.2.3 in no environment"),
        (VersionReport(), "answers no version in no environment"),
        (VersionReport(error="answers HTTP 503"), "answers HTTP 503"),
    ],
)
def test_version_report_in_words(running: VersionReport, words: str) -> None:
    """The words complete the sentence `the app …`."""
    assert str(running) == words


OLD, NEW = VersionReport(version="v1", environment="prod"), VersionReport(version="v2", environment="prod")
DOWN = VersionReport(error="answers HTTP 503")
CACHED = VersionReport(error="answers from a cache (Age: 37)", is_cached=True)
KEPT = VersionReport(error="cannot be reached: the proxy …", network_remedy="correct or unset HTTPS_PROXY")


def heard(*answers: VersionReport) -> ProbeTally:
    """Return the tally of these answers when `NEW` is expected."""
    so_far = ProbeTally()
    for answer in answers:
        so_far = so_far.add(answer, is_match=answer == NEW)
    return so_far


@pytest.mark.parametrize(
    ("answers", "right"),
    [
        ((), 0),
        ((OLD,), 0),
        ((NEW, NEW), 2),
        ((NEW, NEW, OLD), 0),
        ((NEW, DOWN, NEW), 1),
        ((NEW, CACHED, NEW), 2),
        ((NEW, KEPT, NEW), 2),
    ],
)
def test_unexpected_answer_resets_the_streak(answers: tuple[VersionReport, ...], right: int) -> None:
    """Half of the instances may still run the old version."""
    assert heard(*answers).streak == right


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ((), "was not asked in time; expected v2 in prod"),
        ((OLD,), "answers v1 in prod; expected v2 in prod"),
        ((DOWN, NEW, NEW), "answers v2 in prod, but only 2 of 3 times in a row"),
        ((NEW, OLD), "flaps: v2 in prod came and went once; finally it answers v1 in prod"),
        ((NEW, OLD, NEW, DOWN), "flaps: v2 in prod came and went 2 times; finally it answers HTTP 503"),
    ],
)
def test_tally_explains_why_the_version_is_not_verified(answers: tuple[VersionReport, ...], words: str) -> None:
    assert heard(*answers).explain(NEW, 3) == words


@pytest.mark.parametrize(
    ("answers", "foreign_report"),
    [
        ((), None),
        ((OLD, OLD), None),
        ((CACHED,), CACHED),
        ((OLD, CACHED), CACHED),
        ((CACHED, DOWN), CACHED),
        ((CACHED, DOWN, OLD), None),
        ((CACHED, DOWN, OLD, KEPT), KEPT),
    ],
)
def test_tally_is_inconclusive_if_one_of_the_last_answers_is_not_of_the_app(
    answers: tuple[VersionReport, ...], foreign_report: VersionReport | None
) -> None:
    assert heard(*answers).inconclusive_report(2) == foreign_report


def parse(body: bytes, kind: str = "application/json", **expected: object) -> VersionReport:
    """Parse an answer in a configured format."""
    response = ProbeResponse(status=200, body=body, headers={"content-type": kind})
    return parse_version_response(response, VersionFormat(**expected))  # type: ignore[arg-type]


def test_version_and_environment_are_found_at_json_pointers() -> None:
    body = b'{"build": {"tag": "v1.2.3"}, "env": ["staging"]}'

    assert parse(body, version="/build/tag", environment="/env/0") == VersionReport(
        version="v1.2.3", environment="staging"
    )
    assert parse(body, version="/build/commit").error == 'answers JSON without a text at "/build/commit"'
    assert parse(b'"v1.2.3"', version="").version == "v1.2.3"
    assert parse(body, version="").error == "answers JSON that is no text"


def test_answer_need_not_name_the_environment_if_so_configured() -> None:
    report = parse(b'{"version": "v1.2.3", "environment": "elsewhere"}', environment="")

    assert (str(report), report.is_from("staging")) == ("answers v1.2.3", True)


@pytest.mark.parametrize(
    ("body", "kind", "form", "shown"),
    [
        (b"v1.2.3\n", "text/plain; charset=utf-8", "auto", "answers v1.2.3 in no environment"),
        (b"\xef\xbb\xbfv1.2.3\r\n", "text/plain", "auto", "answers v1.2.3 in no environment"),
        (b"1.2.3", "application/octet-stream", "text", "answers v1.2.3 in no environment"),
        (b'{"version": "v1.2.3", "environment": "staging"}', "text/plain", "auto", "answers v1.2.3 in staging"),
        (b'{"version": "v1.2.3"}', "text/plain", "text", "answers something, not a version"),
        (b"v1.2.3", "text/plain", "json", "answers something, not JSON"),
        (b"v1.2.3", "text/html", "auto", "answers something, not JSON"),
        (b"", "text/plain", "auto", "answers nothing, not a version"),
        (b"<html>v1.2.3", "text/plain", "text", "answers <html>v1.2.3 in no environment"),
        (b"<!doctype html><title>coach</title>", "text/plain", "text", "answers HTML, not a version"),
        (b"x" * 1000, "text/plain", "text", "answers something, not a version"),
        (b"\xff\x1b[2J", "text/plain", "text", "answers ??[2J in no environment"),
    ],
)
def test_plain_text_is_a_version(body: bytes, kind: str, form: str, shown: str) -> None:
    assert str(parse(body, kind, format=form)).replace("\N{REPLACEMENT CHARACTER}", "?") == shown


@pytest.mark.parametrize(
    ("reported", "pattern", "version"),
    [
        ("v1.2.3", "v{version}", "v1.2.3"),
        ("1.2.3", "v{version}", "v1.2.3"),
        ("1.2.3", "{version}", "v1.2.3"),
        ("coach/v1.2.3-rc.1", "coach/v{version}", "v1.2.3-rc.1"),
        (" v1.2.3 ", "v{version}", "v1.2.3"),
        ("V1.2.3", "v{version}", "V1.2.3"),
        ("1.2", "v{version}", "1.2"),
        ("1.2.3+build.7", "v{version}", "1.2.3+build.7"),
        ("other/v1.2.3", "coach/v{version}", "other/v1.2.3"),
    ],
)
def test_version_may_be_written_bare_or_like_the_git_tag(reported: str, pattern: str, version: str) -> None:
    body = f'{{"version": "{reported}"}}'.encode()

    assert parse(body, tag_pattern=TagPattern(template=pattern)).version == version
