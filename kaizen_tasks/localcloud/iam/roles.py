"""Roles, and who may assume them."""

from __future__ import annotations

import base64
import hashlib
import re

import attrs

DEFAULT_SESSION_SECONDS = 3600
"""The longest session of a role that does not say otherwise."""

_ROLE_ARN = re.compile(r"arn:aws:iam::(?P<account>\d{12}):role/(?:[\w+=,.@/-]*/)?(?P<name>[\w+=,.@-]{1,64})", re.ASCII)


@attrs.frozen(kw_only=True)
class Role:
    """A role of IAM.

    Args:
        account: the account number.
        name: its name, without a path.
        id: its unique identifier.
        trust: its trust policy; None trusts everybody.
        max_session_seconds: the longest session.
    """

    account: str
    name: str
    id: str
    trust: str | None
    max_session_seconds: int = DEFAULT_SESSION_SECONDS


def parse_role_arn(arn: str) -> tuple[str, str] | None:
    """Return the account and the name that the ARN of a role contains; None for another text."""
    match = _ROLE_ARN.fullmatch(arn)
    return (match["account"], match["name"]) if match else None


def open_role(account: str, name: str) -> Role:
    """Return what stands in for a role that nobody has created: one with IAM's defaults that trusts everybody."""
    digest = hashlib.sha256(f"{account} {name}".encode()).digest()
    return Role(account=account, name=name, id=f"AROA{base64.b32encode(digest)[:17].decode()}", trust=None)
