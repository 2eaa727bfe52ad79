"""Where AWS credentials come from, and what is wrong when there are none."""

from __future__ import annotations

import difflib
import os
import shlex
import subprocess
from collections.abc import Callable
from contextlib import suppress
from json import JSONDecodeError
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from kaizen_tasks.errors import Denied

if TYPE_CHECKING:
    import botocore.session
    from botocore.credentials import Credentials

PROCESS_TIMEOUT_SECONDS = 120.0
"""Time for the program of `credential_process`, which may wait for a login in a browser."""

MAX_REASON_LENGTH = 300
OVERRIDE_VARIABLE = "INVOKE_AWS_PROFILE"
CREDENTIAL_VARIABLES = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)
# botocore's classes by meaning, their subclasses included. By name, since botocore is slow to import.
CREDENTIAL_ERRORS = frozenset(
    {
        "ConfigNotFound",
        "ConfigParseError",
        "CredentialRetrievalError",
        "InvalidConfigError",
        "LoginError",
        "MetadataRetrievalError",
        "MissingDependencyException",
        "NoAuthTokenError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "RefreshWithMFAUnsupportedError",
        "SSOError",
        "TokenRetrievalError",
        "UnknownCredentialError",
        "UnknownTokenProviderError",
    }
)
PROVIDER_MODULES = frozenset({"botocore.credentials", "botocore.tokens"})
CONFIGURE_HINT = "set AWS_PROFILE, or configure credentials: aws configure sso"
LOGIN_HINT = "log in again: aws sso login{option}"
FILE_HINT = "correct that file, or name another one in AWS_CONFIG_FILE"
HINTS_BY_ERROR = {
    "SSOError": LOGIN_HINT,
    "TokenRetrievalError": LOGIN_HINT,
    "ConfigParseError": FILE_HINT,
    "ConfigNotFound": FILE_HINT,
}
SETTINGS_BY_PROVIDER = {
    "assume-role-with-web-identity": "AWS_WEB_IDENTITY_TOKEN_FILE",
    "container-role": "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "custom-process": "credential_process",
}
HINTS_BY_PROVIDER = {
    "assume-role-with-web-identity": "correct or unset AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN",
    "container-role": "correct or unset AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "custom-process": "correct credential_process, or see what it says: aws sts get-caller-identity{option}",
}


def rejection_hint() -> str:
    """Return what to do about credentials that AWS rejects, by where they come from."""
    if os.environ.get("AWS_ACCESS_KEY_ID") and not os.environ.get(OVERRIDE_VARIABLE):
        variables = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
        return f"set {variables} anew, or unset them and log in again: aws sso login"
    return "check AWS_PROFILE, or log in again: aws sso login"


def choose_profile(configured: str) -> str:
    """Return the profile to use: the configured one, unless a variable names a profile or holds credentials.

    An empty profile leaves the choice to botocore. The configured profile exists on the machine of whoever wrote it; on
    another one, such as CI, variables say what to use.
    """
    is_overridden = any(os.environ.get(name) for name in CREDENTIAL_VARIABLES)
    return "" if is_overridden and not os.environ.get(OVERRIDE_VARIABLE) else configured


def choose_target_profile(configured: str) -> str:
    """Return the profile for an environment that has one of its own: that one, wherever this machine has it.

    `AWS_PROFILE` does not replace it, as one profile does not reach several accounts. On a machine without it, such as
    CI, variables say what to use, if there are any.
    """
    return configured if configured in _available_profiles() else choose_profile(configured)


def create_core_session(profile: str) -> botocore.session.Session:
    """Return botocore's session of a profile, in which no source of credentials waits for ever."""
    import botocore.session
    from botocore.credentials import ProcessProvider

    session = botocore.session.Session(profile=profile or None)
    resolver = session.get_component("credential_provider")
    name = session.get_config_variable("profile") or "default"
    resolver.insert_before(
        ProcessProvider.METHOD, ProcessProvider(name, lambda: session.full_config, popen=_BoundedProcess)
    )
    resolver.get_provider("assume-role")._prompter = _ask_mfa_code  # noqa: SLF001 - it has no other way to set it
    return session


def create_derived_session(profile: str, load: Callable[[], Credentials | None]) -> botocore.session.Session:
    """Return botocore's session with the settings of a profile, and with credentials that come from elsewhere.

    Args:
        profile: a profile of the user's AWS configuration, or empty.
        load: returns the credentials when they are first needed.
    """
    import botocore.session
    from botocore.credentials import CredentialProvider, CredentialResolver

    class Provider(CredentialProvider):
        METHOD = "derived"

        def load(self) -> Credentials | None:
            return load()

    session = botocore.session.Session(profile=profile or None)
    session.register_component("credential_provider", CredentialResolver([Provider()]))
    return session


