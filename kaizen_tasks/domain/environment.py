"""Environments, and stages of environments."""

from __future__ import annotations

from attrs import frozen

from kaizen_tasks.domain.duration import ZERO_SECONDS, Seconds

DEFAULT_FOLLOWED_TAG = "latest"


@frozen(kw_only=True)
class Environment:
    """An environment: one running service of the app.

    Attributes:
        name: the environment's name: `staging`, `prod`, `mark`.
        platform: the platform that runs the service: `apprunner`.
        repository: name of the image repository.
        service: name of the service on the platform.
        follow: the tag that the service deploys and that a deployment moves: `latest`.
        url: the app's URL; empty for the URL that the platform assigns.
        secret: name of the secret with the runtime configuration.
        protected: whether changes need a confirmation.
        min_age: seconds for which a release must have been verified in the previous stage.
    """

    name: str
    platform: str
    repository: str
    service: str
    follow: str = DEFAULT_FOLLOWED_TAG
    url: str = ""
    secret: str = ""
    protected: bool = False
    min_age: Seconds = ZERO_SECONDS

    @property
    def followed_image(self) -> str:
        """The repository and the tag that the service follows: `prod-web-app:latest`."""
        return f"{self.repository}:{self.follow}"


@frozen(kw_only=True)
class Stage:
    """A stage of the pipeline: one environment, or a group of environments."""

    name: str
    environments: tuple[Environment, ...]
