"""An STS with scripted answers: it knows a caller, and lets a role be assumed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

from tests.support.scripted_server import Reply, Request, ScriptedServer

HOME, TARGET = "123456789012", "210987654321"
ROLE = f"arn:aws:iam::{TARGET}:role/release"
CALLER = f"arn:aws:iam::{HOME}:user/ada"
_IDENTITY = """<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{arn}</Arn><Account>{account}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""
_ISSUED = """<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>
<SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>{expiration}</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>"""
_ERROR = "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"


def scripted_sts() -> ScriptedServer:
    """Return an STS that knows the caller, and lets the role be assumed for an hour."""
    role = f"arn:aws:sts::{TARGET}:assumed-role/release/ada.coach"
    script = {
        "GetCallerIdentity": identity(HOME, CALLER),
        "GetCallerIdentity by the role": identity(TARGET, role),
        "AssumeRole": [issued(hours=1)],
    }
    return ScriptedServer(script, question=question)


def question(request: Request) -> str:
    """Return the operation, and whether the role asks it."""
    by_role = " by the role" if "Credential=ASIAROLE/" in request.headers.get("Authorization", "") else ""
    return form(request)["Action"] + by_role


def form(request: Request) -> dict[str, str]:
    """Return the members of a request."""
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def identity(account: str, arn: str) -> list[Reply]:
    """Return the answer that tells a caller who it is."""
    return [Reply(body=_IDENTITY.format(arn=arn, account=account).encode())]


def issued(**lifetime: float) -> Reply:
    """Return the answer with credentials of a role that live as long as `timedelta` says."""
    return Reply(body=_ISSUED.format(expiration=(datetime.now(UTC) + timedelta(**lifetime)).isoformat()).encode())


def error(code: str) -> list[Reply]:
    """Return the answer that refuses a request."""
    return [Reply(status=403, body=_ERROR.format(code=code).encode())]
