"""What the surroundings decide: where to listen, and what to call ourselves."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The environment variables of one running service."""

    host: str
    port: int
    version: str
    environment: str


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Read BIND, PORT, APP_VERSION and ENVIRONMENT, each with a default for a laptop.

    Raises:
        ValueError: PORT is not a port number.
    """
    return Settings(
        host=variables.get("BIND", "127.0.0.1"),
        port=_port(variables.get("PORT", "8080")),
        version=variables.get("APP_VERSION", "dev"),
        environment=variables.get("ENVIRONMENT", "local"),
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise ValueError(f"PORT must be a number from 0 to 65535, not {text!r}")
    return int(text)
