"""What a service is created with: in a local cloud, and with the settings of another one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment


SECRET_ARN = re.compile(
    r"(?P<arn>arn:[^:]+:secretsmanager:[^:]+:[^:]+:secret:(?P<name>[^:]+?)(?:-\w{6})?)(?P<member>:.*)?"
)
"""Reference to a secret, or to one member of its document; Secrets Manager appends six characters to the name."""


@frozen(kw_only=True)
class NewService:
    """What a new service runs, and with what.

    Attributes:
        image: reference of the image by its digest; a service that follows a tag runs what that names.
        image_platform: what the image is built for, and the service runs where that can be chosen: `linux/arm64`.
        variables: environment variables of the app.
        secrets: references to the values of the secret, by name.
        port: the port that the app listens on.
        health_path: the path that a load balancer asks for, where the platform has one.
        start_timeout: seconds that an instance may take to listen, up to 400.
    """

    image: str
    image_platform: str
    variables: Mapping[str, str] = field(repr=False)
    secrets: Mapping[str, str]
    port: int
    health_path: str
    start_timeout: float


@frozen(kw_only=True)
class ServiceSettings:
    """What differs between services that are alike, and a description of what does not.

    Attributes:
        variables: values of the app's environment variables, by name; a value may be a secret, so it is never shown.
        secrets: references to the secrets that the app gets as environment variables, by name.
        instance_role: ARN of the role of the app itself; empty without one.
        execution_role: ARN of the role that pulls the image and reads the secrets when the app is started; empty where
            the platform has none.
        port: the port that the app listens on.
        description: size, port, health check and the like, in words.
    """

    variables: Mapping[str, str] = field(repr=False)
    secrets: Mapping[str, str]
    instance_role: str = ""
    execution_role: str = ""
    port: int = 0
    description: str = ""


def adapt_settings(
    neighbour_settings: ServiceSettings, neighbour: Environment, environment: Environment
) -> ServiceSettings:
    """Return the settings of a neighbour's service with the environment's name in place of the neighbour's.

    The identifiers of secrets still have to be looked up by their names.
    """

    def adapt(text: str) -> str:
        return _word(neighbour.name).sub(environment.name, text)

    return evolve(
        neighbour_settings,
        variables={name: adapt(value) for name, value in neighbour_settings.variables.items()},
        secrets={
            name: _adapt_reference(reference, neighbour, environment)
            for name, reference in neighbour_settings.secrets.items()
        },
        instance_role=adapt(neighbour_settings.instance_role),
        execution_role=adapt(neighbour_settings.execution_role),
    )


def secret_name(reference: str) -> str:
    """Return the name of the secret in Secrets Manager that a reference names; empty for one of another store."""
    match = SECRET_ARN.fullmatch(reference)
    return match["name"] if match else ""


def with_secret_arn(reference: str, arn: str) -> str:
    """Return a reference to the same member of another secret."""
    match = SECRET_ARN.fullmatch(reference)
    return f"{arn}{match['member'] or ''}" if match else reference


def describe_differences(settings: ServiceSettings, neighbour_settings: ServiceSettings, neighbour: str) -> str:
    """Return what is adapted, and what is copied from the neighbour, without any value of a variable."""
    same = [name for name, value in settings.variables.items() if value == neighbour_settings.variables[name]]
    adapted = [name for name in settings.variables if name not in same]
    names = dict.fromkeys(secret_name(reference) or reference for reference in settings.secrets.values())
    parts = {
        "variables adapted": ", ".join(adapted),
        f"variables with the values of {neighbour}": ", ".join(same),
        "values from": ", ".join(names),
        "instance role": settings.instance_role.rpartition("/")[2],
        "execution role": settings.execution_role.rpartition("/")[2],
    }
    return "; ".join(f"{what}: {text}" for what, text in parts.items() if text)


def _adapt_reference(reference: str, neighbour: Environment, environment: Environment) -> str:
    name = secret_name(reference)
    if name and name == neighbour.secret:
        return reference.replace(f":secret:{name}", f":secret:{environment.secret}", 1)
    return _word(neighbour.name).sub(environment.name, reference)


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-zA-Z0-9]){re.escape(name)}(?![a-zA-Z0-9])")
