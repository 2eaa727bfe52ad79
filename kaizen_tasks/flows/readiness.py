"""Refuses a change before it begins when its environments cannot take the deployment, or its image cannot run there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kaizen_tasks.domain.environment import distinct_repositories
from kaizen_tasks.errors import NotFound
from kaizen_tasks.flows.doctor import environment as environment_checks
from kaizen_tasks.flows.doctor import preflight
from kaizen_tasks.flows.steps.copy import CopyImage
from kaizen_tasks.flows.steps.deploy import Deploy

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.image import Image
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.ports.tools import Tools


def require_ready(flows: Mapping[Environment, Flow], release: Release, tools: Tools) -> None:
    """Check the environments whose flow deploys a release; a flow without a deployment needs nothing.

    Raises:
        Refused: an environment cannot take the deployment, or the image of the release cannot run there.
    """
    deploying = {
        environment: flow for environment, flow in flows.items() if any(isinstance(step, Deploy) for step in flow)
    }
    if deploying:
        images = tuple(_find_images(deploying, release, tools))
        problems = preflight.find_problems(tuple(deploying), tools)
        unsuitable = environment_checks.find_unsuitable_images(deploying, images)
        preflight.refuse(preflight.without_first_deployments((*problems, *unsuitable), release, tools))


def _find_images(flows: Mapping[Environment, Flow], release: Release, tools: Tools) -> Iterator[Image]:
    """Yield the image of the release from each repository that a flow takes it from, as the copy does later."""
    sources = {step.source for flow in flows.values() for step in flow if isinstance(step, CopyImage)}
    copying = {environment for environment, flow in flows.items() if any(isinstance(step, CopyImage) for step in flow)}
    owners = sources | {environment for environment in flows if environment not in copying}
    for owner in distinct_repositories(owners):
        try:
            image = tools.at(owner).registry.find_image(owner.repository, release.digest or release.name)
        except NotFound:
            continue  # the check of the repository says so
        if image is not None:
            yield image
