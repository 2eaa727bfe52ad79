"""The credentials of a local cloud: random for each state folder, and kept in it so that a restart keeps them valid.

They are those of a user in the home account; sessions (`sessions.py`) act for other accounts.
"""

from __future__ import annotations

import json
import secrets
import string
from typing import TYPE_CHECKING

import attrs
from attrs.validators import instance_of

from kaizen_tasks.localcloud.atomic_write import write_atomically
from kaizen_tasks.localcloud.state.damaged import load_state

if TYPE_CHECKING:
    from pathlib import Path

_ACCESS_KEY_PREFIX = "LOCAL"  # neither people nor secret scanners take it for a key of AWS
_ACCESS_KEY_ALPHABET = string.ascii_uppercase + string.digits


@attrs.frozen(kw_only=True)
class Credentials:
    """What clients must know.

    Args:
        access_key_id: names the key that requests to AWS services are signed with.
        secret_access_key: that key.
        control_token: gives access to the control API.
    """

    access_key_id: str = attrs.field(validator=instance_of(str))
    secret_access_key: str = attrs.field(repr=False, validator=instance_of(str))
    control_token: str = attrs.field(repr=False, validator=instance_of(str))

    @classmethod
    def load_or_create(cls, path: Path) -> Credentials:
        """Read the credentials from a file, which is created if it does not exist.

        Raises:
            Refused: the file is damaged.
        """
        if path.exists():
            return load_state(path, lambda content: cls(**json.loads(content)))
        suffix = "".join(secrets.choice(_ACCESS_KEY_ALPHABET) for _ in range(20 - len(_ACCESS_KEY_PREFIX)))
        credentials = cls(
            access_key_id=f"{_ACCESS_KEY_PREFIX}{suffix}",
            secret_access_key=secrets.token_urlsafe(30),
            control_token=secrets.token_urlsafe(30),
        )
        write_atomically(path, json.dumps(attrs.asdict(credentials)).encode())
        return credentials
