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
    model: str
    temperature: float
    has_calendar: bool


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Read BIND, PORT, APP_VERSION, ENVIRONMENT and what is configured per environment; a laptop needs none of them.

    AI_MODEL, AI_TEMPERATURE and CALENDAR_TOKEN come from the environment's secret: App Runner reads it at each
    deployment, so a change needs one, and no other release.

    Raises:
        ValueError: PORT is not a port number, or AI_TEMPERATURE not a number.
    """
    return Settings(
        host=variables.get("BIND", "127.0.0.1"),
        port=_port(variables.get("PORT", "8080")),
        version=variables.get("APP_VERSION", "dev"),
        environment=variables.get("ENVIRONMENT", "local"),
        model=variables.get("AI_MODEL", "none"),
        temperature=_temperature(variables.get("AI_TEMPERATURE", "0")),
        has_calendar=bool(variables.get("CALENDAR_TOKEN")),
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise ValueError(f"PORT must be a number from 0 to 65535, not {text!r}")
    return int(text)


def _temperature(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"AI_TEMPERATURE must be a number, not {text!r}") from None
