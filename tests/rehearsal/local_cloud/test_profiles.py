"""Profiles that lead to the accounts of a local cloud."""

from __future__ import annotations

import os
import stat
from configparser import RawConfigParser
from typing import TYPE_CHECKING, Any

import pytest

from kaizen_tasks.rehearsal.local_cloud.cloud import Cloud
from kaizen_tasks.rehearsal.local_cloud.profiles import write_profiles
from tests.fakes.tools import settings

if TYPE_CHECKING:
    from pathlib import Path

HOME, OTHER = "123456789012", "210987654321"
ROLE = f"arn:aws:iam::{OTHER}:role/release"
KEYS = {"aws_access_key_id": "LOCAL1", "aws_secret_access_key": "hush"}


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    """Return the description of a cloud that need not run."""
    return Cloud(
        state=tmp_path,
        pid=1,
        endpoint_url="http://127.0.0.1:4000",
        region="eu-west-1",
        account=HOME,
        access_key_id="LOCAL1",
        secret_access_key="hush",
        control_token="hush",
    )


def profiles(cloud: Cloud, **prod: str) -> dict[str, dict[str, str]]:
    """Return the profiles that are written for an app whose prod has some keys, by name."""
    environments: dict[str, Any] = {"staging": {}, "prod": prod}
    aws = {"region": "eu-west-1", "account": HOME, "profile": "work"}
    write_profiles(cloud, settings(aws=aws, environments=environments, groups={}, pipeline=["staging", "prod"]))
    parser = RawConfigParser()
    parser.read(cloud.state / "aws-config")
    return {section: dict(parser[section]) for section in parser.sections()}


def test_an_app_of_one_account_needs_none(cloud: Cloud) -> None:
    (cloud.state / "aws-config").write_text("of another configuration")
    assert profiles(cloud, region="eu-central-1") == {}
    assert not (cloud.state / "aws-config").exists()
    assert "AWS_CONFIG_FILE" not in cloud.environ


def test_an_environment_with_a_role_has_a_profile_of_its_name(cloud: Cloud) -> None:
    place = {"account": OTHER, "region": "eu-central-1", "role": ROLE, "external_id": "coach"}
    role = {"role_arn": ROLE, "role_session_name": "LOCAL1", "credential_source": "Environment", "external_id": "coach"}
    assert profiles(cloud, **place, profile="work") == {"profile prod": {"region": "eu-central-1", **role}}
    assert stat.S_IMODE((cloud.state / "aws-config").stat().st_mode) == 0o600
    assert cloud.environ["AWS_CONFIG_FILE"] == str(cloud.state / "aws-config")
    assert cloud.environ["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_a_profile_of_another_account_becomes_a_role_there(cloud: Cloud) -> None:
    role = {
        "role_arn": f"arn:aws:iam::{OTHER}:role/local",
        "role_session_name": "LOCAL1",
        "credential_source": "Environment",
    }
    assert profiles(cloud, account=OTHER, profile="prod-sso") == {"profile prod-sso": {"region": "eu-west-1", **role}}


@pytest.mark.parametrize("account", [{}, {"account": HOME}])
def test_a_profile_of_the_same_account_has_the_credentials_of_the_cloud(cloud: Cloud, account: dict[str, str]) -> None:
    assert profiles(cloud, **account, profile="other") == {"profile other": {"region": "eu-west-1", **KEYS}}


def test_a_profile_that_assumes_a_role_has_the_credentials_of_the_cloud(cloud: Cloud) -> None:
    written = profiles(cloud, account=OTHER, role=ROLE, profile="ci")
    assert written["profile ci"] == {"region": "eu-west-1", **KEYS}
    assert written["profile prod"]["role_arn"] == ROLE
