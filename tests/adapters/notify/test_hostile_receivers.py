"""Receivers that fail, hang, lead elsewhere or repeat what is secret: nothing is lost, and nothing gets out."""

from __future__ import annotations

import json
import logging
import socket
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.adapters.notify import receiver
from kaizen_tasks.adapters.notify.messenger import TargetMessenger
from kaizen_tasks.domain.notification.target import NotifyTarget
from kaizen_tasks.errors import Refused, Undelivered
from tests.adapters.notify.targets import messenger_with
from tests.fakes.clock import FakeClock
from tests.fakes.secrets import FakeSecrets
from tests.support import bad_servers
from tests.support.certificates import create_authority
from tests.support.notify_messages import promoted
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.slack_server import TOKEN
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from kaizen_tasks.ports.secrets import SecretVersion
    from tests.support.certificates import Authority

pytestmark = pytest.mark.integration

PATH = "/hooks/s3cr3tT0kenValue"
SECRET = "s3cr3tT0kenValue"
HOOK = NotifyTarget(name="deploys", webhook_secret="kaizen/hook")
CHAT = NotifyTarget(name="chat", format="slack", webhook_secret="kaizen/hook")
BOT = NotifyTarget(name="bot", format="slack", token_secret="kaizen/token", channel="C0123456789")
HOST = "chat.example"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def refusal(url: str, target: NotifyTarget = HOOK, *, is_local: bool = True) -> Undelivered:
    with pytest.raises(Undelivered) as caught:
        messenger_with(kaizen_hook=url, is_local=is_local).send(promoted(), target)
    return caught.value


def answers(server: ScriptedServer, **reply: Any) -> str:
    server.script[f"POST {PATH}"] = [Reply(**reply)]
    return f"{server.url}{PATH}"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_status_of_success_is_one(server: ScriptedServer, status: int) -> None:
    messenger_with(kaizen_hook=answers(server, status=status)).send(promoted(), HOOK)

    assert len(server.requests) == 1


@pytest.mark.parametrize("target", [HOOK, CHAT], ids=["json", "slack"])
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_failure_that_passes_is_tried_again_later(server: ScriptedServer, status: int, target: NotifyTarget) -> None:
    error = refusal(answers(server, status=status, body=b"busy"), target)

    assert not error.is_permanent
    assert f"{target.name}: 127.0.0.1:{server.port} answers HTTP {status}: busy" == error.message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_refusal_stands_until_somebody_changes_the_configuration(server: ScriptedServer, status: int) -> None:
    error = refusal(answers(server, status=status, body=b"no_service"))

    assert error.is_permanent
    assert error.hint == "correct what it names, or the secret kaizen/hook"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        ("1.5", 1.5),
        ("Fri, 20 Nov 2026 12:01:00 GMT", 60.0),
        ("Fri, 20 Nov 2026 11:59:00 GMT", 0.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        ("999999999999", 86_400.0),
        ("1e999", 0.0),
        ("nan", 0.0),
        ("²", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 86_400.0),
    ],
)
def test_wait_that_a_receiver_asks_for_is_at_most_a_day(server: ScriptedServer, value: str, seconds: float) -> None:
    headers = {"Retry-After": value.encode().decode("latin-1")}

    assert seconds == refusal(answers(server, status=429, headers=headers)).retry_after


@pytest.mark.parametrize(
    ("respond", "problem"),
    [
        (bad_servers.no_answer, "does not answer within 0.5s"),
        (bad_servers.hang_up, "resets the connection"),
    ],
)
def test_receiver_that_never_answers_is_given_up_soon(
    monkeypatch: pytest.MonkeyPatch, respond: Callable[[BaseHTTPRequestHandler], None], problem: str
) -> None:
    monkeypatch.setattr(receiver, "TIMEOUT_SECONDS", 0.5)
    with bad_servers.serve(respond) as url:
        error = refusal(f"{url}{PATH}")

    assert problem in error.message
    assert not error.is_permanent


