"""Environments, and stages of environments."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from kaizen_tasks.domain.aws_target import AwsTarget
from kaizen_tasks.domain.command import BeforeDeployCommand, TaskSettings
from kaizen_tasks.domain.platform import PLATFORMS, PlatformKind
from kaizen_tasks.domain.text.duration import ZERO_SECONDS, Seconds

DEFAULT_FOLLOWED_TAG = "latest"

DEFAULT_CLUSTER = "default"


@frozen(kw_only=True)
class Environment:
    """An environment: one running service of the app.

    Attributes:
        name: the environment's name: `staging`, `prod`, `mark`.
        platform: the platform that runs the service: `apprunner`, `ecs-express`, `ecs`.
        repository: name of the image repository.
        service: name of the service on the platform.
        target: account and region of repository, service and secret, and whose credentials reach them.
        cluster: the cluster of the service, on platforms with clusters.
        container: name of the container that runs the app, on platforms with clusters; empty is the essential one.
        follow: the tag that the service deploys and that a deployment moves, on platforms that follow one: `latest`.
        url: the app's URL; empty for the URL that the platform assigns.
        secret: name of the secret with the runtime configuration.
        protected: whether changes need a confirmation.
        formerly: names that the environment had before, oldest first.
        min_age: seconds for which a release must have been verified in the previous stage.
        before_deploy: commands that run in the image of a release before it serves, in order. They are those of a
            release, so an environment with other commands is the same one.
        task: where commands run, on a platform that runs none; None where the service's own definition says it.
    """

    name: str
    platform: str
    repository: str
    service: str
    target: AwsTarget = field(factory=AwsTarget)
    cluster: str = DEFAULT_CLUSTER
    container: str = ""
    follow: str = DEFAULT_FOLLOWED_TAG
    url: str = ""
    secret: str = ""
    protected: bool = False
    formerly: tuple[str, ...] = ()
    min_age: Seconds = ZERO_SECONDS
    before_deploy: tuple[BeforeDeployCommand, ...] = field(default=(), eq=False)
    task: TaskSettings | None = None

    @property
    def kind(self) -> PlatformKind:
        """What holds for all services of the platform."""
        return PLATFORMS[self.platform]

    @property
    def location(self) -> tuple[AwsTarget, str, str, str]:
        """What environments have in common whose services one client of their platform reaches."""
        return self.target, self.platform, self.cluster, self.container

    @property
    def place(self) -> str:
        """Platform, account and region, as errors name them: `ECS in 210987654321 (eu-central-1)`."""
        cluster = f", cluster {self.cluster}," if self.kind.has_cluster else ""
        return f"{self.kind.title}{cluster} in {self.target.place}"

    def is_beside(self, other: Environment) -> bool:
        """Return whether both services are on one platform, in one account, region and cluster."""
        is_in_cluster = (self.platform, self.cluster) == (other.platform, other.cluster)
        return is_in_cluster and self.target.is_beside(other.target)

    @property
    def runs_commands(self) -> bool:
        """Whether commands can run here: with the service's definition or, where it has none, a configured task."""
        return self.kind.runs_commands or self.task is not None

    @property
    def follows_tag(self) -> bool:
        """Whether the service deploys what a tag names; otherwise it is told the digest."""
        return self.kind.follows_tag

    @property
    def followed_image(self) -> str:
        """The repository and the tag that the service follows: `prod-web-app:latest`."""
        return f"{self.repository}:{self.follow}"

    @property
    def image_platforms(self) -> tuple[str, ...]:
        """What an image may be built for to run here: `linux/amd64`."""
        return self.kind.image_platforms

    def runs(self, image_platform: str) -> bool:
        """Return whether an image runs here; one that does not say what it is built for may. A variant is ignored."""
        return not image_platform or "/".join(image_platform.split("/")[:2]) in self.image_platforms


def distinct_repositories(environments: Iterable[Environment]) -> tuple[Environment, ...]:
    """Return the first environment of each repository: several may share one."""
    owners: dict[tuple[AwsTarget, str], Environment] = {}
    for environment in environments:
        owners.setdefault((environment.target, environment.repository), environment)
    return tuple(owners.values())


@frozen(kw_only=True)
class Stage:
    """A stage of the pipeline: one environment, or a group of environments."""

    name: str
    environments: tuple[Environment, ...]
