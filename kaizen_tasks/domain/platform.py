"""The platforms that run services, and what differs between them before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class PlatformKind(NamedTuple):
    """What holds for all services of a platform.

    Attributes:
        title: the platform's name in texts: `ECS Express Mode`.
        follows_tag: whether a service deploys what a tag of its repository names. Elsewhere a service is told the image
            by its digest, and no tag moves.
        has_address: whether the platform gives each service an address.
        has_cluster: whether services are in clusters, and their containers have names.
        runs_commands: whether the definition of a service can run a command in place of the app.
        stops_deployments: whether a deployment in progress can be rolled back.
        image_platforms: what an image may be built for; the first one is usual.
        service_name: pattern of a service's name.
        service_name_rule: the pattern in words.
    """

    title: str
    follows_tag: bool
    has_address: bool
    has_cluster: bool
    runs_commands: bool
    stops_deployments: bool
    image_platforms: tuple[str, ...]
    service_name: str
    service_name_rule: str


_ECS_NAME = r"[A-Za-z0-9_-]{1,255}"  # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
_ECS_NAME_RULE = "up to 255 letters, digits, - and _"
_FARGATE_PLATFORMS = ("linux/amd64", "linux/arm64")

PLATFORMS: Mapping[str, PlatformKind] = {
    "apprunner": PlatformKind(
        title="App Runner",
        follows_tag=True,
        has_address=True,
        has_cluster=False,
        runs_commands=False,
        stops_deployments=False,
        image_platforms=("linux/amd64",),  # https://docs.aws.amazon.com/apprunner/latest/dg/service-source-image.html
        # https://docs.aws.amazon.com/apprunner/latest/api/API_CreateService.html
        service_name=r"[A-Za-z0-9][A-Za-z0-9_-]{3,39}",
        service_name_rule="4 to 40 letters, digits, - and _",
    ),
    "ecs-express": PlatformKind(
        title="ECS Express Mode",
        follows_tag=False,
        has_address=True,
        has_cluster=True,
        runs_commands=True,
        stops_deployments=True,
        image_platforms=_FARGATE_PLATFORMS,
        service_name=_ECS_NAME,
        service_name_rule=_ECS_NAME_RULE,
    ),
    "ecs": PlatformKind(
        title="ECS",
        follows_tag=False,
        has_address=False,
        has_cluster=True,
        runs_commands=True,
        stops_deployments=True,
        image_platforms=_FARGATE_PLATFORMS,
        service_name=_ECS_NAME,
        service_name_rule=_ECS_NAME_RULE,
    ),
}
"""Every platform, by its name in the configuration."""

DEFAULT_PLATFORM = "apprunner"
