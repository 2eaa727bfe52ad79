"""The first deployment of an environment: its service needs an image, and its image needs no service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain.ledger import serving_entry
from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.errors import ClusterMissing, NotFound, ServiceMissing
from kaizen_tasks.flows.ledger import entries as ledger

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


def needs_service(environment: Environment, release: Release, tools: Tools) -> bool:
    """Return whether an environment waits for its first image: nothing was deployed, and no service has ever run.

    Where no service of the configured name exists, the followed tag must be free or on the release already. A tag on
    another image may be followed by a service of another name, which would deploy when it moves. A missing
    cluster is a mistake in the configuration.
    """
    try:
        status = tools.at(environment).platform.get_service(environment.service).status
    except ClusterMissing:
        return False
    except NotFound:
        status = None
    if status not in {None, ServiceStatus.CREATION_FAILED}:
        return False
    if serving_entry(tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)) is not None:
        return False
    if status is ServiceStatus.CREATION_FAILED or not environment.follows_tag:
        return True
    return _is_tag_free(environment, release, tools)


def _is_tag_free(environment: Environment, release: Release, tools: Tools) -> bool:
    try:
        image = tools.at(environment).registry.find_image(environment.repository, environment.follow)
    except NotFound:
        return True
    return image is None or image.digest == release.digest or image.version == release.name


def missing_service_error(environment: Environment, release: Release, cause: str, tools: Tools) -> ServiceMissing:
    """Return the error for a first deployment that has brought image and tag, and lacks the service."""
    return ServiceMissing(
        f"{environment.name}: {cause}",
        state=f"nothing is lost: {_brought_image(environment, release)}, which a service can start with",
        hint=f"{_creation_hint(environment, tools)}; then run the same command again",
    )


def _brought_image(environment: Environment, release: Release) -> str:
    if environment.follows_tag:
        return f"{environment.followed_image} is {release.name}"
    return f"{environment.repository} has {release.name}"


def _creation_hint(environment: Environment, tools: Tools) -> str:
    command = create_command(environment)
    if tools.settings.neighbours(environment):
        return f"create the service, like its neighbour: {command}"
    return f"create the service with that image, or like that of another environment: {command} --like ENV"


def create_command(environment: Environment) -> str:
    """Return the command that creates an environment's service and repository."""
    return f"inv setup --env {environment.name} --create"
