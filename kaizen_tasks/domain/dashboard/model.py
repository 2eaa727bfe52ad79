"""The document of `dashboard`, which the page shows and `--json` prints."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from attrs import field, frozen

from kaizen_tasks.domain.dashboard.timeline import Bar, Lane
from kaizen_tasks.domain.metrics.summary import Metrics
from kaizen_tasks.domain.status import EnvironmentState, EnvironmentStatus

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.model import Changelog  # noqa: TC004 - only pages with notes load it
    from kaizen_tasks.domain.changelog.section import Section  # noqa: TC004 - only pages with notes load it

OUTSIDE = "outside of the pipeline"
"""What the environments are called that belong to no stage."""


@frozen(kw_only=True)
class Candidate:
    """What the promotion to a stage would bring next.

    Attributes:
        task: the task that promotes: `promote-prod`.
        source: name of the stage that the release comes from; empty if that is not clear.
        release: the release's name; empty when there is none to promote.
        digest: digest of its image.
        environments: the environments of the stage that do not have it yet.
        held: those of them that are held, which a promotion leaves out.
        step_back: the highest version that one of them has and that is above the release; empty if there is none.
        obstacle: why nothing can be promoted now; empty when it can be.
    """

    task: str
    source: str = ""
    release: str = ""
    digest: str = ""
    environments: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    step_back: str = ""
    obstacle: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether the promotion would change an environment now."""
        return not self.obstacle and any(name not in self.held for name in self.environments)


@frozen(kw_only=True)
class EnvironmentView:
    """An environment of the landscape.

    Attributes:
        status: what registry, ledger and running app say.
        lane: its timeline.
    """

    status: EnvironmentStatus
    lane: Lane

    @property
    def name(self) -> str:
        """Its name."""
        return self.status.environment.name

    @property
    def version(self) -> str:
        """The version that runs there: what the app says, else what it was told to run, else what the ledger says."""
        image, entry = self.status.followed_image, self.status.last_entry
        reported = self.status.version_report.version
        return reported or (image.version if image else "") or (entry.version if entry else "")

    @property
    def digest(self) -> str:
        """The digest of the image that runs there, or that it was told to run; empty if there is none."""
        image = self.status.followed_image
        return self.status.running_digest or (image.digest if image else "")

    @property
    def serving(self) -> Bar | None:
        """The bar of the release that serves by the ledger; None if it is unknown, or the app reports another one."""
        bar = self.lane.serving
        return bar if bar is not None and self.version in {"", bar.version} else None

    @property
    def since(self) -> datetime | None:
        """Since when the release serves; None if the ledger does not say."""
        return self.serving.start if self.serving else None

    @property
    def actor(self) -> str:
        """Who deployed the release; empty if the ledger does not say."""
        return self.serving.actor if self.serving else ""

    @property
    def run_url(self) -> str:
        """Address of the CI run that deployed the release, or empty."""
        return self.serving.run_url if self.serving else ""


@frozen(kw_only=True)
class StageView:
    """A stage of the landscape.

    Attributes:
        name: its name; empty for the environments outside of the pipeline.
        is_group: whether it is a group of environments.
        environments: its environments, in the configured order.
        candidate: what would be promoted to it next; None for the first stage and outside of the pipeline.
    """

    name: str
    is_group: bool
    environments: tuple[EnvironmentView, ...]
    candidate: Candidate | None = None

    @property
    def title(self) -> str:
        """What it is called."""
        return self.name or OUTSIDE

    @property
    def versions(self) -> tuple[tuple[str, int], ...]:
        """The versions that run in the stage, each with the number of environments; the most frequent first."""
        versions = [environment.version for environment in self.environments]
        return tuple(
            sorted(((name, versions.count(name)) for name in dict.fromkeys(versions)), key=lambda pair: -pair[1])
        )


@frozen(kw_only=True)
class StageReach:
    """How far a release has come in a stage.

    Attributes:
        stage: name of the stage.
        first_at: when its first deployment there began.
        serving: number of environments that have it now.
        served: number of environments that have had it, those that have it now included.
        failed: number of environments where it failed or was abandoned last, and is not serving.
        rolled_back: number of environments where it was rolled back last, and is not serving.
        total: number of environments of the stage.
    """

    stage: str
    first_at: datetime
    serving: int
    served: int
    failed: int
    rolled_back: int
    total: int


@frozen(kw_only=True)
class ReleaseView:
    """A release, what is new in it, and where it has been.

    Attributes:
        name: `v1.2.3`.
        section: its section of the changelog; None when the changelog has none.
        stages: the stages that it has reached, in the order of the pipeline.
    """

    name: str
    section: Section | None
    stages: tuple[StageReach, ...] = ()


@frozen(kw_only=True)
class Dashboard:
    """What runs where, and how it came about.

    Attributes:
        app: the app's name.
        at: when it was looked at.
        since: when the span of the timeline begins.
        is_shortened: whether it begins later than asked, because the ledger has too much for a page.
        stages: the landscape, in the order of the pipeline.
        releases: those of the span and those that serve, newest first.
        changelog: where the notes of releases are from; None when it could not be read.
        links_base: what links in the notes are relative to; empty if it is not known.
        unreleased: what is noted for the next release; None when nothing is.
        metrics: DORA's four of each stage.
        metrics_gaps: what is missing for them, and how to get it.
        errors: what could not be read of the app as a whole.
    """

    app: str
    at: datetime
    since: datetime
    stages: tuple[StageView, ...]
    releases: tuple[ReleaseView, ...] = ()
    changelog: Changelog | None = field(default=None, repr=False)
    links_base: str = ""
    unreleased: Section | None = None
    metrics: tuple[Metrics, ...] = ()
    metrics_gaps: tuple[str, ...] = ()
    is_shortened: bool = False
    errors: tuple[str, ...] = ()

    @property
    def environments(self) -> tuple[EnvironmentView, ...]:
        """All environments, stage by stage."""
        return tuple(environment for stage in self.stages for environment in stage.environments)

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The bars of all environments, the one that began last first."""
        bars = (bar for environment in self.environments for bar in environment.lane.bars)
        return tuple(sorted(bars, key=lambda bar: bar.start, reverse=True))

    def count(self, state: EnvironmentState) -> int:
        """Return the number of environments in a state."""
        return sum(environment.status.state is state for environment in self.environments)
