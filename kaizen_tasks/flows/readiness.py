"""Refuses a change before it begins when its environments cannot take the deployment, or its image cannot run there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.errors import NotFound
from kaizen_tasks.flows.deploy import first_deployment
from kaizen_tasks.flows.doctor import environment as environment_checks
from kaizen_tasks.flows.doctor import preflight
from kaizen_tasks.flows.steps.copy import CopyImage
from kaizen_tasks.flows.steps.deploy import Deploy

if TYPE_CHECKING:
    from kaizen_tasks.domain.doctor import Finding
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import Image, Release
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
        preflight.refuse(tuple(_remaining_problems((*problems, *unsuitable), release, tools)))


def _remaining_problems(problems: Sequence[Finding], release: Release, tools: Tools) -> Iterator[Finding]:
    """Yield the problems that refuse: a first deployment needs no service, as its image and tag come first."""
    suspects = {each.subject.environment for each in problems if each.subject.check == "service"}
    environments = [tools.settings.environments[name] for name in suspects]
    new = {each.name: each for each in environments if first_deployment.needs_service(each, release, tools)}
    for name in new:
        tools.reporter.note(f"  {name} has no service yet: its image and its tag come first")
    for problem in problems:
        name = problem.subject.environment
        if name not in new:
            yield problem
        elif problem.subject.check != "service":
            yield evolve(problem, fix=first_deployment.create_command(new[name]))


def _find_images(flows: Mapping[Environment, Flow], release: Release, tools: Tools) -> Iterator[Image]:
    """Yield the image of the release from each repository that a flow takes it from, as the copy does later."""
    sources = {step.source.repository for flow in flows.values() for step in flow if isinstance(step, CopyImage)}
    copying = {environment for environment, flow in flows.items() if any(isinstance(step, CopyImage) for step in flow)}
    for repository in sources | {environment.repository for environment in flows if environment not in copying}:
        try:
            image = tools.registry.find_image(repository, release.digest or release.name)
        except NotFound:
            continue  # the check of the repository says so
        if image is not None:
            yield image
