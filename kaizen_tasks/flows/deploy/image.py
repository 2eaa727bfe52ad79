"""The image that a service is configured to run: what its followed tag names or, without one, what it was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.image import Image
    from kaizen_tasks.ports.tools import Tools


def find_image_to_run(environment: Environment, tools: Tools) -> Image | None:
    """Return the image that the environment's service is configured to run; None if its repository lacks it.

    Raises:
        NotFound: there is no such repository or, on a platform that follows no tag, no such service.
    """
    if environment.follows_tag:
        return tools.at(environment).registry.find_image(environment.repository, environment.follow)
    service = tools.at(environment).platform.get_service(environment.service)
    return _find_image(environment, service.running_digest or service.image_reference, tools)


def find_configured_image(environment: Environment, tools: Tools) -> tuple[Image | None, str]:
    """Return the image that the followed tag names, or that the service is told to run, and the digest that it runs.

    The image is None if the repository lacks it; the digest is empty where the platform does not say it.

    Raises:
        NotFound: there is no such repository or, on a platform that follows no tag, no such service.
    """
    if environment.follows_tag:
        return find_image_to_run(environment, tools), ""
    service = tools.at(environment).platform.get_service(environment.service)
    return _find_image(environment, service.image_reference, tools), service.running_digest


def _find_image(environment: Environment, reference: str, tools: Tools) -> Image | None:
    registry = tools.at(environment).registry
    return registry.find_image(environment.repository, reference) if reference else None


def describe_image_to_run(environment: Environment) -> str:
    """Return what names that image: `prod-web-app:latest`, or the image of a service."""
    return environment.followed_image if environment.follows_tag else f"the image of {environment.service}"


def move_followed_tag(environment: Environment, digest: str, tools: Tools) -> bool:
    """Move the followed tag to an image; return whether it was on another one. Without such a tag, do nothing."""
    if not environment.follows_tag:
        return False
    registry = tools.at(environment).registry
    return registry.move_tag(repository=environment.repository, tag=environment.follow, digest=digest)


def image_reference(environment: Environment, digest: str, tools: Tools) -> str:
    """Return the reference that a deployment of an image is started with: `host/repository@sha256:…`.

    Where a tag is followed, it is the image that the tag names. No request is made, unless nobody has logged in yet.
    """
    if environment.follows_tag:
        return environment.followed_image
    return f"{tools.at(environment).registry.credentials().host}/{environment.repository}@{digest}"
