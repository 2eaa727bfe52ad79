"""The variables that point AWS clients at another server: a local cloud, an emulator, a private endpoint."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from kaizen_tasks.domain.git.remote_url import is_loopback
from kaizen_tasks.errors import ConfigurationError

ALL_SERVICES = "AWS_ENDPOINT_URL"
SERVICE_SUFFIXES = {"logs": "CLOUDWATCH_LOGS", "secretsmanager": "SECRETS_MANAGER"}
"""Suffixes of the variables of those services whose suffix is not their name.

https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html lists all of them.
"""


def require_valid_variables(service: str) -> None:
    """Check the variables that a client of a service would read; botocore raises a bare ValueError for some.

    Raises:
        ConfigurationError: one of them is not the address of a server.
    """
    for name in (f"{ALL_SERVICES}_{SERVICE_SUFFIXES.get(service, service.upper())}", ALL_SERVICES):
        value = os.environ.get(name, "")
        if value and not _is_address(value):
            problem = f"{name}: {value!r} is not the address of a server"
            raise ConfigurationError((problem,), hint=f"set it to http://HOST:PORT or https://HOST, or: unset {name}")


def is_local_cloud() -> bool:
    """Return whether the variable for all clients points them at a server on this machine."""
    url = os.environ.get(ALL_SERVICES, "")
    return _is_address(url) and is_loopback(urlsplit(url).hostname or "")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def hint(endpoint_url: str, *, answers: bool) -> str:
    """Return what to do when something is wrong with an endpoint, which a variable may have set.

    Args:
        endpoint_url: the endpoint of a client.
        answers: whether anything answers there at all.
    """
    for name, value in os.environ.items():
        if name.startswith(ALL_SERVICES) and value.rstrip("/") == endpoint_url.rstrip("/") != "":
            if answers:
                return f"correct {name} ({value}), or: unset {name}"
            start = (
                "start a local cloud with inv local.up" if is_loopback(urlsplit(value).hostname or "") else "correct it"
            )
            return f"nothing answers at {name} ({value}); {start}, or: unset {name}"
    return "check the network, then run the same command again"
