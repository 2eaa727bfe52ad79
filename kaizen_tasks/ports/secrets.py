"""Where each environment's runtime configuration is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from kaizen_tasks.ports.types import Secret, SecretVersion


class Secrets(Protocol):
    """Documents with versions, of which one is current. Safe to use from several threads."""

    def current(self, name: str) -> SecretVersion:
        """Return the version that counts.

        Raises:
            NotFound: there is no such secret.
            Refused: it holds no text.
        """
        ...

    def previous(self, name: str) -> SecretVersion | None:
        """Return the version that counted before; None when there is none.

        Raises:
            Refused: it holds no text.
        """
        ...

    @mutates("the secret is written")
    def write(self, name: str, content: Secret, *, version: str, expected_current: str) -> None:
        """Make a new version and let it count, unless another one than `expected_current` counts by now.

        Args:
            name: of the secret.
            content: the whole document.
            version: the new version's identifier, a UUID; written again with the same content, it is the same version.
            expected_current: the version that was read.

        Raises:
            Refused: somebody else was faster, or too much was written lately; what counts is as it was.
        """
        ...

    @mutates("the secret is what it was")
    def restore(self, name: str, *, version: str, expected_current: str) -> None:
        """Let a version that exists count, unless another one than `expected_current` counts by now.

        Raises:
            Refused: somebody else was faster; what counts is as it was.
        """
        ...
