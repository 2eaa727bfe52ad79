"""Roles that moto's IAM has created.

Importing this module imports moto, which takes a second: import it when moto has been loaded.
"""

from __future__ import annotations

from moto.iam.models import iam_backends

from kaizen_tasks.localcloud.iam.roles import DEFAULT_SESSION_SECONDS, Role


def read_role(account: str, name: str) -> Role | None:
    """Return a role, or None."""
    roles = iam_backends[account]["aws"].roles.values()
    role = next((role for role in roles if role.name == name), None)
    if role is None:
        return None
    return Role(
        account=account,
        name=name,
        id=role.id,
        trust=role.assume_role_policy_document,
        max_session_seconds=int(role.max_session_duration or DEFAULT_SESSION_SECONDS),
    )
