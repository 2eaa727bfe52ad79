"""The example app as a process."""

from __future__ import annotations

import ast
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.examples.coach import COACH, running, start
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.examples.coach import RunningCoach

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def coach() -> Iterator[RunningCoach]:
    with running(APP_VERSION="v1.2.3", ENVIRONMENT="staging") as app:
        yield app


def test_version_proves_what_is_running_and_where(coach: RunningCoach) -> None:
    reply = coach.ask("/version")
    assert (reply.status, json.loads(reply.body)) == (200, {"version": "v1.2.3", "environment": "staging"})
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"


def test_version_is_dev_where_nothing_set_one() -> None:
    with running() as app:
        assert json.loads(app.ask("/version").body) == {"version": "dev", "environment": "local"}


def test_settings_say_what_is_configured_and_no_secret() -> None:
    with running(AI_MODEL="coach-large", AI_TEMPERATURE="0.4", CALENDAR_TOKEN="hush") as app:
        reply = app.ask("/settings")
    assert json.loads(reply.body) == {"model": "coach-large", "temperature": 0.4, "calendar": True}
    assert reply.headers["Cache-Control"] == "no-store"


def test_settings_of_a_laptop(coach: RunningCoach) -> None:
    assert json.loads(coach.ask("/settings").body) == {"model": "none", "temperature": 0.0, "calendar": False}


def test_does_not_start_with_a_temperature_that_is_none() -> None:
    with start(AI_TEMPERATURE="warm") as process:
        _, err = process.communicate(timeout=HANG_SECONDS)
    assert (process.returncode, err) == (1, "coach: AI_TEMPERATURE must be a number, not 'warm'\n")


def test_home_marks_the_day_of_the_session_that_it_shows(coach: RunningCoach) -> None:
    sessions = json.loads((COACH / "coach/data/week.json").read_text())["sessions"]
    page = coach.ask("/").body
    title = re.search(r"<h1>(.+)</h1>", page)
    marked = re.findall(r'aria-current="date"><b>(\w+)</b>', page)
    assert title
    assert marked == [session["day"][:3] for session in sessions if session["title"] == title[1]]


def test_home_shows_each_block_and_how_long_it_all_takes(tmp_path: Path) -> None:
    blocks = [
        {"what": "Climb & descend", "minutes": 70, "effort": 5},
        {"what": "Walk", "minutes": 5, "effort": 1},
    ]
    page = home_of_a_week_of(blocks, tmp_path)
    assert "<b>1 h 15 min</b> in 2 blocks" in page
    assert "Climb &amp; descend<small>all out</small><b>1 h 10 min</b>" in page
    assert "Walk<small>easy</small><b>5 min</b>" in page
    assert page.count("<rect ") == 2


def test_home_of_a_rest_day_has_no_blocks(tmp_path: Path) -> None:
    page = home_of_a_week_of([], tmp_path)
    assert "<h1>Same again</h1>" in page
    assert page.count("<small>rest</small>") == 7
    assert "<svg" not in page


def test_footer_names_version_and_environment(coach: RunningCoach) -> None:
    footer = coach.ask("/").body.partition("<footer>")[2]
    assert "<b>v1.2.3</b>" in footer
    assert ">staging</span>" in footer


def test_whats_new_shows_the_latest_release_and_nothing_unreleased(coach: RunningCoach) -> None:
    reply = coach.ask("/whats-new")
    assert reply.status == 200
    assert "<h1>Version 0.1.7</h1>" in reply.body
    assert "at <code>/whats-new</code>" in reply.body
    assert "Dark mode" not in reply.body
    assert "0.1.6" not in reply.body


def test_whats_new_follows_the_changelog(tmp_path: Path) -> None:
    app_folder = copied_app(tmp_path)
    changelog = app_folder / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("[Unreleased]", "[0.1.8] - 2026-11-22", 1))
    with running(app_folder) as app:
        body = app.ask("/whats-new").body
    assert "<h1>Version 0.1.8</h1>" in body
    assert "<b>Effort profile</b> on the home page: every block of today's session as a bar, as wide" in body


def test_stylesheet_is_served_as_css(coach: RunningCoach) -> None:
    reply = coach.ask("/style.css")
    assert reply.headers["Content-Type"] == "text/css; charset=utf-8"
    assert reply.body == (COACH / "coach/static/style.css").read_text()
    assert 'href="/style.css"' in coach.ask("/").body


def test_healthz_is_ok(coach: RunningCoach) -> None:
    reply = coach.ask("/healthz")
    assert (reply.status, reply.body) == (200, "ok\n")


def test_does_not_tell_which_python_it_runs_on(coach: RunningCoach) -> None:
    assert coach.ask("/healthz").headers["Server"] == "coach"


def test_a_query_string_does_not_change_the_page(coach: RunningCoach) -> None:
    assert coach.ask("/version?nocache=1").body == coach.ask("/version").body


@pytest.mark.parametrize("path", ["/nowhere", "/version/", "/../VERSION", "/static/style.css", "/%2e%2e/"])
def test_answers_404_for_every_other_path(coach: RunningCoach, path: str) -> None:
    reply = coach.ask(path)
    assert reply.status == 404
    assert '<a href="/">' in reply.body


@pytest.mark.parametrize("path", ["/", "/whats-new", "/version", "/settings", "/healthz", "/style.css", "/nowhere"])
def test_head_answers_as_get_without_a_body(coach: RunningCoach, path: str) -> None:
    get, head = coach.ask(path), coach.ask(path, "HEAD")
    assert head.body == ""
    assert head.status == get.status
    assert int(head.headers["Content-Length"]) == len(get.body.encode())
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_refuses_to_be_written_to(coach: RunningCoach) -> None:
    assert coach.ask("/", "POST").status == 501


