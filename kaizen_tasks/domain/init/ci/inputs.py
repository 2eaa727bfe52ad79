"""The values from which pipelines are rendered."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from attrs import field, frozen

from kaizen_tasks.domain import proposal
from kaizen_tasks.domain.changelog import DEFAULT_PATH
from kaizen_tasks.domain.init import naming, pipeline
from kaizen_tasks.domain.init.ci.installation import Installation
from kaizen_tasks.domain.tag_pattern import TagPattern

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


ROLE_VARIABLE = "KAIZEN_ROLE_ARN"


@frozen(kw_only=True)
class AppFolder:
    """The folder of an app in its repository, of which a repository with several apps has several.

    Attributes:
        path: the path from the top of the repository; empty at the top.
        name: what the names of the app's files, jobs and queues begin with; empty at the top.
    """

    path: str = ""
    name: str = ""

    @property
    def prefix(self) -> str:
        """The beginning of names, such as `backend-`; empty at the top."""
        return f"{self.name}-" if self.name else ""

    @property
    def suffix(self) -> str:
        """The end of titles, such as ` backend`; empty at the top."""
        return f" {self.name}" if self.name else ""

    @property
    def place(self) -> str:
        """The place for the first line of a file, such as ` in services/backend`; empty at the top."""
        return f" in {self.path}" if self.path else ""

    @property
    def role_variable(self) -> str:
        """The variable with the ARN of the app's own role: `KAIZEN_ROLE_ARN_BACKEND`."""
        return f"{ROLE_VARIABLE}_{self.name.upper().replace('-', '_')}" if self.name else ROLE_VARIABLE

    def path_from_top(self, path: str) -> str:
        """Return the path of an app's file, from the top of the repository."""
        return posixpath.normpath(posixpath.join(self.path, path))

    def path_from_app(self, path: str) -> str:
        """Return the path of a file at the top of the repository, from the app's folder."""
        return posixpath.relpath(path, self.path) if self.path else path

    def globs(self, patterns: Iterable[str]) -> tuple[str, ...]:
        """Return patterns of an app's files, from the top of the repository."""
        folder = re.sub(r"([*?+!\[\]{}\\])", r"\\\1", self.path)
        return tuple(posixpath.normpath(posixpath.join(folder, pattern)) for pattern in patterns)


def locate_app(subfolder: str, tag: str) -> AppFolder:
    """Return the folder of an app, named like its tags, which it shares with no other app.

    Args:
        subfolder: the path from the top of the repository; empty at the top.
        tag: pattern of the tags of releases.
    """
    name = TagPattern(template=tag).component or subfolder.rpartition("/")[2]
    return AppFolder(path=subfolder, name=naming.slugify(name)) if subfolder else AppFolder()


@frozen(kw_only=True)
class PipelineInputs:
    """The values from which the pipelines are rendered.

    Attributes:
        branch: the branch from which releases are made.
        region: region of repositories and services.
        stages: the stages of the pipeline, in order.
        installation: what the runners install.
        repository: `owner/name` of the app's repository; empty when it has no remote.
        release_paths: the files of the app whose changes may make a release.
        version_paths: the files of the app that repeat VERSION.
        proposes: whether releases are made by pull request.
        proposal_branch: the branch that proposes the next release.
        needs_engine: whether the image is built by a container engine.
        caches_layers: whether layers of the image are kept in GitHub's cache.
        publishes: whether the dashboard is published.
        folder: the app's folder.
    """

    branch: str
    region: str
    stages: tuple[PipelineStage, ...]
    installation: Installation
    repository: str = ""
    release_paths: tuple[str, ...] = (DEFAULT_PATH, "VERSION")
    version_paths: tuple[str, ...] = ()
    proposes: bool = False
    proposal_branch: str = proposal.BRANCH
    needs_engine: bool = True
    caches_layers: bool = False
    publishes: bool = False
    folder: AppFolder = field(factory=AppFolder)
