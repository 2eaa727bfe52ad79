"""What the toolbox knows of the person who runs it."""

from __future__ import annotations

import getpass
import io
import os
import socket
from typing import NoReturn

import pytest
from attrs import frozen

from kaizen_tasks import wiring
from tests.fakes.tools import settings


@frozen
class _Clients:
    """The credentials of a principal."""

    arn: str

    def caller(self) -> _Clients:
        return self

    def principal(self) -> str:
        return self.arn


def toolbox() -> wiring.Toolbox:
    return wiring.Toolbox(settings(), dry=True, draft=False, stream=io.StringIO())


def test_actor_is_the_person_of_the_ci_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_USER_LOGIN", "ada")
    monkeypatch.setenv("CI_JOB_URL", "https://gitlab.example/jobs/7")

    assert (toolbox().actor, toolbox().run_url) == ("ada", "https://gitlab.example/jobs/7")


@pytest.mark.parametrize(
    ("environ", "principal", "actor"),
    [
        ({"CIRCLECI": "true"}, "assumed-role/release/ada", "ada"),
        ({"CIRCLECI": "true"}, "assumed-role/release/botocore-session-1", "CircleCI"),
        ({"CIRCLECI": "true"}, "user/deployer", "deployer"),
        ({"CIRCLECI": "true", "CIRCLE_USERNAME": "grace"}, "assumed-role/release/ada", "grace"),
        ({}, "assumed-role/sso/ada@acme.example", "ada@acme.example"),
        ({}, "user/deployer", wiring.user_at_host()),
    ],
)
def test_runner_is_nobody(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], principal: str, actor: str) -> None:
    """Several people may have the keys of an IAM user, so on their own machines the machine says more."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    service = "iam" if principal.startswith("user/") else "sts"
    tools = toolbox()
    vars(tools)["_clients"] = _Clients(f"arn:aws:{service}::123456789012:{principal}")

    assert tools.actor == actor


def test_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in `docker run --user 12345`."""

    def unknown() -> NoReturn:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", unknown)
    monkeypatch.setattr(os, "getuid", lambda: 12345)

    assert wiring.user_at_host() == f"uid-12345@{socket.gethostname()}"
