"""Services of Apprise, over their real plug-ins to servers on this machine."""

from __future__ import annotations

import json
import logging
import logging.handlers
import queue
import socketserver
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.notify import apprise_services
from kaizen_tasks.cli.command import _quiet_noisy_loggers
from kaizen_tasks.domain.notification.target import NotifyTarget
from kaizen_tasks.domain.notification.topic import Topic
from kaizen_tasks.errors import Undelivered
from tests.adapters.notify.targets import messenger_with
from tests.support import bad_servers
from tests.support.certificates import create_authority
from tests.support.notify_messages import promoted
from tests.support.scripted_server import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),  # a plug-in for PGP
]

TARGET = NotifyTarget(name="mail", format="apprise", webhook_secret="kaizen/mail")
PASSWORD = "s3cr3tPassw0rd"


def refusal(url: str) -> Undelivered:
    with pytest.raises(Undelivered) as caught:
        messenger_with(kaizen_mail=url).send(promoted(), TARGET)
    assert PASSWORD not in str(caught.value)
    return caught.value


def url_of(server: ScriptedServer, query: str = "") -> str:
    scheme = "jsons" if server.context else "json"
    return f"{scheme}://ada:{PASSWORD}@127.0.0.1:{server.port}/hook{query}"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(script={"POST /hook": [Reply()]}) as server:
        yield server


@pytest.fixture
def debug_log() -> Iterator[queue.SimpleQueue[logging.LogRecord]]:
    """What `--debug` would show."""
    records = queue.SimpleQueue[logging.LogRecord]()
    handler, root = logging.handlers.QueueHandler(records), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    _quiet_noisy_loggers()
    yield records
    root.removeHandler(handler)
    root.setLevel(level)


def test_service_gets_title_text_and_kind(server: ScriptedServer) -> None:
    messenger_with(kaizen_mail=url_of(server)).send(promoted(topic=Topic.FAILED), TARGET)

    document = json.loads(server.requests[0].body)
    assert document["title"] == "coach: v1.2.3 was promoted to prod"
    assert document["message"].splitlines()[0] == "by ada, in 2 minutes"
    assert document["type"] == "failure"


def test_failure_is_explained_without_the_address(
    server: ScriptedServer, debug_log: queue.SimpleQueue[logging.LogRecord], capfd: pytest.CaptureFixture[str]
) -> None:
    server.script["POST /hook"] = [Reply(status=500, body=PASSWORD.encode())]

    error = refusal(url_of(server))

    assert error.message == "mail: Failed to send JSON POST notification: Internal server error., error=500."
    assert not error.is_permanent
    assert debug_log.empty()
    assert not any(capfd.readouterr())


@pytest.mark.parametrize("query", ["", "?redirect=yes"])
def test_redirects_are_not_followed(server: ScriptedServer, query: str) -> None:
    with ScriptedServer(script={"POST /": [Reply()], "GET /": [Reply()]}) as other:
        server.script["POST /hook"] = [Reply(status=307, headers={"Location": f"{other.url}/"})]

        refusal(url_of(server, query))

    assert other.requests == []


def test_service_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread is left that Python would wait for at the end of the program."""
    monkeypatch.setattr(apprise_services, "TIMEOUT_SECONDS", 0.5)
    with bad_servers.serve(bad_servers.no_answer) as url:
        error = refusal(url.replace("http://", "json://"))
        waiting = [thread for thread in threading.enumerate() if thread.name == "notify mail"]

    assert error.message == "mail: does not accept the message within 0.5s"
    assert all(thread.daemon for thread in waiting)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "is not an address that Apprise knows"),
        (PASSWORD, "is not an address that Apprise knows"),
        (f"nosuch://{PASSWORD}", "is not an address that Apprise knows"),
        (f"https://example.com/{PASSWORD}", "is not an address that Apprise knows"),
        ("syslog://", "names a service of the machine on which a command happens to run"),
        ("dbus://", "names a service of the machine on which a command happens to run"),
        ("windows://", "names a service of the machine on which a command happens to run"),
    ],
)
def test_address_that_apprise_does_not_know_is_refused(url: str, problem: str) -> None:
    error = refusal(url)

    assert error.message == f"mail: the secret kaizen/mail {problem}"
    assert error.is_permanent


def test_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)

    error = refusal("json://127.0.0.1/hook")

    assert error.message == "mail: needs Apprise, which is not installed"
    assert 'pip install "kaizen-tasks[notify]"' in error.hint


def test_authority_of_the_company_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = create_authority(tmp_path, "mail.example")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    with ScriptedServer(context=authority.server, script={"POST /hook": [Reply()]}) as server:
        messenger_with(kaizen_mail=url_of(server)).send(promoted(), TARGET)

    assert len(server.requests) == 1


def test_check_sends_nothing(server: ScriptedServer) -> None:
    messenger_with(kaizen_mail=url_of(server)).require_usable(TARGET)

    assert server.requests == []


def test_mail_is_sent_over_smtp() -> None:
    with mail_server() as (port, mails):
        url = f"mailto://127.0.0.1:{port}?from=deploys@coach.example&to=team@coach.example&format=text"
        messenger_with(kaizen_mail=url).send(promoted(), TARGET)

    [mail] = mails
    assert "Subject: coach: v1.2.3 was promoted to prod" in mail
    assert "To: team@coach.example" in mail
    assert "by ada, in 2 minutes" in mail


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """Accept mails without a password; yield the port and the mails."""
    mails: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail.example\r\n")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    mails.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 fine\r\n")
                if verb == b"QUIT":
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1], mails
        server.shutdown()
