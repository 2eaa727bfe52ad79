"""An account and a region: whatever is created belongs to one of each."""

from __future__ import annotations

import functools
import re

import attrs

ACCOUNT_PATTERN = re.compile(r"\d{12}", re.ASCII)
"""The number of an account."""


@attrs.frozen(kw_only=True)
class Location:
    """An account in a region, whose services, registry, secrets and logs are apart from those of any other.

    Args:
        account: the account number.
        region: the region.
    """

    account: str
    region: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}"


@functools.cache
def is_region(name: str) -> bool:
    """Return whether AWS has a region of this name."""
    from botocore.loaders import Loader

    return any(name in partition["regions"] for partition in Loader().load_data("partitions")["partitions"])