@pytest.mark.parametrize("respond", [bad_servers.endless_body, bad_servers.huge_body, bad_servers.cut_body])
def test_whatever_follows_the_status_of_success_is_ignored(
    monkeypatch: pytest.MonkeyPatch, respond: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    """The message was accepted: to send it again would show it twice."""
    monkeypatch.setattr(receiver, "TIMEOUT_SECONDS", HANG_SECONDS)
    with bad_servers.serve(respond) as url:
        messenger_with(kaizen_hook=f"{url}{PATH}").send(promoted(), HOOK)


@pytest.mark.parametrize("target", [HOOK, CHAT], ids=["json", "slack"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(server: ScriptedServer, status: int, target: NotifyTarget) -> None:
    with ScriptedServer() as other:
        location = f"{other.url}/latest/meta-data/?token=t0p"
        error = refusal(answers(server, status=status, headers={"Location": location}), target)

    assert other.requests == []
    assert error.is_permanent
    assert error.message == (
        f"{target.name}: 127.0.0.1:{server.port} redirects to 127.0.0.1:{other.port} (HTTP {status})"
    )
    assert error.hint.startswith("write the final address into ")


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("/login?next=s3cr3tT0kenValue", "itself"),
        ("", "itself"),
        ("http://169.254.169.254/latest/", "169.254.169.254"),
        ("https://user:pass@evil.example/x", "evil.example"),
        ("http://[::", "nowhere"),
        ("https://\x1b2Jevil.example/", "?2Jevil.example"),
    ],
)
def test_redirect_names_the_other_host_alone(server: ScriptedServer, location: str, place: str) -> None:
    error = refusal(answers(server, status=302, headers={"Location": location}))

    assert f" redirects to {place} (HTTP 302)" in error.message


@pytest.mark.parametrize(
    "body",
    [
        f"Cannot POST {PATH}",
        f"Cannot POST {PATH}" * 5_000,
        json.dumps({"error": f"unknown hook {SECRET}", "url": f"https://x{PATH}"}),
        f"\x1b]0;{SECRET}\x07",
    ],
)
def test_no_error_repeats_the_secret(
    server: ScriptedServer, body: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)

    error = refusal(answers(server, status=404, body=body.encode()))

    for text in (str(error), repr(error), caplog.text, *capsys.readouterr()):
        assert SECRET not in text
    assert "[redacted]" in error.message
    assert len(error.message) < 300
    assert error.message.isprintable()


def test_pages_in_place_of_an_answer_are_left_out(server: ScriptedServer) -> None:
    error = refusal(answers(server, status=502, body=b"<html><title>Bad gateway</title>"))

    assert error.message.endswith("answers HTTP 502")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("not a url", "is not a URL"),
        (f"http://hooks.example.com{PATH}", "begins with http://"),
        (f"https://169.254.169.254{PATH}", "is the metadata service of a cloud"),
        (f"https://[::ffff:10.0.0.1]{PATH}", "is in a private network"),
        (f"https://10.0.0.1{PATH}", "is in a private network"),
    ],
)
def test_address_that_no_receiver_has_is_refused_before_anything_is_sent(url: str, problem: str) -> None:
    error = refusal(url)

    assert problem in error.message
    assert error.is_permanent
    assert SECRET not in str(error)


def test_this_machine_needs_a_permission_outside_of_local_clouds(server: ScriptedServer) -> None:
    error = refusal(answers(server), is_local=False)

    assert error.message == "deploys: 127.0.0.1 is this machine"
    assert 'private_host = "127.0.0.1" in [[notify]]' in error.hint
    assert server.requests == []


