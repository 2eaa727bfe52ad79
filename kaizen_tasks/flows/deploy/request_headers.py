"""Reads the values of `[verify.headers]`, which are secrets: nothing here puts them into a message."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kaizen_tasks.domain.request_header import HEADER_VALUE, SecretHeader
from kaizen_tasks.domain.text.json_pointer import resolve_pointer
from kaizen_tasks.errors import NOTHING_CHANGED, KaizenError, NotFound, Refused, UsageError
from kaizen_tasks.flows.parallel import for_each_parallel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports.tools import Tools

MAX_CONCURRENT_READS = 16


def require_headers(environments: Iterable[Environment], tools: Tools) -> None:
    """Check, before anything is changed, that the headers can be sent to the app of each environment.

    Raises:
        UsageError: an environment variable is not set.
        Refused: a secret cannot be read, or its value cannot be a header.
    """
    if not tools.settings.verify.headers:
        return
    try:
        for_each_parallel(
            lambda environment: read_headers(environment, tools), environments, max_workers=MAX_CONCURRENT_READS
        )
    except KaizenError as error:
        error.state = NOTHING_CHANGED
        raise


def read_headers(environment: Environment, tools: Tools) -> dict[str, str]:
    """Return the headers to send to an environment's app.

    Raises:
        UsageError: an environment variable is not set.
        Refused: a secret cannot be read, or its value cannot be a header.
    """
    headers = tools.settings.verify.headers
    return {name: _read_value(name, header, environment, tools) for name, header in headers.items()}


def _read_value(name: str, header: SecretHeader, environment: Environment, tools: Tools) -> str:
    value, source = tools.settings.variables.get(header.env), f"the environment variable {header.env}"
    if value is None and header.secret:
        value = _read_secret(name, header, environment, tools)
        source = f"the secret {header.secret_name(environment.name, tools.settings.app)}"
    if value is None:
        hint = f"set {header.env} where this command runs; in CI from a secret of the job"
        raise UsageError(f"verify.headers.{name}: {source} is not set", hint=hint)
    value = header.prefix + value.strip("\r\n")  # the line end of a file that a secret was copied from
    if not HEADER_VALUE.fullmatch(value):
        message = f"verify.headers.{name}: {source} has characters that a header cannot have"
        raise Refused(message, hint="correct the value: one line of Latin-1")
    return value


def _read_secret(name: str, header: SecretHeader, environment: Environment, tools: Tools) -> str:
    secret_name = header.secret_name(environment.name, tools.settings.app)
    try:
        content = tools.at(environment).secrets.current(secret_name).content.reveal()
    except NotFound as error:
        raise NotFound(error.message, hint=f"create it, or correct verify.headers.{name}.secret") from error
    if not header.key:
        return content
    try:
        value = resolve_pointer(json.loads(content), header.key)
    except (LookupError, ValueError, RecursionError):
        value = None
    if not isinstance(value, str):
        raise Refused(
            f"verify.headers.{name}: the secret {secret_name} has no text at {header.key}",
            hint=f"add it to the secret, or correct verify.headers.{name}.key",
        )
    return value
