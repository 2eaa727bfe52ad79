"""The service of an environment that its configuration does not name, while it moves to another platform."""

from __future__ import annotations

from attrs import frozen

from kaizen_tasks.domain.health import VersionReport
from kaizen_tasks.domain.migration.record import Migration


@frozen(kw_only=True)
class SecondService:
    """The other one of two services.

    Attributes:
        migration: what the ledger knows of the migration.
        is_new: whether it is the new service, which nothing has to lead to yet; otherwise the old one.
        platform: the title of its platform.
        name: its name.
        url: its own address; empty if it has none.
        report: what it answers.
    """

    migration: Migration
    is_new: bool
    platform: str
    name: str
    url: str
    report: VersionReport

    def describe(self, environment: str, version: str) -> str:
        """Return what it runs, and what to type next.

        Args:
            environment: the environment's name.
            version: the release that serves.
        """
        command = f"inv migrate --env {environment}"
        address = f" at {self.url}" if self.url else ""
        if not self.is_new:
            is_paused = self.migration.is_retired
            state = "is paused" if is_paused else f"still {self._answer}{address}"
            flags = "--retire --delete" if is_paused else "--retire"
            return f"the old service on {self.platform} {state}; when nobody needs it: {command} {flags}"
        begun = f"moves to {self.platform} since {self.migration.since:%Y-%m-%d %H:%M} UTC: its service there"
        lag = "" if self.report.version == version else f"; to bring it {version}"
        goal = lag or "; to go on"
        return f"{begun} {self._answer}{address}{goal}: {command} --to {self.migration.platform}"

    @property
    def _answer(self) -> str:
        return f"runs {self.report.version}" if self.report.version else self.report.error or "answers nothing"
