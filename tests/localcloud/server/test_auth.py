"""Tokens and registry passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.localcloud.server.auth import REGISTRY_PURPOSE, LoginStatus, Tokens
from tests.localcloud.samples import basic

if TYPE_CHECKING:
    from pathlib import Path


def test_issued_password_is_authorized(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "secret")
    assert tokens.check_login(basic("AWS", tokens.issue())) is LoginStatus.VALID


def test_password_is_valid_after_a_restart(tmp_path: Path) -> None:
    password = Tokens(tmp_path / "secret").issue()
    assert Tokens(tmp_path / "secret").check_login(basic("AWS", password)) is LoginStatus.VALID


def test_password_expires(tmp_path: Path) -> None:
    now = [1000.0]
    tokens = Tokens(tmp_path / "secret", clock=lambda: now[0])
    password = tokens.issue()
    now[0] += 12 * 3600 - 1
    assert tokens.check_login(basic("AWS", password)) is LoginStatus.VALID
    now[0] += 1
    assert tokens.check_login(basic("AWS", password)) is LoginStatus.EXPIRED


def test_token_is_valid_for_its_purpose_only(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "secret")
    token = tokens.issue("sha256:a")
    assert tokens.is_valid("sha256:a", token)
    assert not tokens.is_valid("sha256:b", token)
    assert not tokens.is_valid(REGISTRY_PURPOSE, token)


def test_token_with_a_changed_expiry_is_invalid(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "secret")
    expires, rest = tokens.issue(seconds=-1).split(".", 1)
    assert not tokens.is_valid(REGISTRY_PURPOSE, f"{int(expires) + 9999}.{rest}")


@pytest.mark.parametrize("user", ["aws", "root", ""])
def test_user_must_be_aws(tmp_path: Path, user: str) -> None:
    tokens = Tokens(tmp_path / "secret")
    assert tokens.check_login(basic(user, tokens.issue())) is LoginStatus.INVALID


def test_password_of_another_cloud_is_invalid(tmp_path: Path) -> None:
    password = Tokens(tmp_path / "one").issue()
    assert Tokens(tmp_path / "two").check_login(basic("AWS", password)) is LoginStatus.INVALID
