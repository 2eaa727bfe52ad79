"""What a service of a local cloud runs with: by `[rehearse]`, and by the names that a real service has."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from kaizen_tasks.domain.made_up import made_up_value
from kaizen_tasks.domain.text.dotenv import parse_dotenv
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.new_service import ServiceSettings

SET_FOR_EVERY_SERVICE = ("ENVIRONMENT", "PORT")


@frozen(kw_only=True)
class ServiceDescription:
    """What is known of a real service: names only, no value.

    Attributes:
        service: the service's name.
        variables: names of its environment variables.
        secrets: names of the variables whose values are secrets.
        port: the port that its app listens on.
    """

    service: str
    variables: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    port: int = 0

    @classmethod
    def of(cls, service: str, settings: ServiceSettings) -> ServiceDescription:
        """Return the description of a service by its settings, whose values are left out."""
        return cls(
            service=service, variables=tuple(settings.variables), secrets=tuple(settings.secrets), port=settings.port
        )


@frozen(kw_only=True)
class ServiceInput:
    """What a service runs with.

    Attributes:
        variables: environment variables, by name.
        secrets: values of the variables that are secrets, as in a JSON document, by name.
    """

    variables: Mapping[str, str] = field(factory=dict, repr=False)
    secrets: Mapping[str, object] = field(factory=dict, repr=False)


def service_input(
    environment: Environment, settings: Settings, *, secrets: Mapping[str, object], like: ServiceDescription | None
) -> ServiceInput:
    """Return what the service of an environment runs with; what is configured comes before what is made up.

    Args:
        environment: the environment.
        settings: the app's settings.
        secrets: the values of the file that `rehearse.secrets` names.
        like: a real service whose names are used, with values that are made up.
    """
    configured = {
        name: value.replace("{env}", environment.name).replace("{app}", settings.app)
        for name, value in settings.rehearse.env.items()
    }
    region = settings.aws.region
    names = [name for name in (like.variables if like else ()) if name not in SET_FOR_EVERY_SERVICE]
    made_up = {name: made_up_value(name, region=region) for name in names if name not in secrets}
    secret_names = [name for name in (like.secrets if like else ()) if name not in configured]
    made_up_secrets = {name: made_up_value(name, region=region) for name in secret_names}
    return ServiceInput(
        variables={"ENVIRONMENT": environment.name, **made_up, **configured},
        secrets={name: value for name, value in {**made_up_secrets, **secrets}.items() if name not in configured},
    )


MAX_FILE_CHARACTERS = 1024 * 1024
"""A device never ends."""


def read_secrets(settings: Settings) -> Mapping[str, object]:
    """Return the values of the file that `rehearse.secrets` names; none if it names no file.

    Raises:
        UsageError: the file cannot be read or understood; no message quotes it.
    """
    if not settings.rehearse.secrets:
        return {}
    path = settings.root / Path(settings.rehearse.secrets).expanduser()
    try:
        with path.open(encoding="utf-8") as file:  # or a named pipe, by which password managers hand out secrets
            text = file.read(MAX_FILE_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise _secrets_error(path, f"cannot be read: {reason}") from None
    if len(text) > MAX_FILE_CHARACTERS:
        raise _secrets_error(path, f"is larger than {MAX_FILE_CHARACTERS // 1024:,} KiB")
    return _parse_json(path, text) if text.lstrip().startswith("{") else _parse_dotenv(path, text)


def _parse_json(path: Path, text: str) -> Mapping[str, object]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise _secrets_error(path, "is not a JSON object")
    return document


def _parse_dotenv(path: Path, text: str) -> Mapping[str, str]:
    try:
        return parse_dotenv(text)
    except ValueError as error:
        raise _secrets_error(path, str(error)) from None


def _secrets_error(path: Path, problem: str) -> UsageError:
    return UsageError(
        f"rehearse.secrets: {os.fspath(path)} {problem}",
        state="no service has been created",
        hint='write lines like API_KEY=value, or a JSON object like {"API_KEY": "value"}',
    )
