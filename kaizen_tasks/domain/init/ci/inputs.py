"""The values from which pipelines are rendered."""

from __future__ import annotations

from attrs import frozen

from kaizen_tasks.domain.changelog import DEFAULT_PATH
from kaizen_tasks.domain.init import pipeline
from kaizen_tasks.domain.init.ci.installation import Installation

MAX_ENVIRONMENTS_PER_RUNNER = 25  # a promotion to more is split into shards


@frozen(kw_only=True)
class PipelineStage:
    """A stage of the pipeline, which has a job.

    Attributes:
        name: name of the environment or group.
        protected: whether a change needs a confirmation, here that of a reviewer.
        size: number of environments in the stage.
    """

    name: str
    protected: bool
    size: int

    @property
    def ci_environment(self) -> str:
        """Name of the CI system's environment whose reviewers approve; empty when no approval is needed."""
        return ci_environment_for(self.name) if self.protected else ""

    @property
    def shard_count(self) -> int:
        """Number of runners for the stage."""
        return -(-self.size // MAX_ENVIRONMENTS_PER_RUNNER)


def ci_environment_for(stage: str) -> str:
    """Return the name of the environment of GitHub or GitLab for a protected stage."""
    return "production" if stage.lower() in pipeline.PRODUCTION_NAMES else stage


@frozen(kw_only=True)
class PipelineInputs:
    """The values from which the pipelines are rendered.

    Attributes:
        branch: the branch from which releases are made.
        region: region of repositories and services.
        stages: the stages of the pipeline, in order.
        installation: what the runners install.
        repository: `owner/name` of the app's repository; empty when it has no remote.
        release_paths: the files whose changes may make a release.
        version_paths: the files that repeat VERSION.
        proposes: whether releases are made by pull request.
        needs_engine: whether the image is built by a container engine.
        caches_layers: whether layers of the image are kept in GitHub's cache.
    """

    branch: str
    region: str
    stages: tuple[PipelineStage, ...]
    installation: Installation
    repository: str = ""
    release_paths: tuple[str, ...] = (DEFAULT_PATH, "VERSION")
    version_paths: tuple[str, ...] = ()
    proposes: bool = False
    needs_engine: bool = True
    caches_layers: bool = False
