"""Whose credentials reach the account of each environment, and how many requests that takes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.errors import Denied
from kaizen_tasks.wiring import Toolbox
from tests.fakes.tools import settings
from tests.support.scripted_sts import HOME, ROLE, TARGET, form, identity, question, scripted_sts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.scripted_server import ScriptedServer

pytestmark = pytest.mark.integration

IN_TARGET = {"account": TARGET, "role": ROLE, "region": "eu-central-1"}
KEYS = "aws_access_key_id = AKIA{name}\naws_secret_access_key = secret\n"


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAHOME")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with scripted_sts() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        yield server


def _toolbox(aws: Mapping[str, str] | None = None, **environments: Mapping[str, object]) -> Toolbox:
    raw_aws = {"region": "eu-west-1", "account": HOME, **(aws or {})}
    pipeline = list(environments)
    raw = settings(aws=raw_aws, environments=environments, pipeline=pipeline, groups={}, smoke=[])
    return Toolbox(raw, dry=False, draft=True, stream=io.StringIO())


def _accounts(tools: Toolbox) -> list[str]:
    return [tools.at(environment).identity.account_id() for environment in tools.settings.environments.values()]


def test_one_account_takes_one_request(sts: ScriptedServer) -> None:
    tools = _toolbox(staging={}, prod={}, mark={})

    assert (tools.identity.account_id(), *_accounts(tools)) == (HOME,) * 4
    assert [question(request) for request in sts.requests] == ["GetCallerIdentity"]


def test_environments_of_another_account_share_its_role_in_all_regions(sts: ScriptedServer) -> None:
    tools = _toolbox(staging={}, prod=IN_TARGET, mark=IN_TARGET, shane={**IN_TARGET, "region": "eu-west-3"})

    assert _accounts(tools) == [HOME, TARGET, TARGET, TARGET]
    assert [question(request) for request in sts.requests] == [
        "GetCallerIdentity",
        "AssumeRole",
        "GetCallerIdentity by the role",
    ]


@pytest.mark.usefixtures("sts")
def test_clients_are_those_of_the_region_of_the_environment() -> None:
    tools = _toolbox(staging={"region": "eu-west-3"}, prod=IN_TARGET)

    regions = [tools._clients.at(each.target).ecr().meta.region_name for each in tools.settings.environments.values()]

    assert regions == ["eu-west-3", "eu-central-1"]


def test_session_is_named_after_person_and_app(sts: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_ACTOR", "ada")

    _accounts(_toolbox(prod=IN_TARGET))

    assert form(sts.asked("AssumeRole")[0])["RoleSessionName"] == "ada.web"


def test_role_of_the_home_is_assumed_for_all_environments_of_its_account(sts: ScriptedServer) -> None:
    tools = _toolbox({"account": TARGET, "role": ROLE}, staging={}, prod={"region": "eu-central-1"})

    assert (tools.identity.account_id(), *_accounts(tools)) == (TARGET,) * 3
    assert len(sts.asked("AssumeRole")) == 1


def test_person_is_who_assumed_the_role_of_the_home(sts: ScriptedServer) -> None:
    """The name of our own session is made of the person and the app, and is not the person."""
    sts.script["GetCallerIdentity"] = identity(HOME, f"arn:aws:sts::{HOME}:assumed-role/sso/ada@acme.example")

    tools = _toolbox({"account": TARGET, "role": ROLE}, staging={})
    _accounts(tools)

    assert tools.actor == "ada@acme.example"
    assert form(sts.asked("AssumeRole")[0])["RoleSessionName"] == "ada@acme.example.web"


def test_role_is_assumed_with_the_profile_of_its_environment(
    sts: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _write_profiles(monkeypatch, tmp_path, "company")

    assert _accounts(_toolbox(prod={**IN_TARGET, "profile": "company"})) == [TARGET]
    (assumed,) = sts.asked("AssumeRole")
    assert "Credential=AKIACOMPANY/" in assumed.headers["Authorization"]


def test_profile_of_an_environment_is_not_replaced_by_a_variable(
    sts: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One profile does not reach two accounts."""
    _write_profiles(monkeypatch, tmp_path, "company", "home")
    monkeypatch.setenv("AWS_PROFILE", "home")

    _accounts(_toolbox(staging={}, prod={"profile": "company"}))

    keys = [request.headers["Authorization"].partition("Credential=")[2].partition("/")[0] for request in sts.requests]
    assert keys == ["AKIAHOME", "AKIACOMPANY"]


def test_where_the_profile_is_missing_the_variables_say_whose_credentials_assume_the_role(sts: ScriptedServer) -> None:
    assert _accounts(_toolbox(prod={**IN_TARGET, "profile": "company"})) == [TARGET]
    (assumed,) = sts.asked("AssumeRole")
    assert "Credential=AKIAHOME/" in assumed.headers["Authorization"]


def test_wrong_account_is_said_of_the_environment(sts: ScriptedServer) -> None:
    sts.script["GetCallerIdentity by the role"] = identity("999999999999", "arn:aws:iam::999999999999:user/eve")

    with pytest.raises(Denied, match=f"belong to account 999999999999, but {TARGET} is configured") as caught:
        _accounts(_toolbox(staging={}, prod=IN_TARGET))

    assert "[environments.prod]" in caught.value.hint


def _write_profiles(monkeypatch: pytest.MonkeyPatch, folder: Path, *names: str) -> None:
    config = folder / "config"
    config.write_text("".join(f"[profile {name}]\n{KEYS.format(name=name.upper())}" for name in names))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