class _BoundedProcess(subprocess.Popen[bytes]):
    """The program of `credential_process`, which is ended when it takes too long."""

    def communicate(self, input: bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:  # noqa: A002 - the name of the base class
        try:
            return super().communicate(input, timeout or PROCESS_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.kill()
            super().communicate()
            message = f"no credentials: the program of credential_process takes more than {PROCESS_TIMEOUT_SECONDS:g} s"
            raise Denied(message, hint="run it by hand to see what it waits for") from error


def _ask_mfa_code(prompt: str) -> str:
    """Ask for the code of an MFA device on the terminal.

    Raises:
        Denied: there is no terminal.
    """
    import getpass

    if not _has_terminal():
        device = prompt.rpartition(" for ")[2].strip(" :")
        raise Denied(
            f"the AWS profile wants an MFA code of {device}, and there is no terminal to ask for it",
            hint='use a terminal, a role without MFA, or: eval "$(aws configure export-credentials --format env)"',
        )
    return getpass.getpass(prompt)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def credential_error(action: str, error: Exception, profile: str) -> Denied | None:
    """Return the error for credentials that cannot be had; None for an error that has another cause.

    Args:
        action: what is attempted.
        error: botocore's error, or one of a file, a program or a response that botocore passes on.
        profile: the profile in effect, or empty.
    """
    names = {base.__name__ for base in type(error).__mro__}
    provider = provider_of(error)
    is_from_botocore = "BotoCoreError" in names
    is_foreign = provider is not None and (not is_from_botocore or "ParamValidationError" in names)
    if not names & CREDENTIAL_ERRORS and not is_foreign:
        return None
    reason = str(error) if is_from_botocore else _describe(error, provider or "")
    message = f"cannot {action}: {shorten(reason, MAX_REASON_LENGTH, placeholder=' …')}"
    return Denied(message, hint=_hint(names, provider or "", profile or os.environ.get("AWS_PROFILE", "")))


def _describe(error: Exception, provider: str) -> str:
    """Return what is wrong in words, without the content of any file or response."""
    source = SETTINGS_BY_PROVIDER.get(provider, provider or "the AWS configuration")
    if isinstance(error, OSError):
        return f"{source}: {error.filename or ''}: {error.strerror or error}"
    if isinstance(error, JSONDecodeError | AttributeError | LookupError):
        return f"{source}: it is not JSON with the members that are expected"
    return f"{source}: {error}"


def _hint(names: set[str], provider: str, profile: str) -> str:
    if "ProfileNotFound" in names:
        return _profile_hint(profile)
    hints = (HINTS_BY_ERROR[name] for name in HINTS_BY_ERROR if name in names)
    default = (
        CONFIGURE_HINT
        if names & CREDENTIAL_ERRORS
        else f"correct ~/.aws/config and the AWS_* variables, or {LOGIN_HINT}"
    )
    hint = next(hints, "") or HINTS_BY_PROVIDER.get(provider, default)
    return hint.format(option=f" --profile {profile}" if profile else "")


def _profile_hint(profile: str) -> str:
    """Return what to do about a profile that is missing: the nearest one of those that there are."""
    existing = _available_profiles()
    nearest = difflib.get_close_matches(profile, existing, n=1)
    if nearest:
        return f"use the nearest profile: export AWS_PROFILE={shlex.quote(nearest[0])}"
    create = f"create the profile: aws configure sso --profile {shlex.quote(profile)}"
    return f"set AWS_PROFILE to one of {', '.join(existing[:10])}, or {create}" if existing else create


def _available_profiles() -> list[str]:
    """Return the names of the profiles; none where the file cannot be read, which is reported with its use."""
    import botocore.session

    with suppress(Exception):
        return botocore.session.Session().available_profiles
    return []


def provider_of(error: Exception) -> str | None:
    """Return the provider of credentials through which an error came, or None; empty for an unknown provider."""
    provider, traceback = None, error.__traceback__
    while traceback:
        frame = traceback.tb_frame
        if frame.f_globals.get("__name__") in PROVIDER_MODULES:
            source = frame.f_locals.get("self")
            method: Any = getattr(source, "METHOD", None) or getattr(source, "method", None)
            provider = method or provider or ""
        traceback = traceback.tb_next
    return provider
