"""What the toolbox knows of the person who runs it."""

from __future__ import annotations

import getpass
import io
import os
import socket
from typing import TYPE_CHECKING, NoReturn

from kaizen_tasks import wiring
from tests.fakes.tools import settings

if TYPE_CHECKING:
    import pytest


def toolbox() -> wiring.Toolbox:
    return wiring.Toolbox(settings(), dry=True, draft=False, stream=io.StringIO())


def test_actor_is_the_person_of_the_ci_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_USER_LOGIN", "ada")
    monkeypatch.setenv("CI_JOB_URL", "https://gitlab.example/jobs/7")

    assert (toolbox().actor, toolbox().run_url) == ("ada", "https://gitlab.example/jobs/7")


def test_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in `docker run --user 12345`."""

    def unknown() -> NoReturn:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", unknown)
    monkeypatch.setattr(os, "getuid", lambda: 12345)

    assert wiring.user_at_host() == f"uid-12345@{socket.gethostname()}"
