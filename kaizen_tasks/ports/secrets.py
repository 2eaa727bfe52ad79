"""The port of the secret store, in which the runtime configuration of each environment is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from attrs import field, frozen

from kaizen_tasks.ports.effects import mutates


@frozen
class Secret:
    """A secret value, which prints as [redacted]; `reveal` returns the value."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __str__(self) -> str:
        return "[redacted]"


@frozen(kw_only=True)
class SecretVersion:
    """One version of a secret.

    Attributes:
        version: the version's identifier, which is not secret.
        created_at: when the version was created, in UTC.
        content: the document.
    """

    version: str
    created_at: datetime
    content: Secret


class Secrets(Protocol):
    """Secrets with versions, one of which is current. Safe to use from several threads."""

    def identifier(self, name: str) -> str:
        """Return the identifier by which a service refers to a secret.

        Raises:
            NotFound: there is no such secret.
        """

    def current(self, name: str) -> SecretVersion:
        """Return the current version of a secret.

        Raises:
            NotFound: there is no such secret.
            Refused: the secret is not text.
        """

    def previous(self, name: str) -> SecretVersion | None:
        """Return the version of a secret that was current before the current one, or None.

        Raises:
            Refused: the secret is not text.
        """

    @mutates("the secret is written")
    def write(self, name: str, content: Secret, *, version: str, expected_current: str) -> None:
        """Create a version and make it current, if `expected_current` is still the current version (compare-and-swap).

        Args:
            name: the secret's name.
            content: the whole document.
            version: identifier of the new version, a UUID. Writing the same version and content again is idempotent.
            expected_current: identifier of the version that was read.

        Raises:
            Refused: another version is current, or there were too many writes; nothing was changed.
        """

    @mutates("the secret is what it was")
    def restore(self, name: str, *, version: str, expected_current: str) -> None:
        """Make a version current again, if `expected_current` is still the current version (compare-and-swap).

        Raises:
            Refused: another version is current; nothing was changed.
        """
