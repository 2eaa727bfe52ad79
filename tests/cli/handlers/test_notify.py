"""`notify.test` as it is typed, with secrets of the local cloud and receivers on this machine."""

from __future__ import annotations

import base64
import json
import logging
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks.webhooks import Webhook

from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger
from kaizen_tasks.adapters.aws.session import Aws
from tests.fakes.clock import FakeClock
from tests.support import cli_app
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.slack_server import TOKEN, SlackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.local_cloud import Cloud
    from tests.support.workspaces import CommandResult

KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
HOOK = "/hooks/s3cr3tT0kenValue"
TARGETS = """
[[notify]]
name = "deploys"
webhook_secret = "{folder}/hook"
signing_secret = "{folder}/key"

[[notify]]
name = "team"
format = "slack"
webhook_secret = "{folder}/slack"

[[notify]]
name = "bot"
format = "slack"
token_secret = "{folder}/token"
channel = "C0123456789"
webhook = "{api}"
"""


@pytest.fixture
def hook() -> Iterator[ScriptedServer]:
    with ScriptedServer(script={f"POST {HOOK}": [Reply()]}) as hook:
        yield hook


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as slack:
        yield slack


@pytest.fixture
def kaizen(
    cloud: Cloud,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    hook: ScriptedServer,
    slack: SlackServer,
) -> Callable[..., CommandResult]:
    """Type a command in an app with three targets, whose secrets are in the cloud."""
    folder = f"notify-{secrets.token_hex(4)}"
    configuration = cli_app.TEAM.replace('"web"', f'"{folder}"') + TARGETS.format(folder=folder, api=slack.api_url)
    cli_app.make(tmp_path, configuration, cloud.environ, monkeypatch)
    DynamoLedger(Aws(region="eu-west-1", profile="", account=""), app=folder, clock=FakeClock()).create()
    store = cloud.client("secretsmanager")
    contents = {"hook": f"{hook.url}{HOOK}\n", "key": KEY, "slack": slack.webhook_url, "token": TOKEN}
    for name, content in contents.items():
        store.create_secret(Name=f"{folder}/{name}", SecretString=content)
    return lambda *words: cli_app.kaizen(*words, capsys=capsys)


def rows(result: CommandResult) -> dict[str, str]:
    """Return what each target has answered, below the heading."""
    return {line.split()[0]: " ".join(line.split()[1:]) for line in result.out.splitlines()[1:]}


def test_each_target_gets_a_message_and_its_answer_is_shown(
    kaizen: Callable[..., CommandResult], hook: ScriptedServer, slack: SlackServer
) -> None:
    result = kaizen("notify.test")

    assert result.code == 0
    assert ": send a test message → deploys, team, bot   (account 123456789012, eu-west-1)\n" in result.out
    assert {name: answer.partition(" (")[0] for name, answer in rows(result).items()} == dict.fromkeys(
        ("deploys", "team", "bot"), "accepted"
    )
    [request] = hook.requests
    assert Webhook(KEY).verify(request.body, dict(request.headers))["topic"] == "test"
    assert slack.hook_messages[0]["text"].partition(": ")[2].startswith("a test message\nby ")
    assert slack.first_messages[0]["text"].partition(": ")[2].startswith("a test message\nby ")


def test_failures_are_shown_beside_what_was_accepted(
    kaizen: Callable[..., CommandResult], hook: ScriptedServer, slack: SlackServer
) -> None:
    hook.script[f"POST {HOOK}"] = [Reply(status=404, body=f"no hook {HOOK}".encode())]
    slack.members.clear()

    result = kaizen("notify.test", "--json")

    document: dict[str, Any] = json.loads(result.out)
    assert (result.code, document["waiting"]) == (9, 0)
    assert {name: target["accepted"] for name, target in document["targets"].items()} == {
        "deploys": False,
        "team": True,
        "bot": False,
    }
    assert document["targets"]["deploys"]["answer"] == (f"127.0.0.1:{hook.port} answers HTTP 404: no hook [redacted]")
    assert document["targets"]["bot"]["fix"] == "invite the bot in that channel: /invite @NAME"
    assert result.err.splitlines()[1:] == [
        "error: 2 of 3 targets have not accepted the message: deploys, bot",
        "correct each as said above, then run the same command again",
    ]
    for text in (result.out, result.err):
        assert not any(secret in text for secret in ("s3cr3tT0kenValue", TOKEN, KEY))


def test_one_target_is_named(kaizen: Callable[..., CommandResult], hook: ScriptedServer, slack: SlackServer) -> None:
    result = kaizen("notify.test", "--name", "team")

    assert (result.code, list(rows(result))) == (0, ["team"])
    assert (hook.requests, len(slack.hook_messages)) == ([], 1)


def test_dry_run_sends_nothing(kaizen: Callable[..., CommandResult], hook: ScriptedServer, slack: SlackServer) -> None:
    result = kaizen("--dry", "notify.test")

    assert result.code == 0
    assert result.out.splitlines()[1:] == ["nothing was changed; run it without --dry"]
    assert (hook.requests, slack.requests) == ([], [])


def test_debugging_shows_no_secret(
    kaizen: Callable[..., CommandResult],
    hook: ScriptedServer,
    slack: SlackServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hook.script[f"POST {HOOK}"] = [Reply(status=500)]
    slack.members.clear()
    caplog.set_level(logging.DEBUG)  # as `--debug` does

    result = kaizen("notify.test")

    assert "Traceback" in result.err
    for text in (result.err, caplog.text):
        assert not any(secret in text for secret in ("s3cr3tT0kenValue", TOKEN, KEY.removeprefix("whsec_")))


def test_doctor_looks_at_what_messages_need_and_sends_nothing(
    kaizen: Callable[..., CommandResult], hook: ScriptedServer, slack: SlackServer
) -> None:
    findings = json.loads(kaizen("doctor", "--json").out)["findings"]

    assert [finding["verdict"] for finding in findings if finding["check"] == "messages"] == ["ok"] * 3
    assert (hook.requests, slack.requests) == ([], [])