def test_escapes_what_the_environment_says() -> None:
    hostile = '<script>alert("1")</script>&\''
    with running(APP_VERSION=hostile, ENVIRONMENT=hostile) as app:
        body = app.ask("/").body
        proof = json.loads(app.ask("/version").body)
    assert "<script" not in body
    assert body.count("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#x27;") == 2
    assert proof == {"version": hostile, "environment": hostile}


def test_runs_from_any_working_directory(tmp_path: Path) -> None:
    with running(tmp_path, PYTHONPATH=str(COACH)) as app:
        assert app.ask("/").status == 200
        assert app.ask("/whats-new").status == 200


def test_refuses_a_port_that_is_no_port_in_one_line() -> None:
    with start(PORT="eighty") as process:
        out, err = process.communicate(timeout=HANG_SECONDS)
    assert (process.returncode, out) == (1, "")
    assert err == "coach: PORT must be a number from 0 to 65535, not 'eighty'\n"


def test_does_not_start_with_a_broken_plan(tmp_path: Path) -> None:
    app_folder = copied_app(tmp_path)
    (app_folder / "coach/data/week.json").write_text('{"name": "Short", "sessions": []}')
    with start(app_folder) as process:
        _, err = process.communicate(timeout=HANG_SECONDS)
    assert process.returncode == 1
    assert err == "coach: week.json holds 0 sessions, a week has 7\n"


def test_says_that_its_port_is_taken(coach: RunningCoach) -> None:
    with start(PORT=str(coach.port)) as process:
        _, err = process.communicate(timeout=HANG_SECONDS)
    assert process.returncode == 1
    assert err.startswith("coach: ")
    assert err.endswith("Address already in use\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_when_told(number: signal.Signals) -> None:
    with running() as app:
        app.process.send_signal(number)
        assert app.process.wait(timeout=HANG_SECONDS) == 0
        with pytest.raises(ConnectionRefusedError):
            app.ask("/healthz")


def test_finishes_the_answer_under_way_before_it_stops() -> None:
    with running() as app, socket.create_connection(("127.0.0.1", app.port), timeout=HANG_SECONDS) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\n")
        app.ask("/healthz")  # the earlier connection has been accepted by the time this one is answered
        app.process.send_signal(signal.SIGTERM)
        wait_until_refused(app)
        client.sendall(b"Host: coach\r\n\r\n")
        with client.makefile("rb") as answer:
            assert answer.read().endswith(b"\r\n\r\nok\n")
        assert app.process.wait(timeout=HANG_SECONDS) == 0


def test_minified_stylesheet_keeps_every_declaration(tmp_path: Path) -> None:
    target = tmp_path / "style.min.css"
    source = COACH / "coach/static/style.css"
    subprocess.run([sys.executable, COACH / "tools/minify.py", source, target], check=True)
    minified = target.read_text()
    assert len(minified) < 0.85 * len(source.read_text())
    assert "/*" not in minified
    assert "\n" not in minified
    assert "@media (prefers-color-scheme:dark){:root{--paper:#141917;" in minified
    assert ".blocks li:last-child{padding-bottom:0;border:0}" in minified
    assert declarations(minified) == declarations(source.read_text())


def test_version_file_names_the_latest_released_heading() -> None:
    headings = re.findall(r"^## \[(\d.*)\]", (COACH / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert (COACH / "VERSION").read_text() == f"{headings[0]}\n"
    assert headings == ["0.1.7", "0.1.6", "0.1.5", "0.1.1", "0.1.0"]


def test_tasks_file_is_two_lines_of_code() -> None:
    docstring, *code = ast.parse((COACH / "tasks.py").read_text()).body
    assert isinstance(docstring, ast.Expr)
    assert [ast.unparse(line) for line in code] == [
        "from kaizen_tasks import namespace",
        "__all__ = ['namespace']",
    ]


def test_settings_mention_only_environments_that_exist() -> None:
    settings = tomllib.loads((COACH / "kaizen.toml").read_text())
    beta = settings["groups"]["beta"]
    assert set(settings["environments"]) == {"staging", "prod", *beta}
    assert set(settings["pipeline"]) <= {*settings["environments"], *settings["groups"]}


def copied_app(tmp_path: Path) -> Path:
    """Copy the app to a folder in which the test may change it."""
    return shutil.copytree(COACH, tmp_path / "coach", ignore=shutil.ignore_patterns("__pycache__"))


def home_of_a_week_of(blocks: list[dict[str, object]], tmp_path: Path) -> str:
    """Request the home page of a plan with the same blocks on all seven days."""
    app_folder = copied_app(tmp_path)
    session = {"day": "Someday", "title": "Same again", "why": "Because.", "blocks": blocks}
    plan = {"name": "A plan", "sessions": [session] * 7}
    (app_folder / "coach/data/week.json").write_text(json.dumps(plan))
    with running(app_folder) as app:
        return app.ask("/").body


def declarations(css: str) -> list[str]:
    """List a stylesheet's selectors and declarations in order, with significant white space."""
    without_comments = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    parts = [" ".join(part.split()) for part in re.split(r"[{};]", without_comments) if part.strip()]
    return [re.sub(r"([:,]) ", r"\1", part) for part in parts]


def wait_until_refused(app: RunningCoach) -> None:
    """Wait until the app accepts no new connections."""
    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline:
        try:
            app.ask("/healthz")
        except OSError:
            return
        time.sleep(0.01)
    pytest.fail("the app still accepts connections")
