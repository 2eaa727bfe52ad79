"""Which of two services answers at an address, though both answer the same.

Its name leads to the addresses of one of them, or a request is in the log of one.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen


class Origin(StrEnum):
    """Who answers at the address."""

    OLD = "old"
    NEW = "new"
    BOTH = "both"
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class OriginEvidence:
    """What is known of an address and of both services.

    Attributes:
        addresses: the IP addresses of its host.
        old_addresses: those of the old service's own host.
        new_addresses: those of the new service's own host.
        is_logged_by_old: whether a request that was sent to the address is in the log of the old service.
        is_logged_by_new: whether it is in the log of the new service.
    """

    addresses: frozenset[str] = frozenset()
    old_addresses: frozenset[str] = frozenset()
    new_addresses: frozenset[str] = frozenset()
    is_logged_by_old: bool = False
    is_logged_by_new: bool = False

    @property
    def by_addresses(self) -> Origin:
        """Who answers by the addresses; unknown behind a proxy or CDN, and where both services have the same ones."""
        if not self.old_addresses or not self.new_addresses or self.old_addresses & self.new_addresses:
            return Origin.UNKNOWN
        return _origin(bool(self.addresses & self.old_addresses), bool(self.addresses & self.new_addresses))

    @property
    def by_logs(self) -> Origin:
        """Who answers by the logs; unknown if the app logs no requests, or has not logged this one yet."""
        return _origin(self.is_logged_by_old, self.is_logged_by_new)


def _origin(old: bool, new: bool) -> Origin:  # noqa: FBT001 - two answers to one question
    if old and new:
        return Origin.BOTH
    return Origin.OLD if old else Origin.NEW if new else Origin.UNKNOWN
