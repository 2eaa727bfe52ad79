"""`[[notify]]`: who is told what, and which configurations are refused without repeating a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.domain.notification.topic import TOPICS, Topic
from kaizen_tasks.errors import ConfigurationError
from tests.fakes.tools import settings

if TYPE_CHECKING:
    from kaizen_tasks.domain.notification.target import NotifyTarget

SECRET: Mapping[str, object] = {"webhook_secret": "kaizen/slack"}
TOKEN = "".join(("T0AB12CD3", "/", "B0XYZ98765", "/", "q7Wn3LpZ8sKd2FvR6tYh1MbC"))
ADDRESS = f"https://hooks.slack.com/services/{TOKEN}"
BOT: Mapping[str, object] = {"format": "slack", "token_secret": "kaizen/bot"}


def targets(*rules: Mapping[str, object], **changes: object) -> tuple[NotifyTarget, ...]:
    """Return the targets of a configuration."""
    return settings(**{"notify": list(rules), **changes}).notify


def problem(*rules: Mapping[str, object], **changes: object) -> str:
    """Return why a configuration is refused."""
    with pytest.raises(ConfigurationError) as refused:
        settings(**{"notify": list(rules), **changes})
    return str(refused.value)


def test_without_targets_nobody_is_told() -> None:
    assert settings().notify == ()


def test_target_is_told_of_what_it_asks_for_where_it_asks_for_it() -> None:
    (target,) = targets({**SECRET, "on": ["promoted", "failed"], "stages": ["prod", "beta"]})

    assert target.topics == {Topic.PROMOTED, Topic.FAILED}
    assert target.environments == {"prod", "mark", "shane", "dom"}
    assert [target.wants(Topic.FAILED, name) for name in ("mark", "staging")] == [True, False]
    assert not target.wants(Topic.RELEASED, "mark")


def test_target_without_topics_and_stages_is_told_of_the_ends_of_releases_everywhere() -> None:
    (target,) = targets(SECRET)

    assert target.topics == {
        Topic.RELEASED,
        Topic.PROMOTED,
        Topic.HOTFIXED,
        Topic.FAILED,
        Topic.ROLLED_BACK,
        Topic.HELD,
    }
    assert all(target.wants(Topic.FAILED, name) for name in settings().environments)


def test_every_topic_but_that_of_tests_can_be_asked_for() -> None:
    (target,) = targets({**SECRET, "on": [str(topic) for topic in TOPICS]})

    assert target.topics == {*Topic} - {Topic.TEST}


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (SECRET, "kaizen/slack"),
        ({"webhook": "https://deploys.example:8443/hook"}, "deploys.example:8443"),
        ({"format": "slack", "token_secret": "kaizen/bot", "channel": "C01"}, "kaizen/bot"),
        ({**SECRET, "name": "team"}, "team"),
    ],
)
def test_name_is_that_of_the_secret_or_of_the_host_unless_it_has_one(rule: Mapping[str, object], name: str) -> None:
    assert [target.name for target in targets(rule)] == [name]


def test_only_a_bot_edits_its_messages() -> None:
    bot = {"format": "slack", "token_secret": "kaizen/bot", "channel": "C01"}

    assert [target.edits for target in targets(SECRET, bot)] == [False, True]


def test_names_of_all_secrets_of_a_target() -> None:
    (target,) = targets({**SECRET, "signing_secret": "kaizen/key"})

    assert target.secret_names == ("kaizen/slack", "kaizen/key")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({**SECRET, "on": ["promted"]}, "notify[1 of 1].on[1 of 1] is nothing that is told; did you mean 'promoted'?"),
        ({**SECRET, "on": ["test"]}, "notify[1 of 1].on[1 of 1] is nothing that is told"),
        ({**SECRET, "on": []}, "notify[1 of 1].on is empty: it is told nothing"),
        (
            {**SECRET, "stages": ["betta"]},
            "notify[1 of 1].stages[1 of 1] is neither an environment nor a group; did you mean 'beta'?",
        ),
        ({**SECRET, "format": "slck"}, "notify[1 of 1].format is not a format; did you mean 'slack'?"),
        ({"on": ["failed"]}, "notify[1 of 1] has neither webhook nor webhook_secret: where are messages sent?"),
        ({**SECRET, "webhook": "https://a.example/hook"}, "notify[1 of 1] has both webhook and webhook_secret"),
        ({"webhook": "deploys.example/hook"}, "notify[1 of 1].webhook is not a web address: it begins with https://"),
        ({"webhook": "http://deploys.example/hook"}, "notify[1 of 1].webhook: begins with http://, which anybody on"),
        ({"webhook": "https://a.example/x", "format": "apprise"}, "notify[1 of 1].webhook is not for apprise, whose"),
        ({**SECRET, "format": "slack", "signing_secret": "key"}, "notify[1 of 1].signing_secret is only for"),
        ({"token_secret": "bot", "channel": "C01"}, "notify[1 of 1].token_secret is only for the format 'slack'"),
        ({"token_secret": "bot", "format": "slack"}, "notify[1 of 1].channel is missing: the channel in which"),
        ({**SECRET, "format": "slack", "channel": "C01"}, "notify[1 of 1].channel is only for a bot"),
        ({**SECRET, "format": "slack", "token_secret": "bot", "channel": "C01"}, ".webhook_secret is not needed"),
        ({**SECRET, "name": "our team"}, "notify[1 of 1].name is not a name"),
        ({**SECRET, "nam": "team"}, "notify[1 of 1].nam: unknown key; did you mean 'name'?"),
    ],
)  # fmt: skip
def test_problem_is_reported_with_what_to_write(rule: Mapping[str, object], message: str) -> None:
    assert message in problem(rule)


def test_two_targets_have_two_names() -> None:
    assert problem(SECRET, SECRET) == (
        "kaizen.toml: notify[2 of 2].name: 'kaizen/slack' is also the name of another target: write another name"
    )


def test_app_without_environments_has_nothing_to_tell() -> None:
    library: Mapping[str, object] = {"pipeline": [], "environments": {}, "groups": {}}

    assert problem(SECRET, **library) == (
        "kaizen.toml: notify has no effect: without environments, nothing happens that could be told"
    )


def test_receiver_on_this_machine_needs_no_encryption() -> None:
    assert [target.name for target in targets({"webhook": "http://127.0.0.1:8080/hook"})] == ["127.0.0.1:8080"]


@pytest.mark.parametrize(
    "address",
    [
        f"https://hooks.slack.com/services/{TOKEN}",
        f"https://chat.example/hooks/{TOKEN}",
        "https://ada:hush-hush@deploys.example/hook",
        "https://deploys.example/hook?token=hush-hush",
        "https://deploys.example/hook?api_key=hush-hush",
        "https://discord.com/api/webhooks/hush-hush",
        "https://flows.example/3f2504e0-4f89-11d3-9a0c-0305e82c3301/hush-hush",
    ],
)
def test_address_with_a_token_is_refused_and_not_repeated(address: str) -> None:
    text = problem({"webhook": address})

    assert text.startswith("kaizen.toml: notify[1 of 1].webhook has a token in it, which everybody who reads this file")
    assert "store it as a secret, and write the name of that: aws secretsmanager create-secret" in text
    assert not any(part in text for part in ("hush-hush", TOKEN))


@pytest.mark.parametrize("key", ["webhook_secret", "signing_secret", "token_secret"])
@pytest.mark.parametrize(
    "value", [f"https://hooks.slack.com/services/{TOKEN}", "xoxb-hush-hush", "whsec_hush+hush", "pa$$word", TOKEN]
)
def test_secret_in_the_place_of_its_name_is_refused_and_not_repeated(key: str, value: str) -> None:
    text = problem({**SECRET, key: value})

    assert f"notify[1 of 1].{key} is not the name of a secret; if it is the secret itself, store it as a secret" in text
    assert value not in text


@pytest.mark.parametrize(
    "name", ["kaizen/slack", "prod-eu-west-1-coach-webhook", "team.notify+key@2026", "coach_key_1"]
)
def test_name_of_a_secret_is_not_taken_for_a_secret(name: str) -> None:
    assert targets({"webhook_secret": name})[0].webhook_secret == name


@pytest.mark.parametrize("host", ["", "chat.corp.example", "10.0.0.7", "fd12::7", "localhost", "my_host-1"])
def test_private_host_is_a_name_or_an_address(host: str) -> None:
    assert targets({**SECRET, "private_host": host})[0].private_host == host


@pytest.mark.parametrize("host", ["https://chat.corp.example", "chat.corp.example:8443", "a b", "*", "chat/hooks"])
def test_private_host_is_nothing_else(host: str) -> None:
    assert "notify[1 of 1].private_host" in problem({**SECRET, "private_host": host})


def test_private_host_is_not_for_apprise() -> None:
    assert "notify[1 of 1].private_host is not for apprise" in problem(
        {**SECRET, "format": "apprise", "private_host": "chat.corp.example"}
    )


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"format": "slack", "webhook": ADDRESS}, "notify should be a list of tables: write [[notify]], with two"),
        (ADDRESS, "notify should be a list of tables: write [[notify]], with two brackets, above each"),
        ([ADDRESS], "notify[1 of 1] should be a table, not text"),
        ([{"webhook": [ADDRESS]}], "notify[1 of 1].webhook should be text, not a list"),
        ([{"webhook_secret": {"url": ADDRESS}}], "notify[1 of 1].webhook_secret should be text, not a table"),
        ([{"signing_secret": 2718281828}], "notify[1 of 1].signing_secret should be text, not a number"),
        ([{**SECRET, "private_host": ADDRESS}], "notify[1 of 1].private_host is not a host alone"),
        ([{**SECRET, "name": ADDRESS}], "notify[1 of 1].name is not a name"),
        ([{**SECRET, "name": "xoxb-2718281828"}], "notify[1 of 1].name is not a name"),
        ([{**SECRET, "on": ADDRESS}], "notify[1 of 1].on should be a list, not text; put it in brackets"),
        ([{**SECRET, "on": [ADDRESS]}], "notify[1 of 1].on[1 of 1] is nothing that is told"),
        ([{**SECRET, "stages": [ADDRESS]}], "notify[1 of 1].stages[1 of 1] is neither an environment nor a group"),
        ([{**SECRET, "format": ADDRESS}], "notify[1 of 1].format is not a format"),
        ([{**BOT, "channel": "xoxb-2718281828"}], "notify[1 of 1].channel is not the ID of a channel"),
        ([{**BOT, "channel": "general"}], "notify[1 of 1].channel is not the ID of a channel, such as C0123456789"),
    ],
)  # fmt: skip
def test_value_at_a_wrong_place_is_not_repeated(written: object, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        settings(notify=written)

    assert message in str(refused.value)
    assert not any(part in str(refused.value) for part in ("hooks.slack.com", TOKEN, "2718281828"))
