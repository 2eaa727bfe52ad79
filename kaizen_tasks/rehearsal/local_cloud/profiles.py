"""Profiles of the AWS configuration that lead to the accounts and regions of environments in a local cloud."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from configparser import RawConfigParser
from io import StringIO
from typing import TYPE_CHECKING

from kaizen_tasks.rehearsal.local_cloud import cloud as clouds

if TYPE_CHECKING:
    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.rehearsal.local_cloud.cloud import Cloud

STAND_IN_ROLE = "local"
"""Name of the role that takes the place of a profile's own credentials in another account."""


def write_profiles(cloud: Cloud, settings: Settings) -> None:
    """Write the profiles of an app's environments into a cloud's folder; without any, remove the file.

    A profile that the configuration names leads to the account of its environments. An environment whose role is
    assumed has a profile of its own name, for people: `aws --profile prod ecr describe-repositories`.
    """
    parser, path = RawConfigParser(), cloud.state / clouds.PROFILES_FILE_NAME
    for name, lines in _profiles(settings.environments.values(), cloud, home_profile=settings.aws.profile):
        parser[f"profile {name}"] = lines
    path.unlink(missing_ok=True)
    if parser.sections():
        text = StringIO()
        parser.write(text)
        with clouds.open_private(path) as file:
            file.write(text.getvalue().encode())


def _profiles(
    environments: Iterable[Environment], cloud: Cloud, *, home_profile: str
) -> Iterator[tuple[str, Mapping[str, str]]]:
    for environment in environments:
        target = environment.target
        region = {"region": target.region or cloud.region}
        if target.profile != home_profile:
            is_home = bool(target.role) or target.account in {"", cloud.account}
            role = {} if is_home else _role(f"arn:aws:iam::{target.account}:role/{STAND_IN_ROLE}", cloud)
            yield target.profile, {**region, **(role or _keys(cloud))}
        if target.role:
            external_id = {"external_id": target.external_id} if target.external_id else {}
            yield environment.name, {**region, **_role(target.role, cloud), **external_id}


def _role(arn: str, cloud: Cloud) -> Mapping[str, str]:
    """Return the lines of a role; by the session's name, the AWS CLI tells cached credentials from another cloud's."""
    return {"role_arn": arn, "role_session_name": cloud.access_key_id, "credential_source": "Environment"}


def _keys(cloud: Cloud) -> Mapping[str, str]:
    return {"aws_access_key_id": cloud.access_key_id, "aws_secret_access_key": cloud.secret_access_key}
