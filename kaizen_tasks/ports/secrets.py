"""The port of the secret store, which holds the runtime configuration of each environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from kaizen_tasks.ports.types import Secret, SecretVersion


class Secrets(Protocol):
    """Secrets with versions, one of which is current. Safe to use from several threads."""

    def current(self, name: str) -> SecretVersion:
        """Return the current version.

        Raises:
            NotFound: there is no such secret.
            Refused: it holds no text.
        """

    def previous(self, name: str) -> SecretVersion | None:
        """Return the version that was current before; None when there is none.

        Raises:
            Refused: it holds no text.
        """

    @mutates("the secret is written")
    def write(self, name: str, content: Secret, *, version: str, expected_current: str) -> None:
        """Create a version and make it current, provided that `expected_current` still is (compare-and-swap).

        Args:
            name: of the secret.
            content: the whole document.
            version: identifier of the new version, a UUID. Writing the same version and content again is idempotent.
            expected_current: identifier of the version that was read.

        Raises:
            Refused: another version is current, or there were too many writes; nothing was changed.
        """

    @mutates("the secret is what it was")
    def restore(self, name: str, *, version: str, expected_current: str) -> None:
        """Make an existing version current, provided that `expected_current` still is (compare-and-swap).

        Raises:
            Refused: another version is current; nothing was changed.
        """
