"""Shows a run on the deployments of the forge and on the page of its CI job. Import this late: few runs have either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock

from attrs import define, field

from kaizen_tasks.adapters.forge.deployment_queue import DeploymentQueue
from kaizen_tasks.adapters.host.job_page import add_to_job_page, has_job_page
from kaizen_tasks.domain.deployment_status import status_from_entry
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.forge import ForgeProject
from kaizen_tasks.domain.ledger import LedgerEntry
from kaizen_tasks.domain.run_summary import RunSummary
from kaizen_tasks.ports.run_report import NO_HOLDS


@define(kw_only=True)
class CiRunReport:
    """The pages of a run; implements the port `RunReport`.

    Attributes:
        app: the app's name.
        environments: the environments by name.
        component: what tells the app from others in its repository; or empty.
        project: the repository on its forge; None if that is unknown.
        queue: sends the states of deployments; None if the forge shows none.
        environ: the environment variables, which name the page of the job.
    """

    app: str
    environments: Mapping[str, Environment]
    component: str = ""
    project: ForgeProject | None = None
    queue: DeploymentQueue | None = None
    environ: Mapping[str, str] = field(factory=dict)
    has_failure: bool = field(init=False, default=False)
    _entries: list[LedgerEntry] = field(init=False, factory=list)
    _lock: Lock = field(init=False, factory=Lock)

    def record(self, entry: LedgerEntry) -> None:
        """Show an entry on each page."""
        with self._lock:
            if entry in self._entries:
                return
            self._entries.append(entry)
        environment = self.environments.get(entry.environment)
        if self.queue is not None and environment is not None:
            status = status_from_entry(entry, environment, component=self.component)
            if status is not None:
                self.queue.add(status)

    def finish(
        self,
        title: str,
        *,
        text: str = "",
        next_step: str = "",
        environments: Sequence[str] = (),
        holds: Mapping[str, str] = NO_HOLDS,
    ) -> tuple[str, ...]:
        """Show the end on each page, and return what could not be shown."""
        with self._lock:
            entries, self._entries = tuple(self._entries), []
        summary = RunSummary(
            title=f"{self.app}: {title}",
            text=text,
            next_step=next_step,
            entries=entries,
            urls={name: environment.url for name, environment in self.environments.items()},
            commits_url=self.project.commit_url("") if self.project else "",
            environments=environments,
            holds=holds,
        )
        problems = [self.queue.finish()] if self.queue else []
        markdown = summary.as_markdown()
        self.has_failure = bool(markdown) and not text and has_job_page(self.environ)
        if markdown:
            problems.append(add_to_job_page(markdown, is_success=bool(text), environ=self.environ))
        return tuple(filter(None, problems))