class Names:
    """Resolves a name to addresses, one answer after the other; other names as ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: tuple[str, ...]) -> None:
        self.asked = 0
        self._answers = list(answers)
        self._resolve = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self.getaddrinfo)

    def getaddrinfo(self, host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if host != HOST:
            return self._resolve(host, port, *arguments, **options)
        self.asked += 1
        addresses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [found for each in addresses for found in self._resolve(each, port, *arguments, **options)]


@pytest.mark.parametrize(
    ("addresses", "problem"),
    [
        (("10.0.0.7",), f"{HOST} (10.0.0.7) is in a private network"),
        (("127.0.0.1",), f"{HOST} (127.0.0.1) is this machine"),
        (("93.184.216.34", "192.168.0.1"), f"{HOST} (192.168.0.1) is in a private network"),
    ],
)
def test_name_that_leads_into_a_private_network_is_refused(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...], problem: str
) -> None:
    Names(monkeypatch, addresses)

    error = refusal(f"https://{HOST}{PATH}")

    assert problem in error.message
    assert f'private_host = "{HOST}" in [[notify]]' in error.hint


@pytest.mark.parametrize("private_host", ["", HOST])
@pytest.mark.parametrize("address", ["169.254.169.254", "169.254.7.7", "224.0.0.1"])
def test_address_of_no_receiver_is_refused_also_for_a_private_host(
    monkeypatch: pytest.MonkeyPatch, private_host: str, address: str
) -> None:
    """What to type is not `private_host`, which does not help."""
    Names(monkeypatch, (address,))
    target = NotifyTarget(name="deploys", webhook_secret="kaizen/hook", private_host=private_host)

    error = refusal(f"https://{HOST}{PATH}", target)

    assert f"{HOST} ({address}) is " in error.message
    assert error.hint == "correct the secret kaizen/hook: no message may be sent there"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    authority = create_authority(tmp_path, HOST)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    return authority


def test_private_host_is_reached_at_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    """The name is resolved once, so that a second answer, from whoever has the name, cannot lead elsewhere."""
    names = Names(monkeypatch, ("127.0.0.1",), ("169.254.169.254",))
    target = NotifyTarget(name="chat", format="slack", webhook_secret="kaizen/hook", private_host=HOST)
    with ScriptedServer(context=authority.server) as server:
        answers(server)
        messenger = messenger_with(is_local=False, kaizen_hook=f"https://{HOST}:{server.port}{PATH}")
        messenger.send(promoted(), target)

    assert names.asked == 1
    assert server.requests[0].headers["Host"] == f"{HOST}:{server.port}"


def test_next_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    Names(monkeypatch, ("::1", "127.0.0.1"))
    target = NotifyTarget(name="chat", webhook_secret="kaizen/hook", private_host=HOST)
    with ScriptedServer(context=authority.server) as server:
        answers(server)
        messenger_with(kaizen_hook=f"https://{HOST}:{server.port}{PATH}").send(promoted(), target)

    assert len(server.requests) == 1


def test_server_without_the_certificate_of_the_name_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    Names(monkeypatch, ("127.0.0.1",))
    with ScriptedServer(context=create_authority(authority.bundle.parent, "other.example").server) as server:
        answers(server)
        target = NotifyTarget(name="chat", webhook_secret="kaizen/hook", private_host=HOST)
        error = refusal(f"https://{HOST}:{server.port}{PATH}", target)

    assert f"the certificate of {HOST} is not trusted" in error.message
    assert server.requests == []


@pytest.mark.parametrize("body", [TOKEN, f"token={TOKEN}", json.dumps({"ok": False, "error": TOKEN})])
def test_no_error_repeats_the_token_of_a_bot(server: ScriptedServer, body: str) -> None:
    for status in (200, 403):
        server.script["POST /api/chat.postMessage"] = [Reply(status=status, body=body.encode())]
        target = NotifyTarget(**{**_values(BOT), "webhook": f"{server.url}/api/"})

        with pytest.raises(Undelivered) as caught:
            messenger_with(kaizen_token=TOKEN).send(promoted(), target)

        assert TOKEN not in str(caught.value)


def _values(target: NotifyTarget) -> dict[str, Any]:
    from attrs import asdict

    return asdict(target, recurse=False)


@pytest.mark.parametrize("content", ["hunter2", "xoxb- 1", "xoxb-1\nxoxb-2", "xoxb-ü", '{"a": "b", "c": "d"}'])
def test_secret_that_is_no_token_is_not_sent(content: str) -> None:
    with pytest.raises(Undelivered, match="the secret kaizen/token is not a token of Slack") as caught:
        messenger_with(kaizen_token=content).send(promoted(), BOT)

    assert content not in str(caught.value)


def test_missing_secret_says_how_to_create_it() -> None:
    with pytest.raises(Undelivered, match="there is no secret kaizen/hook") as caught:
        messenger_with().send(promoted(), HOOK)

    assert caught.value.is_permanent
    assert caught.value.hint == (
        "create it, and type its text: "
        "aws secretsmanager create-secret --name kaizen/hook --secret-string file:///dev/stdin"
    )


@pytest.mark.parametrize("content", ["", "hunter2", "whsec_c2hvcnQ="])
def test_key_that_is_none_is_not_used(server: ScriptedServer, content: str) -> None:
    target = NotifyTarget(name="deploys", webhook_secret="kaizen/hook", signing_secret="kaizen/key")

    with pytest.raises(Undelivered, match="the secret kaizen/key ") as caught:
        messenger_with(kaizen_hook=answers(server), kaizen_key=content).send(promoted(), target)

    assert caught.value.is_permanent
    assert server.requests == []


check = partial(messenger_with, kaizen_token=TOKEN)


def test_check_sends_nothing(server: ScriptedServer) -> None:
    check(kaizen_hook=answers(server)).require_usable(HOOK)

    assert server.requests == []


def test_check_finds_a_name_that_leads_into_a_private_network(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, ("10.1.2.3",))

    with pytest.raises(Undelivered, match="is in a private network"):
        check(kaizen_hook=f"https://{HOST}{PATH}").require_usable(HOOK)


def test_check_finds_a_name_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, ())

    with pytest.raises(Undelivered, match=rf"{HOST} has no address"):
        check(kaizen_hook=f"https://{HOST}{PATH}").require_usable(HOOK)


def test_secret_that_is_bytes_is_to_be_stored_as_text() -> None:
    class BinarySecrets(FakeSecrets):
        def current(self, name: str) -> SecretVersion:
            raise Refused(f"the secret {name} holds bytes, not text", hint="a runtime configuration is a JSON object")

    network, secrets = NetworkSettings(), BinarySecrets()
    messenger = TargetMessenger(lambda: secrets, network=lambda: network, clock=FakeClock())

    with pytest.raises(Undelivered, match="holds bytes") as caught:
        messenger.send(promoted(), HOOK)

    assert (caught.value.hint, caught.value.is_permanent) == ("store it as text", True)
