"""Environments, and stages of environments."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from kaizen_tasks.domain.text.duration import ZERO_SECONDS, Seconds

DEFAULT_FOLLOWED_TAG = "latest"

IMAGE_PLATFORMS: Mapping[str, str] = {"apprunner": "linux/amd64"}
"""What the images of each platform are built for; https://docs.aws.amazon.com/apprunner/latest/dg/service-source-image.html."""


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
        formerly: names that the environment had before, oldest first.
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
    formerly: tuple[str, ...] = ()
    min_age: Seconds = ZERO_SECONDS

    @property
    def followed_image(self) -> str:
        """The repository and the tag that the service follows: `prod-web-app:latest`."""
        return f"{self.repository}:{self.follow}"

    @property
    def image_platform(self) -> str:
        """What an image must be built for to run here: `linux/amd64`."""
        return IMAGE_PLATFORMS[self.platform]

    def runs(self, image_platform: str) -> bool:
        """Return whether an image runs here; one that does not say what it is built for may. A variant is ignored."""
        return not image_platform or image_platform.split("/")[:2] == self.image_platform.split("/")


@frozen(kw_only=True)
class Stage:
    """A stage of the pipeline: one environment, or a group of environments."""

    name: str
    environments: tuple[Environment, ...]
