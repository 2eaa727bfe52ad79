"""Secrets that are kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from attrs import define, field

from kaizen_tasks.errors import NotFound, Refused
from kaizen_tasks.ports.secrets import Secret, Secrets, SecretVersion


@define
class FakeSecrets(Secrets):
    """Keeps every version; safe to use from several threads.

    Attributes:
        versions: by name of the secret and identifier.
        stages: identifiers of the current version and of the one before, by name.
        writes: names of the secrets whose current version has changed, in order.
        rivals: one is called whenever a version is about to count: somebody else who is faster.
    """

    versions: dict[str, dict[str, SecretVersion]] = field(factory=dict)
    stages: dict[str, tuple[str, str]] = field(factory=dict)
    writes: list[str] = field(factory=list)
    rivals: list[Callable[[], object]] = field(factory=list)
    _guard: threading.RLock = field(factory=threading.RLock, repr=False)

    def create(self, name: str, content: str, *, version: str, at: datetime) -> None:
        """Create a secret."""
        self.versions[name] = {version: SecretVersion(version=version, created_at=at, content=Secret(content))}
        self.stages[name] = (version, "")

    def identifier(self, name: str) -> str:
        with self._guard:
            self.current(name)
            return f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbCdEf"

    def current(self, name: str) -> SecretVersion:
        with self._guard:
            if name not in self.versions:
                raise NotFound(f"there is no secret {name}", hint="create it")
            return self.versions[name][self.stages[name][0]]

    def previous(self, name: str) -> SecretVersion | None:
        with self._guard:
            return self.versions.get(name, {}).get(self.stages.get(name, ("", ""))[1])

    def write(self, name: str, content: Secret, *, version: str, expected_current: str) -> None:
        with self._guard:
            stored_version = SecretVersion(version=version, created_at=datetime.now(UTC), content=content)
            self.current(name)
            self.versions[name].setdefault(version, stored_version)
            self.restore(name, version=version, expected_current=expected_current)

    def restore(self, name: str, *, version: str, expected_current: str) -> None:
        with self._guard:
            if self.rivals:
                self.rivals.pop(0)()
            current_version = self.current(name).version
            if current_version == version:
                return
            if current_version != expected_current:
                raise Refused(f"somebody else changed the secret {name}", hint="run the same command again")
            self.stages[name] = (version, expected_current)
            self.writes.append(name)
