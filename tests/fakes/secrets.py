"""Secrets that are kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from attrs import define, field

from kaizen_tasks.errors import NotFound, Refused
from kaizen_tasks.ports.secrets import Secrets
from kaizen_tasks.ports.types import Secret, Stored


@define
class FakeSecrets(Secrets):
    """Remembers every version; safe to use from several threads.

    Attributes:
        versions: by name of the secret and identifier.
        counting: identifiers of the current version and of the one before, by name.
        writes: names of the secrets whose current version has changed, in order.
        rivals: one is called whenever a version is about to count: somebody else who is faster.
    """

    versions: dict[str, dict[str, Stored]] = field(factory=dict)
    counting: dict[str, tuple[str, str]] = field(factory=dict)
    writes: list[str] = field(factory=list)
    rivals: list[Callable[[], object]] = field(factory=list)
    _guard: threading.RLock = field(factory=threading.RLock, repr=False)

    def create(self, name: str, content: str, *, version: str, at: datetime) -> None:
        """Create a secret."""
        self.versions[name] = {version: Stored(version=version, created=at, content=Secret(content))}
        self.counting[name] = (version, "")

    def current(self, name: str) -> Stored:
        """Return the version that counts."""
        with self._guard:
            if name not in self.versions:
                raise NotFound(f"there is no secret {name}", hint="create it")
            return self.versions[name][self.counting[name][0]]

    def previous(self, name: str) -> Stored | None:
        """Return the version that counted before."""
        with self._guard:
            return self.versions.get(name, {}).get(self.counting.get(name, ("", ""))[1])

    def write(self, name: str, content: Secret, *, version: str, over: str) -> None:
        """Make a new version and let it count."""
        with self._guard:
            made = Stored(version=version, created=datetime.now(UTC), content=content)
            self.current(name)
            self.versions[name].setdefault(version, made)
            self.restore(name, version=version, over=over)

    def restore(self, name: str, *, version: str, over: str) -> None:
        """Let a version count."""
        with self._guard:
            if self.rivals:
                self.rivals.pop(0)()
            now = self.current(name).version
            if now == version:
                return
            if now != over:
                raise Refused(f"somebody else has changed the secret {name}", hint="type the same command again")
            self.counting[name] = (version, over)
            self.writes.append(name)
